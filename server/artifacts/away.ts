/**
 * The way to the artifacts for attempts that run elsewhere, through the gateway: what each is told, and what became of its result. What an
 * attempt was told is kept in its folder (`task.json`), so that a later process lets the same pod in again.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '../../pipeline/model/artifact';
import type { TaskDocument } from '../../pipeline/model/task';
import { Bundles } from './bundle';
import { Gateway, type GatewayOptions, type Grant } from './gateway';
import type { Artifacts } from './index';

interface Id {
  run: string;
  step: string;
  attempt: number;
}

interface Listener {
  asked(id: Id): void;
  committed(id: Id): void;
}

export interface AwayOptions extends Omit<GatewayOptions, 'listener'> {
  artifacts: Artifacts;
  /** Where an attempt's `task.json` and `result.json` are. */
  attemptFolder(id: Id): string;
}

/** The number of the envelope's format, as in the runner's remote.py. */
const format = 1;

export class Away {
  readonly blind = false;
  private readonly bundles: Bundles;
  private readonly listeners = new Set<Listener>();
  private readonly open_ = new Map<string, Id>();

  private constructor(
    private readonly options: AwayOptions,
    private readonly gateway: Gateway,
  ) {
    this.bundles = new Bundles(options.artifacts);
  }

  static async listen(options: AwayOptions): Promise<Away> {
    const told = (what: keyof Listener) => (key: string) => {
      const id = away.open_.get(key);
      if (id) for (const listener of away.listeners) listener[what](id);
    };
    const away: Away = new Away(
      options,
      await Gateway.listen({ ...options, listener: { asked: told('asked'), committed: told('committed') } }),
    );
    return away;
  }

  get url(): string {
    return this.gateway.url;
  }

  async open(task: TaskDocument): Promise<{ task: string; access: string }> {
    const id = { run: task.run, step: task.step, attempt: task.attempt };
    const bundle = await this.bundles.of(task.folder);
    const envelope = JSON.stringify({ format, task, bundle, store: { kind: 'gateway', url: this.gateway.address(keyOf(id)) } });
    const folder = this.options.attemptFolder(id);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = join(folder, 'task.json');
    await writeFile(`${file}.tmp`, envelope, { mode: 0o600 });
    await rename(`${file}.tmp`, file);
    return this.grant(id, task, envelope, bundle.digest);
  }

  async reopen(id: Id): Promise<{ task: string; access: string; document: TaskDocument } | undefined> {
    const text = await readFile(join(this.options.attemptFolder(id), 'task.json'), 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    const { task, bundle } = JSON.parse(text) as { task: TaskDocument; bundle: { digest: Digest } };
    return { ...this.grant(id, task, text, bundle.digest), document: task };
  }

  shut(id: Id): void {
    this.open_.delete(keyOf(id));
    this.gateway.shut(keyOf(id));
  }

  committed(id: Id): Promise<boolean> {
    return Promise.resolve(existsSync(join(this.options.attemptFolder(id), 'result.json')));
  }

  offered(): Promise<void> {
    return Promise.resolve();
  }

  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  close(): Promise<void> {
    return this.gateway.close();
  }

  private grant(id: Id, task: TaskDocument, envelope: string, bundle: Digest): { task: string; access: string } {
    const { values, channels, files } = task.inputs;
    const states = [...Object.values(values), ...Object.values(channels), ...Object.values(files)];
    const readable = new Set([bundle, ...states.flatMap(state => (state && !('folder' in state) ? [state.digest] : []))]);
    const grant: Grant = { key: keyOf(id), token: task.token, envelope, readable, folder: this.options.attemptFolder(id) };
    this.open_.set(grant.key, id);
    const { url, access } = this.gateway.grant(grant);
    return { task: `${url}/task`, access };
  }
}

const keyOf = ({ run, step, attempt }: Id) => `${run}/${step}/${attempt}`;
