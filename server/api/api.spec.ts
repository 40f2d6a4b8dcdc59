/** The API through its door: what it takes, what it answers, and how it says no. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { z } from 'zod';
import type { Page, RunDetail, RunSummary } from '../../pipeline/model/protocol';
import { kinds } from './errors';
import { routes } from './routes';
import { ApiProblems } from './schemas/protocol';
import { type Answer, notebook, openServer, secret, small, type TestServer, v1 } from './server-for-tests';

// Each test has a server of its own; on a busy machine a few seconds pass.
jest.setTimeout(30_000);

let server: TestServer;
beforeEach(async () => {
  server = await openServer();
});
afterEach(() => server.close());

const start = (more: object = {}, headers = {}) =>
  server.ask<RunSummary>('POST', `${v1}/runs`, { path: 'a.ipynb', notebook: small, ...more }, headers);

/** What a route says it answers. */
function conforms(method: string, path: string, answer: Answer): void {
  const route = routes.find(
    one => one.method === method.toLowerCase() && new RegExp(`^${one.path.replace(/\{\w+\}/g, '[^/]+')}$`).test(path),
  );
  const listed = route?.answers[answer.status];
  if (!listed) {
    expect((ApiProblems as z.ZodType).parse(answer.body)).toMatchObject({ status: answer.status });
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(kinds[answer.body.type].status).toBe(answer.status);
  } else if (listed.schema) expect(() => listed.schema!.parse(answer.body)).not.toThrow();
  else if (listed.raw) expect(listed.raw).toContain(answer.headers.get('content-type')!.split(';')[0]);
  else expect(answer.text).toBe('');
}

