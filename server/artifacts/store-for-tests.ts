/** A real S3-compatible store over a folder: versitygw, where it is installed. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from '@jest/globals';

export const hasStore = spawnSync('versitygw', ['--version']).status === 0;

/** `describe`, where there is a store; else one skipped test says what is missing. */
export const describeWithStore: (name: string, tests: () => void) => void = hasStore
  ? describe
  : name => describe(name, () => test.skip('needs an S3-compatible store: install versitygw, and have it on the path', () => {}));

export class TestStore {
  private process: ChildProcess | undefined;

  private constructor(
    /** As `STEPWELL_ARTIFACTS` takes it. */
    readonly address: string,
    private readonly folder: string,
    private readonly host: string,
    private readonly port: number,
  ) {}

  /** Its keys are put into our environment, where the SDK looks for them. */
  static async start(folder: string, host = '127.0.0.1'): Promise<TestStore> {
    const port = await freePort(host);
    mkdirSync(join(folder, 'artifacts'), { recursive: true });
    process.env.AWS_ACCESS_KEY_ID = 'test';
    process.env.AWS_SECRET_ACCESS_KEY = 'testtesttest';
    const store = new TestStore(`s3://artifacts/runs?endpoint=http://${host}:${port}`, folder, host, port);
    await store.restart();
    return store;
  }

  async restart(): Promise<void> {
    this.process = spawn('versitygw', ['--port', `${this.host}:${this.port}`, 'posix', this.folder], {
      env: { ...process.env, ROOT_ACCESS_KEY: 'test', ROOT_SECRET_KEY: 'testtesttest' },
      stdio: 'ignore',
    });
    while (!(await answers(this.host, this.port)));
  }

  async stop(): Promise<void> {
    const gone = new Promise(resolve => this.process?.once('exit', resolve));
    this.process?.kill('SIGKILL');
    await gone;
  }
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host, port }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => setTimeout(resolve, 50, false));
  });
}

function freePort(host: string): Promise<number> {
  const server = createServer();
  return new Promise(resolve => {
    server.listen(0, host, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
