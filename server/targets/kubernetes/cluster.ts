/**
 * The API server of a cluster, as few calls as a target needs. Addresses and credentials are what kubectl would use; requests that a
 * second try may help (the network, 429, 5xx) are tried again for as long as they have patience, as the server asks.
 */
import type { IncomingMessage, RequestOptions } from 'node:http';
import { request as httpRequest, Agent as PlainAgent } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import type { KubeConfig } from '@kubernetes/client-node';
import { TargetProblem } from '../problem';

/** An answer that is no success. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  constructor(
    readonly status: number,
    /** Kubernetes' word for it: `AlreadyExists`, `Forbidden`, `Expired`, … */
    readonly reason: string,
    message: string,
    /** Seconds after which to ask again. */
    readonly after?: number,
  ) {
    super(message);
  }
}

export interface Place {
  /** A kubeconfig; default: where kubectl would look. */
  kubeconfig?: string;
  /** A kubeconfig's context; default: its current one, or the pod's own service account. */
  context?: string;
  /** Default: the context's. */
  namespace?: string;
}

export interface CallOptions {
  body?: unknown;
  type?: string;
  signal?: AbortSignal;
  /** Milliseconds until an answer begins. */
  timeout?: number;
  /** Milliseconds for trying again; default 30 s. */
  patience?: number;
}

/** Milliseconds that one answer may take. */
const timeout = 30_000;
const longest = 64 * 2 ** 20;

export class Cluster {
  /** Requests made, and how many had to be repeated. */
  readonly figures = { requests: 0, repeated: 0 };
  private readonly agent: Agent | PlainAgent;

  private constructor(
    private readonly config: KubeConfig,
    readonly server: string,
    readonly namespace: string,
    private readonly proxied: boolean,
  ) {
    const options = { keepAlive: true, keepAliveMsecs: 10_000, maxSockets: 256 };
    this.agent = server.startsWith('https:') ? new Agent(options) : new PlainAgent(options);
  }

  /** Throws a `TargetProblem` when nothing says where a cluster is. */
  static load({ kubeconfig, context, namespace }: Place = {}): Cluster {
    // Loaded only by those who run something on a cluster: it is large.
    const { KubeConfig } = require('@kubernetes/client-node') as typeof import('@kubernetes/client-node');
    const config = new KubeConfig();
    try {
      if (kubeconfig) config.loadFromFile(kubeconfig);
      else config.loadFromDefault();
      if (context) config.setCurrentContext(context);
    } catch (error) {
      throw new TargetProblem(`The kubeconfig cannot be read: ${(error as Error).message}. Set KUBECONFIG to one that can.`, {
        cause: error,
      });
    }
    const cluster = config.getCurrentCluster();
    const found = config.getContextObject(config.getCurrentContext());
    // What the library falls back to when it finds nothing.
    if (!cluster || cluster.server === 'http://localhost:8080')
      throw new TargetProblem(
        context
          ? `The kubeconfig has no context "${context}"; "kubectl config get-contexts" lists what there is.`
          : 'No Kubernetes cluster is configured: set KUBECONFIG, or make ~/.kube/config, as for kubectl.',
      );
    return new Cluster(config, cluster.server.replace(/\/+$/, ''), namespace ?? found?.namespace ?? 'default', Boolean(cluster.proxyUrl));
  }