describe('answers', () => {
  it('are as their routes say, for a run from its start to its end', async () => {
    const { body: run } = await start({ experiment: 'e', parameters: {} }, { 'x-stepwell-user': 'ann' });
    const digest = `sha256:${'a'.repeat(64)}` as const;
    await server.runs.move(
      run.id,
      { what: 'run', status: 'running' },
      { what: 'step', step: 'load', status: 'running', attempts: 1, given: { values: {} } },
      { what: 'attempt', step: 'load', attempt: 1, status: 'running', token: 'secret-token' },
    );
    const overhead = { queued: 0, create: 0, start: 0, inputs: 0, user: 1, outputs: 0, observed: 0 };
    const error = { kind: 'user' as const, message: 'No', cell: 0, line: 2, ename: 'E', evalue: 'no', traceback: ['\u001b[31mE'] };
    await server.runs.move(
      run.id,
      { what: 'attempt', step: 'load', attempt: 1, status: 'failed', error, overhead, peakMemory: 1e9, cpuSeconds: 0.5 },
      {
        what: 'artifacts',
        step: 'load',
        attempt: 1,
        artifacts: [{ name: 'x', digest, size: 3, type: 'int', preview: { text: '1', json: 1 } }],
      },
      { what: 'plan', reason: 'joined', steps: ['load', 'train'] },
      { what: 'step', step: 'load', status: 'failed', reason: 'No' },
      { what: 'run', status: 'failed', reason: 'No' },
    );
    const at = new Date(0).toISOString();
    server.runs.say(run.id, 'load', 1, { type: 'output', at, cell: 0, output: { output_type: 'stream', name: 'stdout', text: 'hello' } });
    server.runs.stand(run.id, {
      cell: 0,
      id: 'cell-0',
      step: 'load',
      attempt: 1,
      status: 'failed',
      error: { ename: 'E', evalue: '', traceback: [] },
    });
    const pipeline = `${v1}/pipelines/${run.pipeline}`;
    const of = `${v1}/runs/${run.id}`;
    const asked = [
      '/healthz /readyz /metrics',
      ...['service', 'targets', 'openapi.json', 'pipelines', 'runs'].map(path => `${v1}/${path}`),
      ...['', '/versions', '/versions/1', '/versions/1/notebook'].map(path => pipeline + path),
      ...'/events /cells /steps /steps/load /attempts /attempts/load/1 /attempts/load/1/lines /artifacts /metrics /notebook /executed'
        .split(' ')
        .map(path => of + path),
      of,
    ].flatMap(paths => paths.split(' '));
    for (const path of asked) {
      const answer = await server.ask('GET', path);
      expect([path, answer.status]).toEqual([path, 200]);
      conforms('GET', path, answer);
      expect(answer.text).not.toContain('secret-token');
    }
    expect((await server.ask<RunDetail>('GET', of)).body).toMatchObject({
      path: 'a.ipynb',
      experiment: 'e',
      status: 'failed',
      steps: { failed: 1, waiting: 1 },
    });
    const again = await server.ask('POST', `${of}/resume`);
    expect(again.status).toBe(202);
    conforms('POST', `${of}/resume`, again);
    const stopped = await server.ask('POST', `${of}/cancel`);
    expect(stopped.status).toBe(202);
    conforms('POST', `${of}/cancel`, stopped);
    expect((await server.ask('POST', `${of}/cancel`)).body).toMatchObject({ type: 'wrong-state', status: 409 });
  });

  it('to what is unknown are 404', async () => {
    const none = '0'.repeat(16);
    const { body: run } = await start();
    for (const [method, path] of [
      ['GET', `${v1}/runs/${none}`],
      ['GET', `${v1}/runs/no-such`],
      ['POST', `${v1}/runs/${none}/cancel`],
      ['POST', `${v1}/runs/${none}/resume`],
      ...'events cells steps steps/x attempts attempts/x/1 attempts/x/1/lines artifacts metrics notebook executed'
        .split(' ')
        .map(path => ['GET', `${v1}/runs/${none}/${path}`]),
      ['GET', `${v1}/runs/${run.id}/steps/nobody`],
      ['GET', `${v1}/runs/${run.id}/attempts/load/1`],
      ['GET', `${v1}/runs/${run.id}/attempts/load/0/lines`],
      ['GET', `${v1}/runs/${run.id}/artifacts/sha256:${'a'.repeat(64)}`],
      ['GET', `${v1}/runs/${run.id}/artifacts/..%2f..%2fstepwell.db`],
      ['GET', `${v1}/pipelines/${none}`],
      ['GET', `${v1}/pipelines/${none}/versions`],
      ['GET', `${v1}/pipelines/${run.pipeline}/versions/2`],
      ['GET', `${v1}/pipelines/${run.pipeline}/versions/2/notebook`],
      ['GET', '/'],
      ['GET', '/api/v1/'],
      ['POST', '/api/v2/runs'],
      ['GET', '/API/v1/runs'],
      ['GET', `${v1}/runs/`],
    ] as [string, string][]) {
      const answer = await server.ask(method, path);
      expect([method, path, answer.status]).toEqual([method, path, 404]);
      conforms(method, path, answer);
    }
  });

  it('to a method that a place does not have name those that it has', async () => {
    for (const [method, path, allowed] of [
      ['DELETE', `${v1}/runs`, 'POST, GET, HEAD'],
      ['PUT', `${v1}/runs/x/cancel`, 'POST'],
      ['POST', `${v1}/service`, 'GET, HEAD'],
      ['OPTIONS', `${v1}/compile`, 'POST'],
      ['PATCH', '/healthz', 'GET, HEAD'],
    ] as const) {
      const answer = await server.ask(method, path);
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, allowed]);
      conforms(method, path, answer);
    }
  });

  it('carry headers that keep browsers from making anything of them', async () => {
    const { headers } = await server.ask('GET', `${v1}/service`);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toBe("default-src 'none';frame-ancestors 'none';sandbox");
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('bad input', () => {
  const runs = `${v1}/runs`;
  const body = { path: 'a.ipynb', notebook: small };
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  it.each<[string, string | object, number, string, string[]]>([
    ['no JSON', '{', 400, 'bad-request', []],
    ['nothing', '', 400, 'bad-request', []],
    ['nesting without end', `{"path":"a.ipynb","notebook":${deep}}`, 400, 'bad-request', []],
    ['a list', [], 422, 'invalid-body', ['']],
    ['null', 'null', 422, 'invalid-body', ['']],
    ['no path', { notebook: small }, 422, 'invalid-body', ['/path']],
    ['a path that is no text', { ...body, path: 7 }, 422, 'invalid-body', ['/path']],
    ['an empty path', { ...body, path: '' }, 422, 'invalid-body', ['/path']],
    ['a NUL in the path', { ...body, path: 'a\0.ipynb' }, 422, 'invalid-body', ['/path']],
    ['a way out', { ...body, path: '../a.ipynb' }, 422, 'invalid-body', ['/path']],
    ['a long way out', { ...body, path: 'x/../../../etc/passwd' }, 422, 'invalid-body', ['/path']],
    ['an absolute way out', { ...body, path: '/etc/passwd' }, 422, 'invalid-body', ['/path']],
    ['the root itself', { ...body, path: '.' }, 422, 'invalid-body', ['/path']],
    ['a folder that is not there', { ...body, path: 'none/a.ipynb' }, 422, 'invalid-body', ['/path']],
    ['no notebook', { path: 'a.ipynb' }, 422, 'invalid-body', ['/notebook']],
    ['a notebook without cells', { ...body, notebook: { ...small, cells: undefined } }, 422, 'invalid-body', ['/notebook/cells']],
    [
      'a cell that is none',
      { ...body, notebook: { ...small, cells: [{ cell_type: 'code', source: 3, metadata: {} }] } },
      422,
      'invalid-body',
      ['/notebook/cells/0/source'],
    ],
    ['a field that nobody knows', { ...body, 'a/b~c': 1 }, 422, 'invalid-body', ['/a~1b~0c']],
    ['workers of none', { ...body, workers: 0 }, 422, 'invalid-body', ['/workers']],
    ['half a worker', { ...body, workers: 1.5 }, 422, 'invalid-body', ['/workers']],
    ['a target that is not there', { ...body, target: 'mars' }, 422, 'invalid-body', ['/target']],
    ['a step to start from that is not there', { ...body, from: 'nobody' }, 422, 'invalid-body', ['/from']],
    ['an experiment with a line end', { ...body, experiment: 'a\nb' }, 422, 'invalid-body', ['/experiment']],
    [
      'a number that JSON cannot carry',
      '{"path":"a.ipynb","notebook":NB,"parameters":{"n":12345678901234567890}}',
      422,
      'invalid-body',
      ['/parameters/n'],
    ],
  ])('%s is refused with its place', async (_name, given, status, type, paths) => {
    const sent = typeof given === 'string' ? given.replace('NB', JSON.stringify(small)) : given;
    const answer = await server.ask('POST', runs, sent, { 'content-type': 'application/json' });
    expect([answer.status, answer.body.type]).toEqual([status, type]);
    expect(answer.body.errors?.map(({ path }) => path) ?? []).toEqual(paths);
    conforms('POST', runs, answer);
    expect(await server.store.listRuns({})).toEqual([]);
  });

  it('is told by the problems of the notebook where it is one', async () => {
    const wrong = notebook(['parameters', 'n: int = 1'], ['load', 'x = n']);
    const answer = await start({ notebook: wrong, parameters: { n: 'many', m: 1 } });
    expect(answer.body).toMatchObject({ type: 'notebook-has-problems', status: 422 });
    expect(answer.body.problems?.map(({ code }) => code)).toEqual(expect.arrayContaining(['bad-parameter-value', 'unknown-parameter']));
    const broken = await start({ notebook: notebook(['load', 'x = = 1']) });
    expect(broken.body.problems?.map(({ code }) => code)).toContain('syntax-error');
  });

  it('of another media type is refused', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', undefined]) {
      // Those that a form of another site can send.
      const answer = await server.ask('POST', runs, JSON.stringify(body), { 'content-type': type });
      expect([type, answer.status]).toEqual([type, 415]);
      conforms('POST', runs, answer);
    }
    expect(
      (await server.ask('POST', runs, JSON.stringify(body), { 'content-type': 'application/json', 'content-encoding': 'gzip' })).status,
    ).toBe(415);
    expect((await server.ask('POST', runs, JSON.stringify(body), { 'content-type': 'application/json; charset=utf-8' })).status).toBe(201);
  });

  it('larger than the limit is refused, told beforehand or not', async () => {
    const tight = await openServer({ largest: 1000 });
    try {
      const answer = await tight.ask('POST', `${v1}/compile`, { notebook: small, name: 'x'.repeat(2000) });
      expect(answer.status).toBe(413);
      conforms('POST', `${v1}/compile`, answer);
      const status = await new Promise<number | undefined>((resolve, reject) => {
        const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
        const sent = request(`${tight.address}${v1}/compile`, { method: 'POST', headers }, response =>
          resolve(response.resume().statusCode),
        );
        sent.on('error', reject);
        // In parts and without a length; never ended.
        sent.write('{"name": "');
        sent.write('x'.repeat(5000));
      });
      expect(status).toBe(413);
    } finally {
      await tight.close();
    }
  });

  it.each([
    ['/runs?limit=0', '/limit'],
    ['/runs?limit=201', '/limit'],
    ['/runs?limit=1e2', '/limit'],
    ['/runs?limit=-1', '/limit'],
    ['/runs?limit=', '/limit'],
    ['/runs?limit=1&limit=2', '/limit'],
    ['/runs?status=done', '/status'],
    ['/runs?cursor=%27%20OR%201', '/cursor'],
    ['/runs?statsu=failed', '/statsu'],
    ['/runs?experiment=%00', '/experiment'],
    ['/pipelines?cursor=..', '/cursor'],
  ])('in the query is refused with its name: %s', async (path, pointer) => {
    const answer = await server.ask('GET', v1 + path);
    expect([answer.status, answer.body.errors?.map(({ path }) => path)]).toEqual([400, [pointer]]);
    conforms('GET', `${v1}/runs`, answer);
  });

  it('in an address is a problem too', async () => {
    const answer = await server.ask('GET', `${v1}/runs/%E0%A4%A`);
    expect(answer.status).toBe(400);
    conforms('GET', `${v1}/runs/x`, answer);
  });

  it('does not lead out of the root through a link', async () => {
    symlinkSync(tmpdir(), join(server.root, 'away'));
    mkdirSync(join(server.root, 'inside'));
    symlinkSync(join(server.root, 'inside'), join(server.root, 'near'));
    writeFileSync(join(server.root, 'file'), '');
    expect((await start({ path: 'away/a.ipynb' })).body.detail).toMatch(/through a link, outside/);
    expect((await start({ path: 'file/a.ipynb' })).status).toBe(422);
    expect((await start({ path: 'near/a.ipynb' })).status).toBe(201);
    expect((await start({ path: join(server.root, 'inside', 'b.ipynb') })).body.path).toBe('inside/b.ipynb');
    expect((await server.ask('POST', `${v1}/warm`, { path: 'away/a.ipynb', notebook: small })).status).toBe(422);
    expect((await server.ask('POST', `${v1}/warm`, { path: 'inside/a.ipynb', notebook: small })).status).toBe(204);
    expect(server.runs.warmed).toEqual([join(server.root, 'inside', 'a.ipynb')]);
    expect((await server.ask<Page<RunSummary>>('GET', `${v1}/runs?path=../x`)).body).toEqual({ items: [] });
  });
});

