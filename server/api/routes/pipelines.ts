/** Pipelines and their versions: what notebooks were compiled to when they ran. */
import { notFound } from '../errors';
import { answer, raw, route } from '../route';
import { ofPipeline, ofVersion, pipelinesQuery, versionsQuery } from '../schemas/asked';
import { PipelineSummaries, page, VersionDetails, VersionSummaries } from '../schemas/protocol';
import type { Service } from '../service';
import { pipelineView } from '../views';

const group = 'pipelines';

export const pipelines = [
  route({
    method: 'get',
    path: '/api/v1/pipelines',
    title: 'Pipelines, newest first',
    group,
    query: pipelinesQuery,
    answers: { 200: answer('A page.', page('PipelinePage', PipelineSummaries)) },
    async handle({ query: { limit = 50, cursor }, service }) {
      const found = await service.store.listPipelines({ limit: limit + 1, before: cursor });
      const items = found.slice(0, limit).map(one => pipelineView(one, service));
      return { status: 200, body: { items, next: found.length > limit ? items.at(-1)!.id : undefined } };
    },
  }),
  route({
    method: 'get',
    path: '/api/v1/pipelines/{pipeline}',
    title: 'One pipeline',
    group,
    params: ofPipeline,
    answers: { 200: answer('The pipeline.', PipelineSummaries) },
    handle: async ({ params, service }) => ({ status: 200, body: pipelineView(await pipeline(params.pipeline, service), service) }),
  }),
  route({
    method: 'get',
    path: '/api/v1/pipelines/{pipeline}/versions',
    title: 'Versions of a pipeline, newest first',
    group,
    params: ofPipeline,
    query: versionsQuery,
    answers: { 200: answer('A page.', page('VersionPage', VersionSummaries)) },
    async handle({ params, query: { limit = 50, cursor }, service }) {
      const { id } = await pipeline(params.pipeline, service);
      const found = await service.store.listVersions({ pipeline: id, limit: limit + 1, before: cursor });
      const items = found.slice(0, limit);
      return { status: 200, body: { items, next: found.length > limit ? String(items.at(-1)!.number) : undefined } };
    },
  }),
  route({
    method: 'get',
    path: '/api/v1/pipelines/{pipeline}/versions/{number}',
    title: 'One version, with its notebook',
    group,
    params: ofVersion,
    answers: { 200: answer('The version.', VersionDetails) },
    async handle({ params, service }) {
      const { notebook, ...rest } = await version(params.pipeline, params.number, service);
      const body = { pipeline: params.pipeline, number: params.number, ...rest, notebook: notebook && JSON.parse(notebook) };
      return { status: 200, body };
    },
  }),
  route({
    method: 'get',
    path: '/api/v1/pipelines/{pipeline}/versions/{number}/notebook',
    title: 'The notebook as it was',
    group,
    params: ofVersion,
    answers: { 200: raw('The file.', ['application/x-ipynb+json']) },
    async handle({ params, service }) {
      const { notebook } = await version(params.pipeline, params.number, service);
      if (notebook === undefined) throw notFound('The notebook of this version was not kept.');
      return { status: 200, body: { type: 'application/x-ipynb+json', content: notebook } };
    },
  }),
];

async function pipeline(id: string, { store }: Service) {
  const found = await store.findPipeline(id);
  if (!found) throw notFound(`There is no pipeline "${id}".`);
  return found;
}

export async function version(id: string, number: number, { store }: Service) {
  const found = await store.loadVersion(id, number);
  if (!found) throw notFound(`There is no version ${number} of the pipeline "${id}".`);
  return found;
}
