/** What a run leaves behind: artifacts, metrics, and the notebook with its outputs. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { filePath, isFile } from '../../../pipeline/model/name';
import type { ArtifactView } from '../../../pipeline/model/protocol';
import { StorageProblem } from '../../artifacts';
import type { LoadedRun } from '../../store';
import { notFound } from '../errors';
import { answer, raw, route } from '../route';
import { ofRun } from '../schemas/asked';
import { Digests } from '../schemas/model';
import { ArtifactViews, MetricViews, page, RunId } from '../schemas/protocol';
import type { Service } from '../service';
import type { UnitResult } from '../thread';
import { version } from './pipelines';
import { unknownRun } from './runs';

const group = 'outcome';
const notebookType = 'application/x-ipynb+json';

export const outcome = [
  route({
    method: 'get',
    path: '/api/v1/runs/{run}/artifacts',
    title: 'What the steps of a run wrote',
    group,
    params: ofRun,
    answers: { 200: answer('All of it, with previews.', page('ArtifactPage', ArtifactViews)) },
    handle: async ({ params, service }) => ({ status: 200, body: { items: await artifacts(await load(params.run, service), service) } }),
  }),
  route({
    method: 'get',
    path: '/api/v1/runs/{run}/artifacts/{digest}',
    title: 'The bytes of an artifact',
    group,
    params: z.strictObject({ run: RunId, digest: Digests }),
    answers: { 200: raw('As an attachment.', ['application/octet-stream'], { 'Content-Disposition': 'The name to save it by.' }) },
    async handle({ params: { run, digest }, service }) {
      // Only what the run wrote: results of steps lie in the same folder, and are nobody's business.
      const found = (await artifacts(await load(run, service), service)).find(one => one.digest === digest);
      if (!found) throw notFound(`Run ${run} wrote no artifact ${digest}.`);
      const path = service.artifacts.path(digest);
      await service.artifacts.bring([digest]);
      const file = await stat(path).catch(() => undefined);
      if (!file) throw new StorageProblem('missing', `The artifact ${digest} is not kept any more; run the step "${found.step}" again.`);
      return {
        status: 200,
        headers: { 'Content-Disposition': attachment(found.name) },
        body: { type: 'application/octet-stream', content: createReadStream(path), size: file.size },
      };
    },
  }),
  route({
    method: 'get',
    path: '/api/v1/runs/{run}/metrics',
    title: 'Figures that the steps of a run told',
    group,
    params: ofRun,
    answers: { 200: answer('Of the steps that have finished.', page('MetricPage', MetricViews)) },
    async handle({ params, service }) {
      const { metrics } = await service.background.ask('results', { units: units(await load(params.run, service)) });
      return { status: 200, body: { items: metrics } };
    },
  }),
  route({
    method: 'get',
    path: '/api/v1/runs/{run}/notebook',
    title: 'The notebook as it was when the run started',
    group,
    params: ofRun,
    answers: { 200: raw('The file.', [notebookType]) },
    async handle({ params, service }) {
      const { run } = await load(params.run, service);
      return { status: 200, body: { type: notebookType, content: await notebookOf(run, service) } };
    },
  }),
  route({
    method: 'get',
    path: '/api/v1/runs/{run}/executed',
    title: 'The notebook with the outputs of the run',
    description: 'Cells of steps that have not finished have no outputs yet.',
    group,
    params: ofRun,
    answers: { 200: raw('The file.', [notebookType]) },
    async handle({ params, service }) {
      const loaded = await load(params.run, service);
      const { run, document } = loaded;
      const notebook = await notebookOf(run, service);
      const { parameters } = run.options;
      const content = await service.background.ask('executed', { notebook, document, parameters, units: countingUnits(loaded) });
      return { status: 200, body: { type: notebookType, content } };
    },
  }),
];

async function load(id: string, { store }: Service): Promise<LoadedRun> {
  const loaded = await store.loadRun(id);
  if (!loaded) throw unknownRun(id);
  return loaded;
}

async function notebookOf(run: LoadedRun['run'], service: Service): Promise<string> {
  const { notebook } = await version(run.pipeline, run.version, service);
  if (notebook === undefined) throw notFound(`The notebook of run ${run.id} was not kept.`);
  return notebook;
}

/** What this run wrote, and what it took over from earlier ones. */
async function artifacts(loaded: LoadedRun, { store, background }: Service): Promise<ArtifactView[]> {
  const reused = units(loaded, ['reused']);
  const [made, taken] = await Promise.all([
    store.artifacts(loaded.run.id),
    reused.length > 0 ? background.ask('results', { units: reused }) : { artifacts: [] },
  ]);
  return [...(made as ArtifactView[]), ...taken.artifacts];
}

type Ended = 'succeeded' | 'reused' | 'failed';

/** Units whose result is kept, in notebook order, each once. */
function units({ steps }: LoadedRun, of: Ended[] = ['succeeded', 'reused', 'failed']): UnitResult[] {
  const found = new Map<string, UnitResult>();
  for (const { step, unit = step, status, attempts, result } of steps)
    if (result && (of as string[]).includes(status)) found.set(unit, { unit, attempt: attempts, result });
  return [...found.values()];
}

/** Below a failure that stops the run nothing was run in the notebook's order, even if some of it had finished ahead of time. */
function countingUnits(loaded: LoadedRun): UnitResult[] {
  const all = units(loaded);
  if (loaded.run.options.keepGoing) return all;
  const failed = loaded.steps.find(({ status }) => status === 'failed');
  const last = failed ? all.findIndex(({ unit }) => unit === (failed.unit ?? failed.step)) : -1;
  return last < 0 ? all : all.slice(0, last + 1);
}

/** A header holds plain letters only; the full name goes beside it, as RFC 6266 says. */
function attachment(name: string): string {
  const file = isFile(name) ? basename(filePath(name)) : `${name.replace(/^@/, '')}.bin`;
  const plain = file.replace(/[^A-Za-z0-9._-]/g, '_');
  return `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(file.toWellFormed()).replace(/['()*]/g, letter => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)}`;
}
