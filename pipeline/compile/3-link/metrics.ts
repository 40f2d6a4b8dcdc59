/**
 * Kale's metrics cell: `print(name)` lines. The cell runs where it stands, so that it prints what it prints from top to bottom; each name
 * is also a metric of the last step that assigns it.
 */
import type { LinkedStep } from './link';

export function markMetrics(steps: readonly LinkedStep[]): void {
  for (const [index, { cells }] of steps.entries()) {
    for (const cell of cells) {
      if (!cell.metrics) continue;
      for (const [, name] of cell.source.matchAll(/^[ \t]*print\(\s*([\p{L}_][\p{L}\p{N}_]*)\s*\)/gmu)) mark(steps, index, name!);
    }
  }
}

function mark(steps: readonly LinkedStep[], last: number, name: string): void {
  let at = last;
  while (at > 0 && !steps[at]!.writes.has(name)) at--;
  const { step } = steps[steps[at]!.writes.has(name) ? at : last]!;
  const metrics = step.settings.metrics ?? [];
  if (!metrics.includes(name)) step.settings = { ...step.settings, metrics: [...metrics, name] };
}
