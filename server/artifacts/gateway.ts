/**
 * The door through which steps that run elsewhere reach the artifacts: a small HTTP server of its own, apart from the API, since pods are to
 * reach this and nothing else. Each attempt has its own permission, and with it may read its own inputs, write the outputs it has offered,
 * and commit its result. An attempt that was replaced is shut out: whatever it still writes is refused (409).
 *
 * GET task · GET blobs/<hex> (ranges) · POST outputs · PUT blobs/<hex>[?start=] · POST blobs/<hex>/complete · PUT result,
 * all under /v1/attempts/<run>/<step>/<attempt>/. What they mean to the other side is in the runner's stores.py.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { createReadStream, createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Digest } from '../../pipeline/model/artifact';
import type { Artifacts } from './index';
import { StorageProblem } from './problem';

/** What one attempt may do. */
export interface Grant {
  /** `<run>/<step>/<attempt>`. */
  key: string;
  /** The attempt's fencing token. */
  token: string;
  /** What it is to run. */
  envelope: string;
  readable: ReadonlySet<Digest>;
  /** Where its `result.json` goes. */
  folder: string;
}

export interface GatewayListener {
  /** It has asked for its task. */
  asked?(key: string): void;
  /** Its result is there, whole and on the disk's way. */
  committed?(key: string): void;
}

export interface GatewayOptions {
  artifacts: Artifacts;
  /** The folder of the key that permissions are made with. */
  home: string;
  host: string;
  /** 0: any. */
  port: number;
  /** What pods call it; default: its own address. */
  url?: string;
  listener: GatewayListener;
}

interface Open extends Grant {
  offered: Map<Digest, number>;
}

/** Larger blobs come in parts of this size. */
export const partSize = 16 * 2 ** 20;
const mostBody = 4 * 2 ** 20;
/** Milliseconds after the start in which an attempt that is not known yet may be one that is about to be. */
const settling = 60_000;

export class Gateway {
  /** The address that attempts are told. */
  readonly url: string;
  private readonly open_ = new Map<string, Open>();
  private readonly since = Date.now();

