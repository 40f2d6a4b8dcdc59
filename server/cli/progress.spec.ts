import type { RunEvent, StepRunStatus } from '../../pipeline/model/run';
import { showProgress } from './progress';
import { withoutColours } from './terminal';

const at = (seconds: number) => new Date(seconds * 1000).toISOString();
let sequence = 0;
const event = (step: string, status: StepRunStatus, seconds: number, reason?: string): RunEvent => ({
  sequence: ++sequence,
  at: at(seconds),
  change: { what: 'step', step, status, reason },
});

function stream(isTTY: boolean, rows = 24) {
  let text = '';
  return { isTTY, rows, columns: 60, write: (part: string) => (text += part), read: () => withoutColours(text) };
}

describe('progress', () => {
  it('is a plain line per state where there is no terminal', () => {
    const out = stream(false);
    const progress = showProgress(
      [
        { name: 'load', cells: 1 },
        { name: 'train', cells: 2 },
      ],
      out,
    );
    progress.events([
      event('load', 'queued', 1),
      event('load', 'running', 1),
      event('load', 'succeeded', 2.5),
      event('train', 'skipped', 3, 'load failed'),
    ]);
    progress.events([{ sequence: ++sequence, at: at(4), change: { what: 'run', status: 'succeeded' } }]);
    progress.end();
    expect(out.read()).toBe('load  running\nload  succeeded  1.5 s\ntrain  skipped: load failed\n');
  });

  it('says when a step runs again', () => {
    const out = stream(false);
    const progress = showProgress([{ name: 'a', cells: 1 }], out);
    progress.events([
      event('a', 'running', 1),
      event('a', 'waiting', 2, 'what it reads changed: x'),
      event('a', 'running', 3),
      event('a', 'succeeded', 4),
    ]);
    expect(out.read()).toBe('a  running\na  running again\na  succeeded  1.0 s\n');
  });

  it('is a line per step, rewritten in place, in a terminal', () => {
    const out = stream(true);
    const progress = showProgress(
      [
        { name: 'load', cells: 3 },
        { name: 'b', cells: 1 },
      ],
      out,
      () => 9000,
    );
    progress.events([event('load', 'running', 5)]);
    progress.task('load', { type: 'cell-started', cell: 0, executionCount: 1, token: '', at: at(5) });
    progress.end();
    const lines = out.read().trimEnd().split('\n').slice(-2);
    expect(lines[0]).toMatch(/▸ load {2}running\s+4\.0 s {2}cell 1 of 3$/);
    expect(lines[1]).toMatch(/· b {5}waiting$/);
  });

  it('shows what runs and counts the rest when the terminal has too few rows', () => {
    const out = stream(true, 10);
    const names = Array.from({ length: 40 }, (_, index) => ({ name: `s${index}`, cells: 1 }));
    const progress = showProgress(names, out, () => 0);
    expect(out.read().trimEnd().split('\n')).toHaveLength(1);
    expect(out.read()).toContain('40 waiting');
    progress.end();
  });

  it('ignores a step that it was not told of', () => {
    const out = stream(false);
    showProgress([], out).events([event('ghost', 'running', 1)]);
    expect(out.read()).toBe('');
  });
});
