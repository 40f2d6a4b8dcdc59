/** What people get back from a run: per step its status, its time in parts, and what went in and out. */
import type { Digest, Value } from '../../pipeline/model/artifact';
import type { TaskError } from '../../pipeline/model/failure';
import type { Overhead, RunStatus, StepRunStatus } from '../../pipeline/model/run';
import type { CellResult } from '../../pipeline/model/task';
import { countedThrough } from './numbering';
import { type Finished, isLost, isRemoved, type RunState } from './state';

export interface ArtifactReport {
  name: string;
  type?: string;
  size?: number;
  digest?: Digest;
  /** Why it could not be saved. */
  lost?: string;
}

export interface StepReport {
  name: string;
  status: StepRunStatus;
  /** The unit it ran in, when steps were joined. */
  unit?: string;
  attempts: number;
  seconds?: Overhead;
  /** Bytes. */
  peakMemory?: number;
  cpuSeconds?: number;
  inputs: ArtifactReport[];
  outputs: ArtifactReport[];
  error?: TaskError;
}

export interface RunReport {
  run: string;
  status: RunStatus;
  reason?: string;
  steps: StepReport[];
  /** Results of the cells that count, in the order they ran; a cell that did not run is not here. */
  cells: CellResult[];
}

export function report(run: string, state: RunState, finished: ReadonlyMap<string, Finished>, reason: string | undefined): RunReport {
  const steps = state.units.flatMap(unit => {
    const one = state.states[unit.index]!;
    const done = finished.get(unit.name);
    return unit.steps.map(
      (step): StepReport => ({
        name: step.name,
        status: one.status,
        ...(unit.steps.length > 1 ? { unit: unit.name } : {}),
        attempts: one.attempt,
        seconds: done?.overhead,
        peakMemory: done?.peakMemory,
        cpuSeconds: done?.cpuSeconds,
        inputs: artifacts({ ...one.given?.values, ...one.given?.channels }),
        outputs: artifacts(one.outcome?.provided ?? {}),
        error: one.status === 'failed' ? one.outcome?.error : undefined,
      }),
    );
  });
  // Below a failure that stops the run nothing was run in the notebook's order, even if some of it had finished ahead of time.
  const cells = state.units.slice(0, Math.min(state.stoppedAt, state.units.length) + 1).map(unit => {
    const { status } = state.states[unit.index]!;
    return status === 'succeeded' || status === 'reused' || status === 'failed' ? (finished.get(unit.name)?.cells ?? []) : [];
  });
  return { run, status: state.status, reason, steps, cells: countedThrough(cells) };
}

function artifacts(values: Record<string, Value | { digest: Digest; size: number } | { removed: true }>): ArtifactReport[] {
  return Object.entries(values)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => {
      if (isLost(value)) return { name, type: value.type, lost: value.lost };
      if (isRemoved(value)) return { name, type: 'removed' };
      return { name, ...('type' in value ? { type: value.type } : {}), size: value.size, digest: value.digest };
    });
}