  private constructor(
    private readonly options: GatewayOptions,
    private readonly secret: Buffer,
    private readonly server: Server,
  ) {
    const { port } = server.address() as AddressInfo;
    this.url = options.url ?? `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void this.answer(request, response));
  }

  static async listen(options: GatewayOptions): Promise<Gateway> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: options.host, port: options.port, backlog: 1024 }, resolve);
    });
    server.unref();
    return new Gateway(options, secretOf(options.home), server);
  }

  /** Lets an attempt in. Gives its address and its permission: the same again after a restart. */
  grant(grant: Grant): { url: string; access: string } {
    this.open_.set(grant.key, { ...grant, offered: new Map() });
    return { url: this.address(grant.key), access: this.access(grant) };
  }

  address(key: string): string {
    return `${this.url}/v1/attempts/${key.split('/').map(encodeURIComponent).join('/')}`;
  }

  /** From now on nothing that it writes counts. */
  shut(key: string): void {
    this.open_.delete(key);
  }

  async close(): Promise<void> {
    this.open_.clear();
    this.server.closeAllConnections();
    await new Promise(resolve => this.server.close(resolve));
  }

  private access({ key, token }: Grant): string {
    return createHmac('sha256', this.secret).update(`${key}\n${token}`).digest('hex');
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://gateway');
      const [, run, step, attempt, ...rest] = /^\/v1\/attempts\/([^/]+)\/([^/]+)\/([^/]+)\/(.+)$/.exec(pathname) ?? [];
      if (!run || !step || !attempt) return end(response, 404);
      const key = [run, step, attempt].map(decodeURIComponent).join('/');
      const one = this.open_.get(key);
      if (!one) {
        if (Date.now() - this.since < settling) return end(response, 503, undefined, { 'Retry-After': '1' });
        return end(response, 409);
      }
      const given = digestOf(request.headers.authorization ?? '');
      if (!timingSafeEqual(given, digestOf(`Bearer ${this.access(one)}`))) return end(response, 401);
      await this.serve(one, `${request.method} ${rest[0]}`, searchParams, request, response);
    } catch (error) {
      if (response.headersSent) response.destroy();
      else if (error instanceof Rejected) end(response, error.status);
      else end(response, error instanceof StorageProblem && error.trouble === 'missing' ? 404 : 500);
    }
  }

  private async serve(one: Open, what: string, query: URLSearchParams, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, method, hex, complete] = /^(GET|PUT|POST) blobs\/([0-9a-f]{64})(\/complete)?$/.exec(what) ?? [];
    const digest: Digest = `sha256:${hex}`;
    if (what === 'GET task') {
      this.options.listener.asked?.(one.key);
      return end(response, 200, one.envelope);
    }
    if (what === 'POST outputs') return end(response, 200, JSON.stringify({ missing: await this.offer(one, await body(request)) }));
    if (what === 'PUT result') return this.commit(one, request, response);
    if (method === 'GET') return this.send(one, digest, request, response);
    if (method === undefined) return end(response, 404);
    const size = one.offered.get(digest);
    if (size === undefined) return end(response, 403);
    const file = join(this.options.artifacts.folder, 'tmp', `${createHash('sha256').update(one.key).digest('hex').slice(0, 16)}-${hex}`);
    if (method === 'POST' && complete) {
      if (!this.options.artifacts.has(digest)) await this.options.artifacts.take(file, digest);
      return end(response, 200);
    }
    const start = query.get('start');
    if (start === null) await this.receive(request, digest, size);
    else await receivePart(request, file, Number(start), size);
    return end(response, 200);
  }

  /** What of this is missing here, and where it is to be put. */
  private async offer(one: Open, text: Buffer): Promise<object[]> {
    const { blobs } = JSON.parse(text.toString()) as { blobs: { digest: Digest; size: number }[] };
    if (!Array.isArray(blobs)) throw new Rejected(400);
    const missing: object[] = [];
    for (const { digest, size } of blobs) {
      const path = this.options.artifacts.path(digest);
      if (!Number.isSafeInteger(size) || size < 0) throw new Rejected(400);
      one.offered.set(digest, size);
      const found = await stat(path).catch(() => undefined);
      if (found?.size === size) continue;
      const url = `${this.address(one.key)}/blobs/${digest.slice('sha256:'.length)}`;
      if (size <= partSize) missing.push({ digest, size, put: url });
      else {
        const parts = Array.from({ length: Math.ceil(size / partSize) }, (_, index) => {
          const start = index * partSize;
          return { url: `${url}?start=${start}`, start, size: Math.min(partSize, size - start) };
        });
        missing.push({ digest, size, parts, complete: `${url}/complete` });
      }
    }
    return missing;
  }

  private async send(one: Open, digest: Digest, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!one.readable.has(digest)) return end(response, 403);
    const path = this.options.artifacts.path(digest);
    const { size } = await stat(path).catch(() => {
      throw new Rejected(404);
    });
    const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
    const start = from === undefined ? 0 : Number(from);
    if (start > size) return end(response, 416);
    response.writeHead(start > 0 ? 206 : 200, { 'Content-Type': 'application/octet-stream', 'Content-Length': size - start });
    await pipeline(createReadStream(path, { start }), response);
  }

  private async receive(request: IncomingMessage, digest: Digest, size: number): Promise<void> {
    if (Number(request.headers['content-length']) !== size) throw new Rejected(400);
    const kept = await this.options.artifacts.put(request as AsyncIterable<Uint8Array>, { durable: false });
    if (kept.digest !== digest) throw new Rejected(422);
  }

  private async commit(one: Open, request: IncomingMessage, response: ServerResponse): Promise<void> {
    await mkdir(one.folder, { recursive: true, mode: 0o700 });
    const name = join(one.folder, `result.${randomBytes(6).toString('hex')}.tmp`);
    try {
      await pipeline(request, createWriteStream(name, { mode: 0o600, flags: 'wx' }));
      // It may have been replaced while it was sending.
      if (this.open_.get(one.key)?.token !== one.token) return end(response, 409);
      const file = await open(name, 'r+');
      await file.sync().finally(() => file.close());
      await rename(name, join(one.folder, 'result.json'));
    } finally {
      await rm(name, { force: true });
    }
    end(response, 200);
    this.options.listener.committed?.(one.key);
  }
}

class Rejected extends Error {
  constructor(readonly status: number) {
    super(`rejected with ${status}`);
  }
}

const digestOf = (text: string) => createHash('sha256').update(text).digest();

function end(response: ServerResponse, status: number, content = '', headers: Record<string, string> = {}): void {
  // What is left of a body that nobody wants is not read.
  if (status >= 400) response.shouldKeepAlive = false;
  const type = {
    'Content-Type': 'application/json',
    'X-Content-Type-Options': 'nosniff',
    'Content-Length': `${Buffer.byteLength(content)}`,
  };
  response.writeHead(status, { ...type, ...headers }).end(content);
}

async function body(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of request) {
    size += (piece as Buffer).length;
    if (size > mostBody) throw new Rejected(413);
    pieces.push(piece as Buffer);
  }
  return Buffer.concat(pieces);
}

/** Writes where the part belongs: parts come in any order, and more than once. */
async function receivePart(request: IncomingMessage, path: string, start: number, size: number): Promise<void> {
  const length = Number(request.headers['content-length']);
  if (!Number.isSafeInteger(start) || start < 0 || !(length >= 0) || start + length > size) throw new Rejected(400);
  await writeFile(path, '', { flag: 'a', mode: 0o600 });
  const file = await open(path, 'r+');
  try {
    let at = start;
    for await (const piece of request) {
      await file.write(piece as Buffer, 0, (piece as Buffer).length, at);
      at += (piece as Buffer).length;
    }
    if (at !== start + length) throw new Rejected(400);
  } finally {
    await file.close();
  }
}

/** Made once, and kept: what was permitted before a restart still is. */
function secretOf(home: string): Buffer {
  const path = join(home, 'gateway.key');
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, randomBytes(32).toString('hex'), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return Buffer.from(readFileSync(path, 'utf8').trim(), 'hex');
}