  /** The path of objects of the core API in this namespace. */
  path(kind: string, name?: string): string {
    return `/api/v1/namespaces/${encodeURIComponent(this.namespace)}/${kind}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;
  }

  /** The answer's document. Throws a `Refusal` when the server says no. */
  async call<T>(method: string, path: string, { body, type, signal, patience = 30_000 }: CallOptions = {}): Promise<T> {
    const until = Date.now() + patience;
    for (let wait = 100; ; wait = Math.min(wait * 2, 5000)) {
      try {
        const answer = await this.open(method, path, { body, type, signal });
        return JSON.parse((await read(answer)).toString() || 'null') as T;
      } catch (error) {
        const pause = error instanceof Refusal && error.after !== undefined ? error.after * 1000 : wait * (0.5 + Math.random());
        if (!passing(error) || signal?.aborted || Date.now() + pause > until) throw error;
        this.figures.repeated++;
        await sleep(pause, signal);
      }
    }
  }

  /**
   * Reads an answer that goes on and on. Resolves when the server ends it; throws when it breaks off, or says nothing for `silence`
   * milliseconds.
   */
  async follow(path: string, { signal, silence }: { signal: AbortSignal; silence: number }, heard: (piece: Buffer) => void): Promise<void> {
    const answer = await this.open('GET', path, { signal, timeout: Math.min(silence, timeout) });
    answer.socket.setKeepAlive(true, 10_000);
    let timer: NodeJS.Timeout | undefined;
    const listen = () => {
      clearTimeout(timer);
      timer = setTimeout(() => answer.destroy(new Error(`nothing was heard for ${silence / 1000} s`)), silence);
    };
    try {
      listen();
      for await (const piece of answer) {
        listen();
        heard(piece as Buffer);
      }
    } finally {
      clearTimeout(timer);
      answer.destroy();
    }
  }

  /** The address of this machine on the way to the cluster: where its pods may reach us, if they can at all. */
  ownAddress(): Promise<string> {
    const { hostname, port, protocol } = new URL(this.server);
    return new Promise((resolve, reject) => {
      const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || (protocol === 'https:' ? 443 : 80) });
      socket.setTimeout(10_000, () => socket.destroy(new Error(`${hostname} did not answer`)));
      socket.once('error', reject);
      socket.once('connect', () => {
        resolve(socket.localAddress!);
        socket.destroy();
      });
    });
  }

  close(): void {
    this.agent.destroy();
  }

  /** Resolves when the answer begins. */
  private async open(method: string, path: string, { body, type, signal, timeout: most = timeout }: CallOptions): Promise<IncomingMessage> {
    const options: RequestOptions = { method, signal, headers: { Accept: 'application/json' } };
    await this.config.applyToHTTPSOptions(options as Parameters<KubeConfig['applyToHTTPSOptions']>[0]).catch(error => {
      throw new TargetProblem(`The kubeconfig's credentials cannot be used: ${error.message}.`, { cause: error });
    });
    if (!this.proxied) options.agent = this.agent;
    const content = body === undefined ? undefined : JSON.stringify(body);
    options.headers = {
      ...options.headers,
      ...(content === undefined ? {} : { 'Content-Type': type ?? 'application/json', 'Content-Length': Buffer.byteLength(content) }),
    } as RequestOptions['headers'];
    this.figures.requests++;
    const url = new URL(this.server + path);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options, resolve);
      request.setTimeout(most, () => request.destroy(new Error(`${url.host} did not answer within ${most / 1000} s`)));
      request.on('error', reject);
      request.end(content);
    });
    answer.socket.setTimeout(0);
    if (answer.statusCode! < 300) return answer;
    throw refusalOf(answer, (await read(answer)).toString());
  }
}

/** Whether the same request may be answered otherwise the next time. */
export function passing(error: unknown): boolean {
  if (error instanceof TargetProblem) return false;
  if (!(error instanceof Refusal))
    return (error as Error).name !== 'AbortError' && !/certificate|self.signed/i.test(`${(error as Error).message}`);
  return error.status === 429 || error.status === 408 || (error.status >= 500 && error.status !== 501);
}

export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
  });
}

async function read(answer: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  const timer = setTimeout(() => answer.destroy(new Error(`an answer was not complete after ${timeout / 1000} s`)), timeout);
  try {
    for await (const piece of answer) {
      size += (piece as Buffer).length;
      if (size > longest) throw new Error('an answer was longer than any should be');
      pieces.push(piece as Buffer);
    }
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(pieces);
}

function refusalOf(answer: IncomingMessage, text: string): Refusal {
  const after = Number(answer.headers['retry-after']);
  let status: { reason?: string; message?: string } = {};
  try {
    status = JSON.parse(text);
  } catch {
    // A proxy's page: its status says enough.
  }
  const message = status.message ?? `the cluster answered with status ${answer.statusCode}`;
  return new Refusal(answer.statusCode!, status.reason ?? '', message, Number.isFinite(after) && after > 0 ? after : undefined);
}
