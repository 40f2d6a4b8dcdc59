/** For `npm run api-check`: a server with something in it, until its input ends. Says where it is, and what there is to ask for, as one line of JSON. */
require('../typescript-for-tests');
const { openServer, secret, small, v1 } = require('./server-for-tests.ts');

(async () => {
  const server = await openServer();
  const { body: run } = await server.ask('POST', `${v1}/runs`, { path: 'a.ipynb', notebook: small, experiment: 'e' });
  const overhead = { queued: 0, create: 0, start: 0, inputs: 0, user: 1, outputs: 0, observed: 0 };
  const error = { kind: 'user', message: 'No', cell: 0, line: 0, ename: 'E', evalue: 'no', traceback: ['E: no'] };
  const made = await server.artifacts.put('hello');
  const at = new Date(0).toISOString();
  await server.runs.move(
    run.id,
    { what: 'run', status: 'running' },
    { what: 'step', step: 'load', status: 'running', attempts: 1, given: {} },
    { what: 'attempt', step: 'load', attempt: 1, status: 'running', token: 't' },
    {
      what: 'artifacts',
      step: 'load',
      attempt: 1,
      artifacts: [{ name: 'x', ...made, type: 'str', preview: { text: 'hello', json: 'hello' } }],
    },
    { what: 'attempt', step: 'load', attempt: 1, status: 'failed', error, overhead, peakMemory: 1, cpuSeconds: 1 },
    { what: 'plan', reason: 'joined', steps: ['load', 'train'] },
  );
  server.runs.say(run.id, 'load', 1, { type: 'cell-started', at, cell: 0, executionCount: 1 });
  server.runs.say(run.id, 'load', 1, { type: 'output', at, cell: 0, output: { output_type: 'stream', name: 'stdout', text: 'hello' } });
  server.runs.stand(run.id, {
    cell: 0,
    id: 'cell-0',
    step: 'load',
    attempt: 1,
    status: 'failed',
    error: { ename: 'E', evalue: 'no', line: 0, traceback: [] },
  });
  const path = { run: run.id, pipeline: run.pipeline, step: 'load', attempt: 1, number: 1, digest: made.digest };
  process.stdout.write(`${JSON.stringify({ address: server.address, secret, path })}\n`);
  process.stdin.resume();
  process.stdin.on('end', async () => {
    await server.close();
    // What nobody expected is in the log; whoever started us looks there.
    process.stderr.write(
      server
        .logged()
        .split('\n')
        .filter(line => line.includes('"unexpected"'))
        .join('\n'),
    );
    process.exit(0);
  });
})();
