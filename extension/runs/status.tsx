/** How a status looks and what it is called. Each has a shape of its own, so that it is told apart without colour too. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { LabIcon } from '@jupyterlab/ui-components';
import type { RunStatus, StepRunStatus } from '../../pipeline/model/run';

type Status = RunStatus | StepRunStatus;

const drawing = (inside: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round">${inside}</svg>`;
const disc = '<circle cx="8" cy="8" r="6.2" fill="currentColor"/>';
/** On a disc: in the colour of the page. */
const on = (path: string): string => `<path d="${path}" stroke="var(--jp-layout-color1)"/>`;

const drawings: Record<Status, string> = {
  waiting: '<circle cx="8" cy="8" r="6" stroke-dasharray="1.2 3"/>',
  queued: '<circle cx="8" cy="8" r="6"/><path d="M8 4.8V8l2.2 1.4"/>',
  running: '<circle cx="8" cy="8" r="6" opacity=".25"/><path d="M8 2a6 6 0 0 1 6 6"/>',
  succeeded: `${disc}${on('M5.2 8.2l2 2 3.6-4')}`,
  reused: '<path d="M13.4 6.2A5.8 5.8 0 1 0 13.8 9M13.8 3v3.4h-3.4"/><path d="M5.8 8.2l1.6 1.6 2.8-3.2"/>',
  failed: `${disc}${on('M5.7 5.7l4.6 4.6M10.3 5.7l-4.6 4.6')}`,
  cancelled: '<circle cx="8" cy="8" r="6"/><rect x="5.8" y="5.8" width="4.4" height="4.4" rx=".6" fill="currentColor" stroke="none"/>',
  skipped: '<circle cx="8" cy="8" r="6"/><path d="M5.2 8h5.6"/>',
};

const icons = new Map(
  Object.entries(drawings).map(([status, inside]) => [status, new LabIcon({ name: `stepwell:status-${status}`, svgstr: drawing(inside) })]),
);

export const statusIcon = (status: Status): LabIcon => icons.get(status)!;

export function statusWord(status: Status, trans: TranslationBundle): string {
  switch (status) {
    case 'waiting':
      return trans.__('waiting');
    case 'queued':
      return trans.__('queued');
    case 'running':
      return trans.__('running');
    case 'succeeded':
      return trans.__('succeeded');
    case 'reused':
      return trans.__('reused');
    case 'failed':
      return trans.__('failed');
    case 'cancelled':
      return trans.__('cancelled');
    case 'skipped':
      return trans.__('skipped');
  }
}

/** The icon; its word is a tooltip, and for those who listen where nothing beside it says the same. */
export function StatusIcon({ status, trans, silent = false }: { status: Status; trans: TranslationBundle; silent?: boolean }): JSX.Element {
  const Icon = statusIcon(status).react;
  const word = statusWord(status, trans);
  return (
    <span
      className="stepwell-run-status"
      data-status={status}
      title={word}
      {...(silent ? { 'aria-hidden': true } : { role: 'img', 'aria-label': word })}
    >
      <Icon tag="span" />
    </span>
  );
}
