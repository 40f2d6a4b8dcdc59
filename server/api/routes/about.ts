/** The service itself: whom one talks to, whether it is well, what it costs, and what else can be asked. */
import { cpus, totalmem } from 'node:os';
import { z } from 'zod';
import { ApiError } from '../errors';
import { answer, raw, route } from '../route';
import { page, ServiceInfos, TargetInfos } from '../schemas/protocol';

const group = 'service';
const ok = { type: 'text/plain; charset=utf-8', content: 'ok\n' };

export const about = [
  route({
    method: 'get',
    path: '/healthz',
    title: 'Whether the process is alive',
    group,
    open: true,
    answers: { 200: raw('It is.', ['text/plain']) },
    handle: () => ({ status: 200, body: ok }),
  }),
  route({
    method: 'get',
    path: '/readyz',
    title: 'Whether it takes requests',
    group,
    open: true,
    answers: { 200: raw('It does.', ['text/plain']) },
    problems: ['stopping', 'storage'],
    async handle({ service }) {
      if (service.stopping) throw new ApiError('stopping', 'The service is stopping.');
      try {
        await service.store.listRuns({ limit: 1 });
      } catch {
        // Anybody may ask here, so nothing is told of where the database is.
        throw new ApiError('storage', 'The database cannot be reached.');
      }
      return { status: 200, body: ok };
    },
  }),
  route({
    method: 'get',
    path: '/metrics',
    title: 'Figures for Prometheus',
    group,
    answers: { 200: raw('In its text format.', ['text/plain']) },
    async handle({ service }) {
      const { text, contentType } = await service.metrics.text();
      return { status: 200, body: { type: contentType, content: text } };
    },
  }),
  route({
    method: 'get',
    path: '/api/v1/openapi.json',
    title: 'This document',
    group,
    answers: { 200: answer('OpenAPI 3.1.', z.record(z.string(), z.any())) },
    handle: ({ service }) => ({ status: 200, body: service.document() as Record<string, unknown> }),
  }),
  route({
    method: 'get',
    path: '/api/v1/service',
    title: 'Whom one talks to, and as whom',
    group,
    answers: { 200: answer('The service.', ServiceInfos) },
    handle: ({ service: { version, withJupyter, config }, caller }) => ({
      status: 200,
      body: { version, user: caller.user, withJupyter, home: config.home },
    }),
  }),
  route({
    method: 'get',
    path: '/api/v1/targets',
    title: 'Places where steps run',
    group,
    answers: { 200: answer('All of them.', page('TargetPage', TargetInfos)) },
    handle: ({ service }) => ({
      status: 200,
      body: {
        items: [
          { name: 'local', kind: 'local' as const, cores: cpus().length, memory: totalmem(), running: service.runs.running().attempts },
        ],
      },
    }),
  }),
];
