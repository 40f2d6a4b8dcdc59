/** Where a run's time went: a bar for each attempt, in parts, and the same as a table for those who read rather than look. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { useMemo } from 'react';
import type { AttemptView, RunDetail } from '../../pipeline/model/protocol';
import type { Overhead } from '../../pipeline/model/run';
import { hasEnded } from '../runs/changes';
import { StatusIcon } from '../runs/status';
import { bytes, duration } from '../runs/time';
import { useNow } from '../runs/usenow';

export const parts = ['queued', 'create', 'start', 'inputs', 'user', 'outputs', 'observed'] as const satisfies readonly (keyof Overhead)[];

export interface Bar {
  attempt: AttemptView;
  /** Seconds from the run's start. */
  from: number;
  parts: { part: keyof Overhead | 'running'; seconds: number }[];
}

/** The attempts as bars, in the order in which they began, and how long the whole is in seconds. What runs still is one part until now. */
export function bars(run: RunDetail, attempts: readonly AttemptView[], now: number): { bars: Bar[]; whole: number } {
  const start = Date.parse(run.started ?? run.created);
  const found = attempts.flatMap((attempt): Bar[] => {
    if (attempt.started === undefined) return [];
    const began = (Date.parse(attempt.started) - start) / 1000;
    if (attempt.overhead) {
      // An attempt begins when it has waited: what it waited lies before.
      const from = Math.max(0, began - attempt.overhead.queued);
      return [{ attempt, from, parts: parts.map(part => ({ part, seconds: attempt.overhead![part] })) }];
    }
    const until = attempt.ended === undefined ? now : Date.parse(attempt.ended);
    return [{ attempt, from: Math.max(0, began), parts: [{ part: 'running', seconds: Math.max(0, (until - start) / 1000 - began) }] }];
  });
  found.sort((a, b) => a.from - b.from);
  const length = (bar: Bar) => bar.parts.reduce((sum, { seconds }) => sum + seconds, 0);
  const ended = run.ended === undefined ? (hasEnded(run.status) ? start : now) : Date.parse(run.ended);
  return { bars: found, whole: Math.max(0.001, (ended - start) / 1000, ...found.map(bar => bar.from + length(bar))) };
}

interface TimelineProps {
  run: RunDetail;
  attempts: readonly AttemptView[];
  chosen?: string;
  onChoose: (step: string) => void;
  trans: TranslationBundle;
}

export function Timeline({ run, attempts, chosen, onChoose, trans }: TimelineProps): JSX.Element {
  const now = useNow(!hasEnded(run.status));
  const { bars: all, whole } = useMemo(() => bars(run, attempts, now), [run, attempts, now]);
  const words = partWords(trans);
  if (all.length === 0)
    return <p className="stepwell-run-empty">{trans.__('No step has started in this run. Steps that were reused take no time.')}</p>;
  return (
    <div className="stepwell-timeline">
      <div className="stepwell-timeline-legend" aria-hidden="true">
        {parts.map(part => (
          <span key={part}>
            <i data-part={part} /> {words[part]}
          </span>
        ))}
      </div>
      <div className="stepwell-timeline-bars" aria-hidden="true">
        {all.map(({ attempt, from, parts: pieces }) => (
          <button
            type="button"
            tabIndex={-1}
            key={`${attempt.step} ${attempt.attempt}`}
            className="stepwell-timeline-row"
            data-chosen={attempt.step === chosen || undefined}
            onClick={() => onChoose(attempt.step)}
          >
            <span className="stepwell-timeline-name">{nameOf(attempt)}</span>
            <span className="stepwell-timeline-track">
              <span
                className="stepwell-timeline-bar"
                style={{ left: `${(from / whole) * 100}%`, width: `${(sum(pieces) / whole) * 100}%` }}
              >
                {pieces.map(({ part, seconds }) =>
                  seconds > 0 ? (
                    <i key={part} data-part={part} style={{ flexGrow: seconds }} title={`${words[part]}: ${duration(seconds, trans)}`} />
                  ) : null,
                )}
              </span>
            </span>
            <span className="stepwell-timeline-took">{duration(sum(pieces), trans)}</span>
          </button>
        ))}
        <div className="stepwell-timeline-axis">
          {[0, 0.25, 0.5, 0.75, 1].map(share => (
            <span key={share}>{duration(share * whole, trans)}</span>
          ))}
        </div>
      </div>
      <div className="stepwell-table-holder">
        <table className="stepwell-table">
          <caption className="stepwell-only-heard">{trans.__('Where the time of each attempt went')}</caption>
          <thead>
            <tr>
              <th scope="col">{trans.__('Attempt')}</th>
              {parts.map(part => (
                <th scope="col" key={part} className="stepwell-number-cell">
                  {words[part]}
                </th>
              ))}
              <th scope="col" className="stepwell-number-cell">
                {trans.__('in all')}
              </th>
              <th scope="col" className="stepwell-number-cell">
                {trans.__('memory')}
              </th>
              <th scope="col" className="stepwell-number-cell">
                {trans.__('CPU')}
              </th>
            </tr>
          </thead>
          <tbody>
            {all.map(({ attempt, parts: pieces }) => (
              <tr key={`${attempt.step} ${attempt.attempt}`}>
                <th scope="row">
                  <StatusIcon status={attempt.status} trans={trans} />
                  <button type="button" className="stepwell-link" onClick={() => onChoose(attempt.step)}>
                    {nameOf(attempt)}
                  </button>
                </th>
                {parts.map(part => (
                  <td key={part} className="stepwell-number-cell">
                    {attempt.overhead ? duration(attempt.overhead[part], trans) : ''}
                  </td>
                ))}
                <td className="stepwell-number-cell">{duration(sum(pieces), trans)}</td>
                <td className="stepwell-number-cell">{attempt.peakMemory === undefined ? '' : bytes(attempt.peakMemory)}</td>
                <td className="stepwell-number-cell">{attempt.cpuSeconds === undefined ? '' : duration(attempt.cpuSeconds, trans)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

const sum = (pieces: Bar['parts']): number => pieces.reduce((total, { seconds }) => total + seconds, 0);
const nameOf = ({ step, attempt }: AttemptView): string => (attempt > 1 ? `${step} #${attempt}` : step);

const partWords = (trans: TranslationBundle): Record<keyof Overhead | 'running', string> => ({
  queued: trans.__('queued'),
  create: trans.__('create'),
  start: trans.__('start'),
  inputs: trans.__('inputs'),
  user: trans.__('user code'),
  outputs: trans.__('outputs'),
  observed: trans.__('observed'),
  running: trans.__('running'),
});
