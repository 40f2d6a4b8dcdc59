/** The rows of the run list: only those in view are in the page, so a hundred thousand scroll like ten. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from 'react';
import type { RunSummary } from '../../pipeline/model/protocol';
import { hasEnded } from './changes';
import { progress } from './progress';
import { indexOf, type RunList } from './runlist';
import { StatusIcon, statusWord } from './status';
import { duration, moment, secondsBetween, ticking, wholeMoment } from './time';
import { useNow } from './usenow';

const rowHeight = 44;
/** Rows from the end at which the next page is asked for. */
const ahead = 30;
/** Runs that are looked through for a text before people are asked whether to go on. */
const searchedAtOnce = 2000;

interface RunRowsProps {
  list: RunList;
  text: string;
  open: (run: string) => void;
  trans: TranslationBundle;
}

export function RunRows({ list, text, open, trans }: RunRowsProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const id = useId();
  const [active, setActive] = useState<string>();
  const [searching, setSearching] = useState(searchedAtOnce);
  const { runs } = list;
  const shown = useMemo(() => matching(runs, text), [runs, text]);
  const rows = useVirtualizer({ count: shown.length, getScrollElement: () => box.current, estimateSize: () => rowHeight, overscan: 8 });
  const items = rows.getVirtualItems();
  const now = useNow(items.some(({ index }) => !hasEnded(shown[index]!.status)));
  const wantsMore = list.more && !list.loading && list.fault === undefined && (items.at(-1)?.index ?? 0) >= shown.length - ahead;
  const mayLoad = text === '' || runs.length < searching;
  useEffect(() => {
    if (wantsMore && mayLoad) void list.load();
  });
  const at = active === undefined ? -1 : indexOf(shown, active);
  const move = (index: number) => {
    const next = Math.max(0, Math.min(shown.length - 1, index));
    if (!shown[next]) return;
    setActive(shown[next].id);
    rows.scrollToIndex(next);
  };
  const keys: Record<string, () => void> = {
    ArrowDown: () => move(at + 1),
    ArrowUp: () => move(at - 1),
    PageDown: () => move(at + 10),
    PageUp: () => move(at - 10),
    Home: () => move(0),
    End: () => move(shown.length - 1),
    Enter: () => active !== undefined && open(active),
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const key = keys[event.key];
    if (!key || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    key();
  };
  return (
    <div ref={box} className="stepwell-runs-list">
      <div
        className="stepwell-runs-rows"
        style={{ height: rows.getTotalSize() }}
        role="listbox"
        tabIndex={0}
        aria-label={trans.__('Runs, newest first')}
        aria-activedescendant={at >= 0 ? `${id}-${active}` : undefined}
        onKeyDown={onKeyDown}
        onFocus={() => at < 0 && shown[0] && setActive(shown[0].id)}
      >
        {items.map(({ index, start }) => {
          const run = shown[index]!;
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the list takes the keys
            <div
              key={run.id}
              id={`${id}-${run.id}`}
              className="stepwell-runs-row"
              style={{ transform: `translateY(${start}px)`, height: rowHeight }}
              role="option"
              tabIndex={-1}
              aria-selected={run.id === active}
              aria-posinset={index + 1}
              aria-setsize={list.more ? -1 : shown.length}
              onClick={() => {
                setActive(run.id);
                open(run.id);
              }}
            >
              <Row run={run} now={now} trans={trans} />
            </div>
          );
        })}
      </div>
      <p className="stepwell-runs-end" role="status">
        {list.loading
          ? trans.__('Loading…')
          : shown.length === 0 && !list.more && list.fault === undefined
            ? runs.length === 0
              ? trans.__('No runs yet. Run a notebook as a pipeline, and it is here.')
              : trans.__('No run matches.')
            : ''}
      </p>
      {wantsMore && !mayLoad && (
        <button type="button" className="stepwell-link" onClick={() => setSearching(runs.length + searchedAtOnce)}>
          {trans.__('Look through earlier runs, too (%1 seen)', runs.length)}
        </button>
      )}
    </div>
  );
}

function Row({ run, now, trans }: { run: RunSummary; now: number; trans: TranslationBundle }): JSX.Element {
  const { done, all } = progress(run);
  const took = run.started === undefined ? undefined : secondsBetween(run.started, run.ended, now);
  const length =
    took === undefined ? statusWord(run.status, trans) : run.ended === undefined ? ticking(took, trans) : duration(took, trans);
  const more = [run.experiment, run.startedBy].filter(Boolean).join(' · ');
  return (
    <>
      <StatusIcon status={run.status} trans={trans} />
      <span className="stepwell-runs-name" title={run.path}>
        {nameOf(run.path)}
      </span>
      <span className="stepwell-runs-took">{length}</span>
      <span className="stepwell-runs-when" title={wholeMoment(run.created)}>
        {moment(run.created, now)}
        {more && <span className="stepwell-runs-more"> · {more}</span>}
      </span>
      <span className="stepwell-runs-steps" title={trans.__('Steps done')}>
        {all > 0 ? trans.__('%1/%2 steps', done, all) : ''}
      </span>
    </>
  );
}

/** A file's name, without its folders. */
export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

function matching(runs: readonly RunSummary[], text: string): readonly RunSummary[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return runs;
  return runs.filter(run => {
    const all = [run.id, run.pipelineName, run.path, run.experiment, run.startedBy, run.reason].join('\n').toLowerCase();
    return words.every(word => all.includes(word));
  });
}
