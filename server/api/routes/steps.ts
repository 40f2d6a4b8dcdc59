/** Steps of a run, their attempts, and what each attempt said. */
import { z } from 'zod';
import type { LogLine } from '../../../pipeline/model/protocol';
import { whyStep } from '../../engine/why';
import type { LoadedRun } from '../../store';
import { cutLine } from '../cut';
import { notFound } from '../errors';
import { answer, route } from '../route';
import { after, limit, ofAttempt, ofRun, ofStep } from '../schemas/asked';
import { AttemptViews, LogLines, page, StepRunViews, Whys } from '../schemas/protocol';
import type { Service } from '../service';
import { attemptView, stepView } from '../views';
import { unknownRun } from './runs';

const group = 'steps';

export const steps = [
  route({
    method: 'get',
    path: '/api/v1/runs/{run}/steps',
    title: 'Steps of a run',
    group,
    params: ofRun,
    answers: { 200: answer('All of them, in notebook order.', page('StepRunPage', StepRunViews)) },
    handle: async ({ params, service }) => ({ status: 200, body: { items: (await load(params.run, service)).steps.map(stepView) } }),
  }),
  route({
    method: 'get',
    path: '/api/v1/runs/{run}/steps/{step}',
    title: 'One step of a run',
    group,
    params: ofStep,
    answers: { 200: answer('The step.', StepRunViews) },
    async handle({ params, service }) {
      const found = (await load(params.run, service)).steps.find(({ step }) => step === params.step);
      if (!found) throw notFound(`There is no step "${params.step}" in run ${params.run}.`);
      return { status: 200, body: stepView(found) };
    },
  }),
  route({
    method: 'get',
    path: '/api/v1/runs/{run}/steps/{step}/why',
    title: 'Why a step ran, or what it was reused from',
    description: 'Sentences that say what differed from the closest earlier run of the step, most telling first.',
    group,
    params: ofStep,
    answers: { 200: answer('What is known of it.', Whys) },
    handle: async ({ params, service }) => ({ status: 200, body: await whyStep(service.store, params.run, params.step) }),
  }),
  route({
    method: 'get',
    path: '/api/v1/runs/{run}/attempts',
    title: 'Attempts of all steps of a run',
    group,
    params: ofRun,
    answers: { 200: answer('All of them, by step and number.', page('AttemptPage', AttemptViews)) },
    handle: async ({ params, service }) => ({ status: 200, body: { items: (await load(params.run, service)).attempts.map(attemptView) } }),
  }),
  route({
    method: 'get',
    path: '/api/v1/runs/{run}/attempts/{step}/{attempt}',
    title: 'One attempt',
    group,
    params: ofAttempt,
    answers: { 200: answer('The attempt.', AttemptViews) },
    handle: async ({ params, service }) => ({ status: 200, body: attemptView(await attempt(params, service)) }),
  }),
  route({
    method: 'get',
    path: '/api/v1/runs/{run}/attempts/{step}/{attempt}/lines',
    title: 'What an attempt said',
    description: 'What is very long is cut; the executed notebook has all of it.',
    group,
    params: ofAttempt,
    query: z.strictObject({ after, limit: limit(1000) }),
    answers: { 200: answer('Lines in order; `next` is the number to ask on from.', page('LogLinePage', LogLines)) },
    async handle({ params, query: { after = 0, limit = 200 }, service }) {
      await attempt(params, service);
      const found = await service.runs.lines(params.run, params.step, params.attempt, after, limit + 1);
      const items: LogLine[] = [];
      let room = mostCharacters;
      for (const line of found.slice(0, limit)) {
        const cut = cutLine(line);
        room -= JSON.stringify(cut).length;
        if (room < 0 && items.length > 0) break;
        items.push(cut);
      }
      return { status: 200, body: { items, next: items.length < found.length ? String(items.at(-1)!.number) : undefined } };
    },
  }),
];

/** Of a page of lines, which may each be a picture. */
const mostCharacters = 8 * 1024 * 1024;

async function load(run: string, { store }: Service): Promise<LoadedRun> {
  const loaded = await store.loadRun(run);
  if (!loaded) throw unknownRun(run);
  return loaded;
}

async function attempt(of: { run: string; step: string; attempt: number }, service: Service) {
  const found = (await load(of.run, service)).attempts.find(({ step, attempt }) => step === of.step && attempt === of.attempt);
  if (!found) throw notFound(`There is no attempt ${of.attempt} of "${of.step}" in run ${of.run}.`);
  return found;
}
