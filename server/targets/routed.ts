/**
 * Several targets as one: an attempt goes where its step says, or where the run does. A target is made when the first attempt needs it, so a
 * run that never leaves this machine never asks where a cluster is.
 */
import type { StepSettings } from '../../pipeline/model/pipeline';
import type { TaskDocument } from '../../pipeline/model/task';
import { attemptKey } from './attempt';
import { TargetProblem } from './problem';
import type { AttemptId, Target, TargetEvent } from './target';

/** What people may call a target, and what it is called here. */
const names: Record<string, string> = { local: 'local', kubernetes: 'kubernetes', k8s: 'kubernetes' };

/** Pods of one run at once: the cluster says how many more there can be. */
export const podsOfARun = 100;

/** The target's own name. Throws a `TargetProblem` for one that does not exist. */
export function targetName(text: string): string {
  if (Object.hasOwn(names, text)) return names[text]!;
  throw new TargetProblem(
    `There is no target "${text}"; ${Object.keys(names)
      .map(one => `"${one}"`)
      .join(', ')} are the ones there are.`,
    { kind: 'config' },
  );
}

export class Routed implements Target {
  private readonly made = new Map<string, Promise<Target>>();
  /** Where attempts went that have not ended. */
  private readonly where = new Map<string, Target>();
  private readonly listeners = new Set<(event: TargetEvent) => void>();
  private closed = false;

  private readonly undo: (() => void)[] = [];

  /** `makers` by target name; `name`: where steps run that do not say. */
  constructor(
    readonly name: string,
    private readonly makers: Record<string, () => Target | Promise<Target>>,
    readonly room?: number,
    /** Done before an attempt starts at that target. */
    private readonly before: (name: string, task: TaskDocument) => Promise<void> = async () => {},
  ) {}

  /** Makes the usual target now. */
  prepare(): Promise<Target> {
    return this.target(undefined);
  }

  /** Hears nothing of its targets any more, and leaves them to their owner. */
  release(): void {
    this.closed = true;
    for (const undo of this.undo.splice(0)) undo();
  }

  async start(task: TaskDocument, settings?: StepSettings): Promise<void> {
    const target = await this.target(settings);
    await this.before(target.name, task);
    this.where.set(attemptKey(task), target);
    await target.start(task, settings);
  }

  async stop(id: AttemptId): Promise<void> {
    await this.where.get(attemptKey(id))?.stop(id);
  }

  async flush(id: AttemptId): Promise<void> {
    await Promise.all((await this.all()).map(target => target.flush(id)));
  }

  watch(listener: (event: TargetEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async recover(ids: AttemptId[], settings: (id: AttemptId) => StepSettings | undefined = () => undefined): Promise<void> {
    const groups = new Map<Target, AttemptId[]>();
    for (const id of ids) {
      const target = await this.target(settings(id));
      this.where.set(attemptKey(id), target);
      groups.set(target, [...(groups.get(target) ?? []), id]);
    }
    await Promise.all([...groups].map(([target, some]) => target.recover(some, settings)));
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all((await this.all()).map(target => target.close()));
  }

  async leave(): Promise<void> {
    this.closed = true;
    await Promise.all((await this.all()).map(target => (target.leave ? target.leave() : target.close())));
  }

  private async all(): Promise<Target[]> {
    const settled = await Promise.allSettled(this.made.values());
    return settled.flatMap(one => (one.status === 'fulfilled' ? [one.value] : []));
  }

  private target(settings: StepSettings | undefined): Promise<Target> {
    if (this.closed) throw new TargetProblem('The targets have been closed.');
    const name = targetName(settings?.target ?? this.name);
    const there = this.made.get(name);
    if (there) return there;
    const make = this.makers[name];
    if (!make) throw new TargetProblem(`The target "${name}" cannot be used here.`, { kind: 'config' });
    const made = Promise.resolve(make()).then(target => {
      const hear = (event: TargetEvent) => {
        if (event.what === 'ended') this.where.delete(attemptKey(event.id));
        for (const listener of this.listeners) listener(event);
      };
      this.undo.push(target.watch(hear));
      return target;
    });
    this.made.set(name, made);
    // What could not be made may be possible later.
    made.catch(() => this.made.delete(name));
    return made;
  }
}
