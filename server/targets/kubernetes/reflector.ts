/**
 * What pods there are, kept as the cluster has it: a list in pages, then a watch that goes on from it. The list is made anew when the watch
 * has lost its place (410) or broken off too often, and every so often anyway: a watch that has silently died is noticed by that.
 * Whoever listens is told of states, not of events: two changes may come as one, and the same one twice.
 */
import { type Cluster, Refusal, sleep } from './cluster';

/** As much of a pod as anybody here asks for. */
export interface Pod {
  metadata: {
    name: string;
    uid: string;
    resourceVersion?: string;
    creationTimestamp?: string;
    deletionTimestamp?: string;
    deletionGracePeriodSeconds?: number;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  spec: { nodeName?: string };
  status?: {
    phase?: string;
    reason?: string;
    message?: string;
    startTime?: string;
    conditions?: { type: string; status: string; reason?: string; message?: string; lastTransitionTime?: string }[];
    containerStatuses?: ContainerStatus[];
  };
}

export interface ContainerStatus {
  name: string;
  state?: {
    waiting?: { reason?: string; message?: string };
    running?: { startedAt?: string };
    terminated?: { exitCode: number; signal?: number; reason?: string; message?: string; finishedAt?: string };
  };
}

export interface ReflectorOptions {
  cluster: Cluster;
  selector: string;
  /** A pod as it is now; `undefined` when it is gone. */
  changed(name: string, pod: Pod | undefined): void;
  /** Milliseconds between lists that nothing asked for. */
  relist?: number;
  /** Milliseconds that a watch may be silent. */
  silence?: number;
}

interface List {
  metadata: { resourceVersion: string; continue?: string };
  items: Pod[];
}

const page = 500;

export class Reflector {
  readonly pods = new Map<string, Pod>();
  readonly figures = { lists: 0, watches: 0, failures: 0, events: 0 };
  private readonly end = new AbortController();
  private readonly running: Promise<void>;
  private first!: () => void;
  /** Resolves when the first list is there. */
  readonly synced: Promise<void> = new Promise(resolve => {
    this.first = resolve;
  });
  /** When the last complete list was made. */
  listed = 0;

  constructor(private readonly options: ReflectorOptions) {
    this.running = this.run();
  }

  async close(): Promise<void> {
    this.end.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.end;
    let version: string | undefined;
    let wait = 200;
    while (!signal.aborted) {
      try {
        version = await this.list();
        this.first();
        wait = 200;
        version = await this.watchUntilStale(version);
      } catch {
        if (signal.aborted) return;
        this.figures.failures++;
        await sleep(wait * (0.5 + Math.random()), signal);
        wait = Math.min(wait * 2, 10_000);
      }
    }
  }

  /** Everything there is now, told as far as it is news. Gives the version that a watch goes on from. */
  private async list(): Promise<string> {
    const { cluster, selector } = this.options;
    const found = new Map<string, Pod>();
    let more: string | undefined;
    let version = '';
    do {
      const query = new URLSearchParams({ labelSelector: selector, limit: `${page}`, ...(more ? { continue: more } : {}) });
      const list: List = await cluster.call('GET', `${cluster.path('pods')}?${query}`, { signal: this.end.signal, patience: 5000 });
      for (const pod of list.items) found.set(pod.metadata.name, trimmed(pod));
      version = list.metadata.resourceVersion;
      more = list.metadata.continue;
    } while (more);
    this.figures.lists++;
    this.listed = Date.now();
    for (const name of [...this.pods.keys()]) if (!found.has(name)) this.tell(name, undefined);
    for (const [name, pod] of found)
      if (this.pods.get(name)?.metadata.resourceVersion !== pod.metadata.resourceVersion) this.tell(name, pod);
    return version;
  }

  /** Watches until a new list is due. Throws when it should be made at once. */
  private async watchUntilStale(from: string): Promise<string> {
    const { cluster, selector, relist = 60_000, silence = 90_000 } = this.options;
    const until = Date.now() + relist * (0.9 + Math.random() * 0.2);
    let version = from;
    let failures = 0;
    while (!this.end.signal.aborted && Date.now() < until && failures < 3) {
      const seconds = Math.max(1, Math.ceil((until - Date.now()) / 1000));
      const query = new URLSearchParams({
        labelSelector: selector,
        watch: '1',
        allowWatchBookmarks: 'true',
        resourceVersion: version,
        timeoutSeconds: `${seconds}`,
      });
      this.figures.watches++;
      let rest = '';
      const decoder = new TextDecoder();
      const began = Date.now();
      try {
        await cluster.follow(`${cluster.path('pods')}?${query}`, { signal: this.end.signal, silence }, piece => {
          const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
          rest = lines.pop()!;
          for (const line of lines) if (line !== '') version = this.take(line) ?? version;
        });
        // Ended by the server before its time, again and again, is a failure too.
        if (Date.now() - began < 500) await sleep(200, this.end.signal);
      } catch (error) {
        if (this.end.signal.aborted) return version;
        if (error instanceof Refusal && error.status === 410) return version;
        failures++;
        this.figures.failures++;
        await sleep(100 * 2 ** failures * (0.5 + Math.random()), this.end.signal);
      }
    }
    return version;
  }

  /** One line of a watch. Gives the version that it brings us to. */
  private take(line: string): string | undefined {
    // A line that is cut off in the middle is asked for again.
    const { type, object } = JSON.parse(line) as { type: string; object: Pod & { code?: number; message?: string; reason?: string } };
    this.figures.events++;
    if (type === 'ERROR') throw new Refusal(object.code ?? 500, object.reason ?? '', object.message ?? 'the watch ended with an error');
    const { name, resourceVersion } = object.metadata;
    if (type === 'DELETED') this.tell(name, undefined);
    else if (type !== 'BOOKMARK') this.tell(name, trimmed(object));
    return resourceVersion;
  }

  private tell(name: string, pod: Pod | undefined): void {
    if (pod) this.pods.set(name, pod);
    else this.pods.delete(name);
    this.options.changed(name, pod);
  }
}

/** Ten thousand pods are kept in memory: without what is not asked for. */
function trimmed({ metadata, spec, status }: Pod): Pod {
  const { name, uid, resourceVersion, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, labels, annotations } = metadata;
  return {
    metadata: { name, uid, resourceVersion, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, labels, annotations },
    spec: { nodeName: spec?.nodeName },
    status: status && {
      phase: status.phase,
      reason: status.reason,
      message: status.message,
      startTime: status.startTime,
      conditions: status.conditions,
      containerStatuses: status.containerStatuses?.map(({ name: container, state }) => ({ name: container, state })),
    },
  };
}
