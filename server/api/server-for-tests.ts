/** A real server for specs: SQLite in memory, folders of its own, runs that move when the spec says so, and a client that knows the secret. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { ApiProblem } from '../../pipeline/model/protocol';
import { openArtifacts } from '../artifacts';
import { openStore } from '../store';
import { type ServerOptions, startServer } from './index';
import { RunsForTests } from './runs-for-tests';

export const secret = 'the-secret-of-the-specs-0123456789';
export const thread = join(__dirname, 'thread-for-tests.js');

export interface Answer<T = unknown> {
  status: number;
  headers: Headers;
  body: T & Omit<ApiProblem, 'status'>;
  text: string;
}

export type TestServer = Awaited<ReturnType<typeof openServer>>;

export async function openServer(more: Partial<ServerOptions> = {}) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'stepwell-api-')));
  const root = join(folder, 'notebooks');
  mkdirSync(root);
  const store = await openStore({ url: 'sqlite::memory:' });
  const artifacts = openArtifacts(join(folder, 'artifacts'));
  const runs = new RunsForTests(store);
  let logged = '';
  const log = new Writable({
    write(part, _encoding, done) {
      logged += part;
      done();
    },
  });
  const config = { home: folder, database: 'sqlite::memory:', artifacts: artifacts.folder, debug: false };
  const options = { runs, store, artifacts, config, version: '1.2.3', listen: { host: '127.0.0.1', port: 0 }, secret, root, log, thread };
  const server = await startServer({ ...options, ...more });
  return {
    folder,
    root,
    store,
    artifacts,
    runs,
    address: server.address,
    logged: () => logged,
    /** `body` is sent as JSON unless it is text; `headers` of `undefined` take one away. */
    async ask<T = unknown>(
      method: string,
      path: string,
      body?: unknown,
      headers: Record<string, string | undefined> = {},
    ): Promise<Answer<T>> {
      const all = {
        authorization: `Bearer ${secret}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      };
      const given = Object.fromEntries(Object.entries(all).filter((one): one is [string, string] => one[1] !== undefined));
      const content = body === undefined || typeof body === 'string' ? (body as string | undefined) : JSON.stringify(body);
      const answer = await fetch(`${server.address}${path}`, { method, headers: given, body: content });
      const text = await answer.text();
      const json = /json/.test(answer.headers.get('content-type') ?? '') ? JSON.parse(text) : {};
      return { status: answer.status, headers: answer.headers, body: json, text };
    },
    async close() {
      await server.close();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const v1 = '/api/v1';

/** A notebook of one step a cell. */
export const notebook = (...cells: [step: string, source: string][]) => ({
  nbformat: 4,
  nbformat_minor: 5,
  metadata: { kernelspec: { name: 'python3', language: 'python', display_name: 'Python 3' } },
  cells: cells.map(([step, source], index) => ({
    cell_type: 'code',
    id: `cell-${index}`,
    metadata: { tags: [step.includes(':') || step === 'parameters' ? step : `step:${step}`] },
    outputs: [],
    execution_count: null,
    source,
  })),
});

export const small = notebook(['load', 'x = 1'], ['train', 'y = x + 1']);
