/**
 * A target is a place where steps run. One interface, one suite (`suite.ts`) that every target passes.
 *
 * A target starts attempts, stops them and tells what they say. It decides nothing: retries, order and what a result means belong
 * to the engine. Every call may be repeated after a crash: an attempt is known by (run, step, attempt) alone.
 */
import type { TaskError } from '../../pipeline/model/failure';
import type { StepSettings } from '../../pipeline/model/pipeline';
import type { TaskDocument, TaskEvent } from '../../pipeline/model/task';

export interface AttemptId {
  run: string;
  step: string;
  attempt: number;
}

/** What a target tells of an attempt, in order: any number of `event` and `waiting`, then exactly one `ended`. */
export type TargetEvent =
  /**
   * `number` counts what the attempt says from 1, without gaps, as `said` finds it again; a result has none. Strings that are too long for
   * one message are shortened; `left` says by how many bytes. The result is whole in its attempt's folder, as `result.json`.
   */
  | { what: 'event'; id: AttemptId; event: TaskEvent; number?: number; left?: number }
  /** It does not run yet, and why: no node has room, its image is not there. Told when that changes; without `why` when nothing is in its way. */
  | { what: 'waiting'; id: AttemptId; why?: string }
  /**
   * The attempt will say no more and its process or pod is gone or is certain to go. If the runner committed a result, the last `event`
   * before this was its `result`; otherwise `error` says what happened instead (killed, out of memory, timeout, platform).
   */
  | { what: 'ended'; id: AttemptId; error?: TaskError };

export interface Target {
  readonly name: string;
  /** Attempts of one run that it takes on at once; absent: as many as this machine has cores. */
  readonly room?: number;
  /** Resolves when the attempt is on its way; rejects only when nothing was started. `settings`: what the step asks of its place. Starting what runs already changes nothing. */
  start(task: TaskDocument, settings?: StepSettings): Promise<void>;
  /** Really stops it, and what it started; `ended` follows. Stopping what is gone changes nothing. */
  stop(id: AttemptId): Promise<void>;
  /** Resolves when everything that an attempt has said so far can be read from its folder. */
  flush(id: AttemptId): Promise<void>;
  /** Tells every event from now on. Returns its own undo. */
  watch(listener: (event: TargetEvent) => void): () => void;
  /**
   * After a crash: what became of attempts that this target was asked to start by an earlier process. Those that committed a result are told as
   * events; those that go on by themselves, as pods do, are followed from their first event; the others are stopped, leaving no process behind, and told as ended.
   * `settings` as at the start.
   */
  recover(ids: AttemptId[], settings?: (id: AttemptId) => StepSettings | undefined): Promise<void>;
  /** Ends everything the target still runs, and waits for it. */
  close(): Promise<void>;
  /** Like `close`, but what can go on without this process goes on, for the next one to recover. Where it is missing, nothing can. */
  leave?(): Promise<void>;
}
