/** Runs: started, listed, looked at, stopped and taken up again. */
import { z } from 'zod';
import type { Run } from '../../../pipeline/model/run';
import { cutEvent } from '../cut';
import { ApiError, notFound } from '../errors';
import { answer, route } from '../route';
import { after, limit, ofRun, runsQuery, startHeaders } from '../schemas/asked';
import { RunEvents } from '../schemas/model';
import { CellRuns, page, RunDetails, RunSummaries, StartRunRequests } from '../schemas/protocol';
import type { Service } from '../service';
import { readStart } from '../start';
import { detail, summaries } from '../views';

const group = 'runs';
const stopping = () => new ApiError('stopping', 'The service is stopping and starts nothing any more; try again when it is back.');

export const runs = [
  route({
    method: 'post',
    path: '/api/v1/runs',
    title: 'Start a run',
    description: 'Runs the notebook as it is sent, saved or not. Answered as soon as the run is noted; it goes on by itself.',
    group,
    headers: startHeaders,
    body: StartRunRequests,
    answers: {
      201: answer('It has begun.', RunSummaries, { Location: 'Where the run is.' }),
      200: answer('The same request with this key has started this run before.', RunSummaries, { Location: 'Where the run is.' }),
    },
    problems: ['notebook-has-problems', 'conflict', 'wrong-state'],
    async handle({ body, headers, caller, service }) {
      if (service.stopping) throw stopping();
      const request = await readStart(body, service);
      const { run, repeated } = await service.runs.start({ ...request, by: caller.user, idempotencyKey: headers['idempotency-key'] });
      return { status: repeated ? 200 : 201, headers: { Location: `/api/v1/runs/${run.id}` }, body: await summaryOf(run, service) };
    },
  }),
  route({
    method: 'get',
    path: '/api/v1/runs',
    title: 'Runs, newest first',
    group,
    query: runsQuery,
    answers: { 200: answer('A page.', page('RunPage', RunSummaries)) },
    async handle({ query: { path, limit = 50, cursor, ...equal }, service }) {
      const notebookPath = path === undefined ? undefined : service.paths.filter(path);
      if (path !== undefined && notebookPath === undefined) return { status: 200, body: { items: [] } };
      const found = await service.store.listRuns({ ...equal, notebookPath, limit: limit + 1, before: cursor });
      const items = await summaries(found.slice(0, limit), service);
      return { status: 200, body: { items, next: found.length > limit ? items.at(-1)!.id : undefined } };
    },
  }),
  route({
    method: 'get',
    path: '/api/v1/runs/{run}',
    title: 'One run, with its pipeline, steps and cells',
    group,
    params: ofRun,
    answers: { 200: answer('The run.', RunDetails) },
    async handle({ params, service }) {
      const loaded = await service.store.loadRun(params.run);
      const cells = loaded && (await service.runs.cells(params.run));
      if (!loaded || !cells) throw unknownRun(params.run);
      return { status: 200, body: detail(loaded, cells, service) };
    },
  }),
  route({
    method: 'post',
    path: '/api/v1/runs/{run}/cancel',
    title: 'Stop a run',
    description: 'Its steps are really stopped; the run ends as cancelled a moment later.',
    group,
    params: ofRun,
    answers: { 202: answer('It is being stopped.', RunSummaries) },
    problems: ['wrong-state'],
    async handle({ params, service }) {
      await service.runs.cancel(params.run);
      return { status: 202, body: await summaryOf(await findRun(params.run, service), service) };
    },
  }),
  route({
    method: 'post',
    path: '/api/v1/runs/{run}/resume',
    title: 'Go on with a run that failed or was stopped',
    description: 'What has finished is not done again.',
    group,
    params: ofRun,
    answers: { 202: answer('It goes on.', RunSummaries) },
    problems: ['wrong-state'],
    async handle({ params, caller, service }) {
      if (service.stopping) throw stopping();
      return { status: 202, body: await summaryOf(await service.runs.resume(params.run, caller.user), service) };
    },
  }),
  route({
    method: 'get',
    path: '/api/v1/runs/{run}/events',
    title: 'The log of a run',
    group,
    params: ofRun,
    query: z.strictObject({ after, limit: limit(1000) }),
    answers: { 200: answer('Events in order; `next` is the number to ask on from.', page('RunEventPage', RunEvents)) },
    async handle({ params, query: { after = 0, limit = 500 }, service }) {
      await findRun(params.run, service);
      const found = await service.store.events(params.run, after, limit + 1);
      const items = found.slice(0, limit).map(cutEvent);
      return { status: 200, body: { items, next: found.length > limit ? String(items.at(-1)!.sequence) : undefined } };
    },
  }),
  route({
    method: 'get',
    path: '/api/v1/runs/{run}/cells',
    title: 'Where each cell of a run stands',
    group,
    params: ofRun,
    answers: { 200: answer('All cells, in notebook order.', page('CellRunPage', CellRuns)) },
    async handle({ params, service }) {
      const items = await service.runs.cells(params.run);
      if (!items) throw unknownRun(params.run);
      return { status: 200, body: { items } };
    },
  }),
];

export const unknownRun = (id: string): ApiError => notFound(`There is no run "${id}".`);

async function findRun(id: string, { store }: Service): Promise<Run> {
  const run = await store.findRun(id);
  if (!run) throw unknownRun(id);
  return run;
}

const summaryOf = async (run: Run, service: Service) => (await summaries([run], service))[0]!;