describe('starting', () => {
  it('twenty times at once with one key starts one run', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => start({}, { 'idempotency-key': 'same' })));
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(19).fill(200), 201]);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.every(({ headers, body }) => headers.get('location') === `${v1}/runs/${body.id}`)).toBe(true);
    expect(await server.store.listRuns({})).toHaveLength(1);
  });

  it('with a key that was used for something else is a conflict', async () => {
    expect((await start({}, { 'idempotency-key': 'k' })).status).toBe(201);
    expect((await start({ experiment: 'other' }, { 'idempotency-key': 'k' })).body).toMatchObject({ type: 'conflict', status: 409 });
    expect((await start({}, { 'idempotency-key': 'not a key' })).status).toBe(400);
  });

  it('without a key starts another run each time', async () => {
    await start();
    await start();
    expect(await server.store.listRuns({})).toHaveLength(2);
  });

  it('runs the notebook that was sent, to the letter', async () => {
    const own = { ...small, zz: 1, metadata: { b: 1, a: { ...JSON.parse('{"__proto__": 1}') } } };
    const { body } = await start({ notebook: own });
    expect((await server.ask('GET', `${v1}/runs/${body.id}/notebook`)).text).toBe(JSON.stringify(own));
  });

  it('leaves out what the cells that run printed before, and makes no other version of it', async () => {
    const printed = [{ output_type: 'stream', name: 'stdout', text: 'earlier' }];
    const text = { cell_type: 'raw', id: 'r', metadata: {}, source: '', outputs: printed };
    const sent = { ...small, cells: [...small.cells.map(cell => ({ ...cell, outputs: printed, execution_count: 7 })), text] };
    const { body } = await start({ notebook: sent });
    const kept = await server.ask('GET', `${v1}/runs/${body.id}/notebook`);
    expect(kept.body).toEqual({ ...small, cells: [...small.cells, text] });
    expect((await start({ notebook: { ...small, cells: [...small.cells, text] } })).body.version).toBe(body.version);
  });

  it('keeps parameters by any name', async () => {
    const answer = await start({ notebook: notebook(['load', 'x = 1']), parameters: JSON.parse('{"__proto__": {"polluted": true}}') });
    expect(answer.body.problems?.map(({ code }) => code)).toEqual(['unknown-parameter']);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('pages', () => {
  it('show each run once and miss none that was there, while others are added', async () => {
    const add = async (experiment: string) => (await start({ experiment })).body.id;
    const there: string[] = [];
    for (let i = 0; i < 23; i++) there.push(await add(i % 3 ? 'a' : 'b'));
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const query = new URLSearchParams({ limit: '4', ...(cursor ? { cursor } : {}) });
      const { body } = await server.ask<Page<RunSummary>>('GET', `${v1}/runs?${query}`);
      seen.push(...body.items.map(({ id }) => id));
      cursor = body.next;
      await add('late');
    } while (cursor);
    expect(seen).toEqual([...there].reverse());
    const some = await server.ask<Page<RunSummary>>('GET', `${v1}/runs?experiment=b&limit=200`);
    expect(some.body.items).toHaveLength(8);
    expect(some.body.next).toBeUndefined();
    expect((await server.ask<Page<RunSummary>>('GET', `${v1}/runs?path=a.ipynb&status=queued&limit=1`)).body.items).toHaveLength(1);
  });

  it('of versions and events go on where they stopped', async () => {
    const { body: run } = await start();
    await start({ notebook: notebook(['load', 'x = 2']) });
    const versions = `${v1}/pipelines/${run.pipeline}/versions`;
    const first = await server.ask<Page<{ number: number }>>('GET', `${versions}?limit=1`);
    expect(first.body).toMatchObject({ items: [{ number: 2 }], next: '2' });
    expect((await server.ask<Page<{ number: number }>>('GET', `${versions}?limit=1&cursor=2`)).body).toMatchObject({
      items: [{ number: 1 }],
    });
    for (let i = 0; i < 4; i++) await server.runs.move(run.id, { what: 'plan', reason: String(i) });
    const events = await server.ask<Page<{ sequence: number }>>('GET', `${v1}/runs/${run.id}/events?after=1&limit=2`);
    expect(events.body).toMatchObject({ items: [{ sequence: 2 }, { sequence: 3 }], next: '3' });
    const rest = await server.ask<Page<{ sequence: number }>>('GET', `${v1}/runs/${run.id}/events?after=3`);
    expect(rest.body.items.map(({ sequence }) => sequence)).toEqual([4, 5]);
    expect(rest.body.next).toBeUndefined();
  });
});

describe('artifacts', () => {
  it('come as attachments, and only those that the run wrote', async () => {
    const { body: run } = await start();
    const hostile = '<script>alert(1)</script>';
    const { digest, size } = await server.artifacts.put(hostile);
    const secretResult = await server.artifacts.put('{"token": "hidden"}');
    await server.runs.move(run.id, {
      what: 'artifacts',
      step: 'load',
      attempt: 1,
      artifacts: [{ name: 'file:out/"ü\r\n.html', digest, size }],
    });
    const answer = await server.ask('GET', `${v1}/runs/${run.id}/artifacts/${digest}`);
    expect([answer.status, answer.text]).toEqual([200, hostile]);
    expect(answer.headers.get('content-type')).toBe('application/octet-stream');
    expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="____.html"; filename*=UTF-8''%22%C3%BC%0D%0A.html`);
    expect(answer.headers.get('content-security-policy')).toContain('sandbox');
    expect((await server.ask('GET', `${v1}/runs/${run.id}/artifacts/${secretResult.digest}`)).status).toBe(404);
    const head = await server.ask('HEAD', `${v1}/runs/${run.id}/artifacts/${digest}`);
    expect([head.status, head.headers.get('content-length'), head.text]).toEqual([200, String(size), '']);
  });
});

describe('the log', () => {
  it('holds no secret, query, header or body, whatever carried it', async () => {
    const word = 'Zaubertrank';
    await server.ask('GET', `${v1}/runs?token=${word}`, undefined, { cookie: word, 'x-other': word });
    await server.ask('GET', `/${word}?a=${word}`, undefined, { authorization: `Bearer ${word}` });
    await server.ask('POST', `${v1}/runs`, `{"path": "${word}", `);
    await start({ path: `${word}.ipynb`, experiment: word }, { 'idempotency-key': word });
    await server.ask('GET', `${v1}/runs/${word}`);
    await server.ask('GET', `${v1}/service`, undefined, {
      authorization: undefined,
      'x-stepwell-secret': secret,
      'x-stepwell-user': 'ann%20%C3%BC',
    });
    expect(server.logged()).not.toContain(word);
    expect(server.logged()).not.toContain(secret);
    const lines = server
      .logged()
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(lines).toHaveLength(6);
    expect(lines[4]).toMatchObject({ method: 'GET', route: '/api/v1/runs/{run}', status: 404 });
    expect(lines[5]).toMatchObject({
      route: '/api/v1/service',
      status: 200,
      user: 'ann ü',
      ms: expect.any(Number),
      request: expect.any(String),
    });
  });

  it('has what went wrong inside, and the answer has not', async () => {
    server.runs.cells = () => Promise.reject(new Error('select * from secrets - no such table: x'));
    const { body: run } = await start();
    const answer = await server.ask('GET', `${v1}/runs/${run.id}/cells`);
    expect(answer.status).toBe(500);
    conforms('GET', `${v1}/runs/${run.id}/cells`, answer);
    expect(answer.text).not.toContain('no such table');
    expect(answer.body.detail).toContain(answer.headers.get('x-request-id'));
    expect(server.logged()).toContain('no such table: x');
    expect(server.logged()).not.toContain('select');
  });
});

it('answers "stopping" to starts, and ends', async () => {
  const own = await openServer();
  const first = await own.ask('GET', '/readyz');
  expect(first.status).toBe(200);
  const held = own.runs.start.bind(own.runs);
  let go = () => {};
  const waiting = new Promise<void>(resolve => (go = resolve));
  let entered = () => {};
  const inside = new Promise<void>(resolve => (entered = resolve));
  own.runs.start = async request => {
    entered();
    await waiting;
    return held(request);
  };
  const asked = own.ask('POST', `${v1}/runs`, { path: 'a.ipynb', notebook: small });
  await inside;
  const closed = own.close();
  go();
  // What was under way is answered; nothing new gets in.
  expect((await asked).status).toBe(201);
  await closed;
  await expect(own.ask('GET', '/healthz')).rejects.toThrow();
});
