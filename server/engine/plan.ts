/**
 * What a run would do, without doing it: which steps would be reused, which would run and why, and which depend on what those give. The
 * same decisions as in a run, up to the point where something would have to be started.
 */
import type { StepKey } from '../../pipeline/model/reuse';
import type { Store } from '../store';
import { advance, noReuse, reuse } from './advance';
import { Answers, type AnswersParts } from './answers';
import { bind } from './binding';
import type { RunState } from './state';
import type { Unit } from './units';
import { against, closest, differences, whyAlways } from './why';

export interface PlannedStep {
  step: string;
  /** `depends`: reused if the steps above that run give the same as before. */
  does: 'reused' | 'runs' | 'depends' | 'skipped';
  comparedWith?: { run: string; made?: string };
  reasons: string[];
}

/** `state` is that of a run that has not begun; it is used up. */
export async function planOfRun(state: RunState, notebookPath: string, parts: Omit<AnswersParts, 'state'>): Promise<PlannedStep[]> {
  const answers = new Answers({ ...parts, state });
  const planned = new Map<number, Omit<PlannedStep, 'step'>>();
  state.status = 'running';
  for (let looking = true; looking; ) {
    looking = false;
    for (const decision of advance(state, parts.now(), { workers: Number.POSITIVE_INFINITY })) {
      if (decision.do === 'start') {
        const { unit, given } = decision;
        const name = unit.steps[0]!.name;
        const key = answers.key(unit, given);
        planned.set(unit.index, { does: 'runs', ...against(await closest(parts.store, notebookPath, name, key), key, asks(state, name)) });
      }
      if (decision.do !== 'look') continue;
      looking = true;
      const { unit, given } = decision;
      const answer = await answers.find(unit, given);
      if (!answer || answer === 'wait') noReuse(state, unit.index, given);
      else {
        reuse(state, unit.index, given, { ...answer, sources: new Set() });
        const { run, made } = answer.used;
        planned.set(unit.index, {
          does: 'reused',
          comparedWith: { run, made },
          reasons: [`Nothing that it uses has changed since run ${run}.`],
        });
      }
    }
  }
  for (const unit of state.units) {
    if (planned.has(unit.index)) continue;
    planned.set(
      unit.index,
      state.states[unit.index]!.status === 'skipped'
        ? { does: 'skipped', reasons: ['It is not asked for.'] }
        : await later(state, unit, answers, { store: parts.store, notebookPath }),
    );
  }
  return state.units.flatMap(unit => unit.steps.map(({ name }) => ({ step: name, ...planned.get(unit.index)! })));
}

/** A unit that waits for others which run: what it will be given is not known, so only the rest is compared. */
async function later(
  state: RunState,
  unit: Unit,
  answers: Answers,
  { store, notebookPath }: { store: Store; notebookPath: string },
): Promise<Omit<PlannedStep, 'step'>> {
  const waitsFor = new Set<string>();
  for (const name of unit.reads) {
    const binding = bind(state, unit.index, name);
    if (binding.what === 'pending') waitsFor.add(state.units[binding.by]!.name);
  }
  const { parts } = answers.key(unit, { values: {}, channels: {}, files: {}, wanted: [] });
  const name = unit.steps[0]!.name;
  const earlier = await closest(store, notebookPath, name, { parts });
  const key: StepKey = { parts: { ...parts, inputs: earlier?.key.parts.inputs ?? {} } };
  const asked = asks(state, name);
  if (asked.length > 0 || !earlier || differences(earlier.key, key).length > 0) return { does: 'runs', ...against(earlier, key, asked) };
  const above = [...waitsFor].join(' and ') || 'the steps above';
  const reasons = [`It is reused if ${above} ${waitsFor.size > 1 ? 'give' : 'gives'} the same again.`];
  return { does: 'depends', comparedWith: { run: earlier.run }, reasons };
}

const asks = ({ options, pipeline }: RunState, step: string): string[] =>
  options.reuse ? whyAlways(pipeline.steps, step, options.from) : ['The run is to be without reuse.'];
