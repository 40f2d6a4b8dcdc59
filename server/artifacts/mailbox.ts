/**
 * The way to the artifacts for attempts that can reach a bucket and not us: behind NAT, or in another network. Their inputs are brought to the
 * bucket, and every address they need is signed beforehand, but for their outputs, which nobody can name in advance: those they offer in
 * their log, and find the answer in the bucket.
 */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDigest } from '../../pipeline/model/artifact';
import type { TaskDocument } from '../../pipeline/model/task';
import { type Bucket, blobKey } from './bucket';
import { Bundles } from './bundle';
import type { Artifacts } from './index';

interface Id {
  run: string;
  step: string;
  attempt: number;
}

export interface MailboxOptions {
  artifacts: Artifacts;
  bucket: Bucket;
  /** Where an attempt's `task.json` and `result.json` are. */
  attemptFolder(id: Id): string;
}

/** The number of the envelope's format, as in the runner's remote.py. */
const format = 1;
/** How often an attempt may offer outputs. */
const offers = 3;

export class Mailbox {
  readonly blind = true;
  private readonly bundles: Bundles;
  private readonly open_ = new Map<string, TaskDocument>();

  constructor(private readonly options: MailboxOptions) {
    this.bundles = new Bundles(options.artifacts);
  }

  async open(task: TaskDocument): Promise<{ task: string; access: string }> {
    const { bucket } = this.options;
    const bundle = await this.bundles.of(task.folder);
    const { values, channels, files } = task.inputs;
    const states = [...Object.values(values), ...Object.values(channels), ...Object.values(files)];
    const wanted = new Map([[bundle.digest, bundle.size]]);
    for (const state of states) if (state && !('folder' in state)) wanted.set(state.digest, state.size);
    const get: Record<string, string> = {};
    await Promise.all(
      [...wanted].map(async ([digest, size]) => {
        await bucket.upload(digest, this.options.artifacts.path(digest), size);
        get[digest] = await bucket.reading(blobKey(digest));
      }),
    );
    const place = placeOf(task);
    const answers = await Promise.all(Array.from({ length: offers }, (_, index) => bucket.reading(`${place}/answer-${index + 1}.json`)));
    const store = { kind: 'mailbox', get, answers, result: await bucket.writing(`${place}/result.json`) };
    const envelope = JSON.stringify({ format, task, bundle, store });
    await bucket.put(`${place}/task.json`, envelope);
    const folder = this.options.attemptFolder(task);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    await writeFile(join(folder, 'task.json.tmp'), JSON.stringify({ task }), { mode: 0o600 });
    await rename(join(folder, 'task.json.tmp'), join(folder, 'task.json'));
    return this.permission(task);
  }

  async reopen(id: Id): Promise<{ task: string; access: string; document: TaskDocument } | undefined> {
    const text = await readFile(join(this.options.attemptFolder(id), 'task.json'), 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    const { task } = JSON.parse(text) as { task: TaskDocument };
    return { ...(await this.permission(task)), document: task };
  }

  /** What it writes from now on lies where nobody looks. */
  shut(id: Id): void {
    const task = this.open_.get(keyOf(id));
    if (!task) return;
    this.open_.delete(keyOf(id));
    const names = ['task.json', ...Array.from({ length: offers }, (_, index) => `answer-${index + 1}.json`)];
    void this.options.bucket.remove(names.map(name => `${placeOf(task)}/${name}`)).catch(() => {});
  }

  async committed(id: Id): Promise<boolean> {
    const path = join(this.options.attemptFolder(id), 'result.json');
    if (existsSync(path)) return true;
    const task = this.open_.get(keyOf(id));
    return task !== undefined && this.options.bucket.fetch(`${placeOf(task)}/result.json`, path);
  }

  async offered(id: Id, answer: number, blobs: unknown): Promise<void> {
    const task = this.open_.get(keyOf(id));
    if (!task || !Array.isArray(blobs) || !Number.isInteger(answer) || answer < 1 || answer > offers) return;
    const asked = blobs.filter(({ digest, size }) => isDigest(digest) && Number.isSafeInteger(size) && size >= 0);
    const missing = await this.options.bucket.missing(asked.map(({ digest, size }) => ({ digest, size })));
    await this.options.bucket.put(`${placeOf(task)}/answer-${answer}.json`, JSON.stringify({ missing }));
  }

  /** Nobody calls: what attempts say comes by their log. */
  listen(): () => void {
    return () => {};
  }

  async close(): Promise<void> {
    this.open_.clear();
    this.options.bucket.close();
  }

  private async permission(task: TaskDocument): Promise<{ task: string; access: string }> {
    this.open_.set(keyOf(task), task);
    return { task: await this.options.bucket.reading(`${placeOf(task)}/task.json`), access: '' };
  }
}

const keyOf = ({ run, step, attempt }: Id) => `${run}/${step}/${attempt}`;

/** By its token too: what an attempt that was replaced writes is nobody's. */
const placeOf = (task: TaskDocument) => `attempts/${keyOf(task)}/${createHash('sha256').update(task.token).digest('hex').slice(0, 32)}`;
