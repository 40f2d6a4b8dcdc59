/**
 * Stage 3: who provides what. One pass over the steps from top to bottom: each step is folded (`fold.ts`), its needs are bound to the
 * nearest step above that writes the name (docs/running.md, "The rule"), and then its own writes become what the steps below find.
 * Work is proportional to the names that the cells mention.
 */

import { isChannel, isFile, isVariable } from '../../model/name';
import type { Parameter } from '../../model/parameter';
import type { Definition, Read, Step, Write } from '../../model/pipeline';
import { isBuiltin, isHistory } from '../2-analyse';
import type { Arrangement, PlacedCell, PlacedStep } from './arrange';
import { Definitions, everywhere, type Instance, type LinkCell, packageKey } from './definitions';
import type { Effects } from './effects';
import { type Folded, fold, type Need, type Notebook } from './fold';
import { Passing, type Record } from './passing';

/** A step with what checking wants to know of it beyond what the pipeline says. */
export interface LinkedStep {
  step: Step;
  cells: PlacedCell[];
  folded: Folded;
  /** A setup call above that it needs and that can't travel. */
  staying?: Instance;
  /** Names its own cells need and nobody above provides. */
  unprovided: Need[];
  /** Inferred reads and writes, before the declarations. */
  reads: Map<string, Read>;
  writes: ReadonlyMap<string, boolean>;
}

/** A step that writes a name, in a list from the latest to the first. */
export interface Writer {
  step: number;
  certain: boolean;
  /** It reads the name too, so it waits for the one before. */
  reads: boolean;
  /** How many steps may get the name from it. */
  readers: number;
  before?: Writer;
}

export interface Linked {
  steps: LinkedStep[];
  definitions: Definitions;
  /** The latest writer of each name. */
  writers: Map<string, Writer>;
  /** Names that shared and parameter cells give to every step. */
  given: Set<string>;
  /** Steps whose code may assign any name: nothing below them is certainly unknown. */
  anything: Writer | undefined;
  /** Code that crosses as values, because values made with an earlier definition of the name meet a later one. */
  changed: Set<string>;
}

/** What one linking leaves for the next: all of it stands as long as no definition has changed, and each step's part as long as its cells are the same. */
interface Kept {
  definitions: Definitions;
  origins: Map<string, string>;
  steps: KeptStep[];
}

interface KeptStep {
  cells: readonly LinkCell[];
  folded: Folded;
  travelling: Travelling;
  record: Record;
  /** Without declared ones. */
  writes?: Write[];
}

/** Links notebooks one after the other; after an edit, steps that it can't have touched are passed by. */
export class Linker {
  private kept: Kept | undefined;

  /** Links the steps. Where a value would meet another definition than it was made with, the name is taken as data and the steps are linked again. */
  link(arrangement: Arrangement, parameters: readonly Parameter[], effects: Effects): Linked {
    const changed = new Set<string>();
    for (let kept = this.kept; ; kept = undefined) {
      const before = changed.size;
      const done = linkOnce(arrangement, parameters, effects, changed, kept);
      // Without what was kept, it is certain to be done.
      if (!done) {
        changed.clear();
        continue;
      }
      this.kept = changed.size === 0 ? done.kept : undefined;
      if (changed.size === before) return done.linked;
    }
  }
}

function linkOnce(
  arrangement: Arrangement,
  parameters: readonly Parameter[],
  effects: Effects,
  changed: Set<string>,
  before: Kept | undefined,
): { linked: Linked; kept: Kept } | undefined {
  const { shared, parameters: parameterCells, steps } = arrangement;
  const everywhere = [...shared, ...parameterCells].sort((a, b) => a.cell - b.cell);
  const cells: LinkCell[] = [];
  for (const { cell, source, analysis } of everywhere) cells.push({ cell, source, analysis, step: -1 });
  for (const [step, placed] of steps.entries())
    for (const { cell, source, analysis } of placed.cells) cells.push({ cell, source, analysis, step });
  const still = before?.definitions.serves(cells, effects) ? before : undefined;
  const definitions = still?.definitions ?? new Definitions(cells, effects, changed);
  const notebook: Notebook = { definitions, effects, passing: new Passing(), origins: still?.origins ?? origins(definitions) };
  const keptSteps: KeptStep[] = [];
  const given = new Set<string>();
  for (const { analysis } of everywhere) {
    for (const { name } of analysis.assigns) given.add(name);
    for (const { names } of analysis.definitions) for (const name of names) given.add(name);
    for (const [a, b] of analysis.aliases) notebook.passing.join(a, b);
  }
  const parameterNames = new Set(parameters.map(parameter => parameter.name));
  /** Computed in a parameter cell: using such a name uses the parameters it is made of. */
  const computed = new Set<string>();
  for (const { analysis } of parameterCells) for (const { name } of analysis.assigns) if (!parameterNames.has(name)) computed.add(name);

  const fromParameters = new Set(parameterCells.map(cell => cell.cell));
  const again =
    computed.size > 0 || parameterCells.some(one => one.analysis.definitions.length > 0) || parameters.some(one => one.source !== undefined)
      ? runAgain(parameterCells, parameters)
      : [];

  const writers = new Map<string, Writer>();
  let anything: Writer | undefined;
  let anyFile: Writer | undefined;
  const linked: LinkedStep[] = [];

  const position = new Map(steps.map((step, index) => [step.name, index]));
  let at = everywhere.length;
  for (const [index, placed] of steps.entries()) {
    const own = cells.slice(at, at + placed.cells.length);
    at += placed.cells.length;
    const known = still?.steps[index];
    let kept: KeptStep;
    if (known && same(known.cells, own)) {
      if (!notebook.passing.again(known.record)) return undefined;
      kept = known;
    } else {
      const record = notebook.passing.begin();
      const folded = fold(own, index, notebook);
      kept = { cells: own, folded, travelling: travel(folded, index, notebook, changed), record };
    }
    keptSteps.push(kept);
    const { folded } = kept;
    const { prelude, taken } = kept.travelling;

    const reads = new Map<string, Read>();
    const unprovided: Need[] = [];
    const dependsOn = new Set<number>();
    const uses = new Set<string>();
    for (const one of folded.needs.values()) {
      const { name } = one;
      const writer = latest(name);
      if (isVariable(name) && name !== '*') {
        if (definitions.isCode(name)) {
          if (!definitions.above(name, index) && one.direct && !folded.defines.has(name)) unprovided.push(one);
          continue;
        }
        if (parameterNames.has(name) && !certainlyAbove(writer)) uses.add(name);
        if (computed.has(name) && !certainlyAbove(writer)) for (const parameter of parameterNames) uses.add(parameter);
        if (isBuiltin(name) && !writers.has(name) && !given.has(name)) continue;
        if (isHistory(name) && !writers.has(name)) continue;
        if (!writer && !given.has(name)) {
          if (one.direct) unprovided.push(one);
          if (!one.direct || one.maybe) continue;
        }
      }
      const from = writer ? steps[writer.step]!.name : undefined;
      reads.set(name, {
        name,
        ...(from === undefined ? {} : { from }),
        cell: one.cell,
        ...(one.range ? { range: one.range } : {}),
      });
      wait(name, dependsOn, index);
    }
    const step: Step = {
      name: placed.name,
      cells: placed.cells.map(({ cell, id, source }) => ({ cell, ...(id === undefined ? {} : { id }), source })),
      settings: placed.settings,
      reads: [],
      writes: [],
      prelude,
      defines: [...folded.defines].sort(),
      parameters: [...uses],
      files: { reads: [...folded.files.reads].sort(), writes: [...folded.files.writes].sort() },
      dependsOn: [],
    };
    // The first step runs the parameter cells themselves.
    if (index > 0 && again.length > 0 && (uses.size > 0 || [...taken].some(one => one.step < 0 && fromParameters.has(one.cell))))
      step.prelude = [...again, ...prelude];
    const inferred = folded.writes;
    declare(step, placed, reads, folded, name => {
      const writer = latest(name);
      if (writer) wait(name, dependsOn, index);
      return writer && steps[writer.step]!.name;
    });
    step.reads = [...reads.values()].sort(byName);
    const { outputs } = placed.settings;
    // The list is the same for as long as the step is; declared outputs may come and go.
    if (!outputs) kept.writes ??= writesOf([], folded);
    step.writes = outputs ? writesOf(outputs, folded) : kept.writes!;
    for (const name of placed.settings.after ?? []) {
      const other = position.get(name);
      if (other !== undefined && other !== index) dependsOn.add(other);
    }
    step.dependsOn = [...dependsOn].sort((a, b) => a - b).map(one => steps[one]!.name);
    linked.push({ step, cells: placed.cells, folded, staying: kept.travelling.staying, unprovided, reads, writes: inferred });

    for (const { name, certain } of step.writes) {
      const writer: Writer = {
        step: index,
        certain,
        reads: reads.has(name),
        readers: 0,
        before: name === '*' ? anything : name === 'file:*' ? anyFile : writers.get(name),
      };
      if (name === '*') anything = writer;
      else if (name === 'file:*') anyFile = writer;
      else writers.set(name, writer);
    }
  }
  return {
    linked: { steps: linked, definitions, writers, given, anything, changed },
    kept: { definitions, origins: notebook.origins, steps: keptSteps },
  };

  /** The nearest writer above: by name, or one that may write any name. */
  function latest(name: string): Writer | undefined {
    if (name === '*' || name === 'file:*') return undefined;
    const named = writers.get(name);
    const any = isFile(name) ? anyFile : isChannel(name) ? undefined : anything;
    if (!named || !any) return named ?? any;
    return named.step > any.step ? named : any;
  }

  function certainlyAbove(writer: Writer | undefined): boolean {
    for (let one = writer; one; one = one.before) if (one.certain) return true;
    return false;
  }

  /** Adds every step that may have the last word on the name, as far as it does not wait for the next one itself. */
  function wait(name: string, dependsOn: Set<number>, index: number): void {
    if (name === '*') {
      for (let above = 0; above < index; above++) dependsOn.add(above);
      return;
    }
    if (name === 'file:*') {
      for (const [written, writer] of writers)
        if (isFile(written)) for (let one: Writer | undefined = writer; one; one = one.before) dependsOn.add(one.step);
    }
    let stop = -1;
    for (let one = name === 'file:*' ? anyFile : writers.get(name); one; one = one.before) {
      dependsOn.add(one.step);
      one.readers++;
      stop = one.step;
      if (one.certain || one.reads) break;
    }
    for (let one = isFile(name) ? anyFile : isChannel(name) ? undefined : anything; one && one.step > stop; one = one.before)
      dependsOn.add(one.step);
  }
}

const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

/** Whether the cells are those that a step was folded from. */
function same(before: readonly LinkCell[], now: readonly LinkCell[]): boolean {
  return (
    before.length === now.length &&
    now.every(({ cell, analysis }, index) => before[index]!.cell === cell && before[index]!.analysis === analysis)
  );
}

/** Declared inputs take the place of what functions may look up; what the step's own cells read stays, whatever is declared. */
function declare(
  step: Step,
  placed: PlacedStep,
  reads: Map<string, Read>,
  folded: Folded,
  provider: (name: string) => string | undefined,
): void {
  const { inputs } = placed.settings;
  if (!inputs) return;
  const declared = new Set(inputs);
  for (const [name] of reads) {
    if (isVariable(name) && name !== '*' && !declared.has(name) && !folded.needs.get(name)?.direct) reads.delete(name);
  }
  for (const name of declared) {
    const before = reads.get(name);
    const from = provider(name);
    reads.set(name, before ? { ...before, declared: true } : { name, ...(from === undefined ? {} : { from }), declared: true });
  }
  step.settings = placed.settings;
}

function writesOf(outputs: readonly string[], folded: Folded): Write[] {
  const declared = new Set(outputs);
  const writes: Write[] = [];
  for (const [name, certain] of folded.writes) writes.push(declared.has(name) ? { name, certain, declared: true } : { name, certain });
  for (const name of declared)
    if (!folded.writes.has(name) && !folded.defines.has(name)) writes.push({ name, certain: false, declared: true });
  return writes.sort(byName);
}

/**
 * The parameter cells as code that travels, for what JSON values don't bring: imports, computed names, floats that are whole. Given values are
 * set before the prelude and the cells would set the defaults again, so what is given is put aside and put back, as it stands after the
 * cells in the first step too.
 */
function runAgain(cells: readonly PlacedCell[], parameters: readonly Parameter[]): Definition[] {
  if (cells.length === 0) return [];
  const given = '__stepwell_given__';
  const names = JSON.stringify(parameters.map(parameter => parameter.name));
  const around = (source: string): Definition => ({ names: [], kind: 'setup', source, cell: cells[0]!.cell, line: 0 });
  return [
    around(`${given} = {name: globals()[name] for name in ${names} if name in globals()}`),
    ...cells.map(({ cell, source }): Definition => ({ names: [], kind: 'setup', source, cell, line: 0 })),
    around(`globals().update(globals().pop("${given}"))`),
  ];
}

/** What imported names stand for; a name that two imports give different meanings keeps the last. */
function origins(definitions: Definitions): Map<string, string> {
  const found = new Map<string, string>();
  for (const { kind, use } of definitions.all) {
    if (kind !== 'import') continue;
    for (const name of use.names) found.set(name, use.origins?.[name] ?? name);
  }
  return found;
}

interface Travelling {
  prelude: Definition[];
  taken: Set<Instance>;
  /** A setup call above that it needs and that can't travel. */
  staying?: Instance;
}

/** The definitions that a step takes along, whose needs become the step's: what it uses, what that needs, and what set it up, in notebook order. */
function travel(folded: Folded, step: number, notebook: Notebook, changed: Set<string>): Travelling {
  const { definitions, effects, passing } = notebook;
  const taken = new Set<Instance>();
  const seen = new Set<string>();
  let staying: Instance | undefined;
  const queue: Instance[] = [...folded.used];
  const visit = (name: string, order?: number): void => {
    const instance = definitions.isCode(name) ? definitions.above(name, step, order) : undefined;
    if (!instance) return;
    queue.push(instance);
    stay(name);
  };
  const stay = (name: string): void => {
    const origin = notebook.origins.get(name);
    for (const stays of [
      definitions.stayingAbove(name, step),
      origin === undefined ? undefined : definitions.stayingAbove(packageKey(origin), step),
    ])
      if (stays && (!staying || stays.step < staying.step)) staying = stays;
  };
  for (const name of folded.usedAs) stay(name);
  for (const one of folded.needs.values()) {
    visit(one.name);
    let bits = passing.madeWith(one.name);
    for (let bit = 0; bits > 0n; bit++, bits >>= 1n) {
      if (!(bits & 1n)) continue;
      const made = definitions.code[bit]!;
      queue.push(made);
      for (const name of made.names) {
        const now = definitions.isCode(name) ? definitions.above(name, step) : undefined;
        if (now && now !== made && now.source !== made.source) changed.add(name);
      }
    }
  }
  if (folded.readsAll || folded.unpickles)
    for (const instance of folded.readsAll ? definitions.all : definitions.code)
      if (instance.step < step && instance.names.some(name => definitions.isCode(name))) queue.push(instance);
  for (const star of definitions.starsAbove(step)) queue.push(star);
  setups(everywhere);
  while (queue.length > 0) {
    const instance = queue.pop()!;
    if (taken.has(instance)) continue;
    taken.add(instance);
    for (const name of instance.use.needs) {
      if (definitions.isCode(name)) visit(name, instance.order);
      else if (instance.step >= 0 && instance.step < step && !folded.needs.has(name))
        folded.needs.set(name, { name, direct: false, maybe: true, cell: instance.cell });
    }
    for (const module of instance.use.modules ?? []) setups(packageKey(module));
    for (const name of instance.names) {
      setups(name);
      if (seen.has(name)) continue;
      seen.add(name);
      for (const effect of effects.behind(name)) for (const read of effect.reads) visit(read);
    }
  }
  const prelude = [...taken]
    .filter(
      instance =>
        instance.step >= 0 &&
        instance.step < step &&
        !(instance.names.length > 0 && instance.names.every(name => definitions.data.has(name))),
    )
    .sort((a, b) => a.order - b.order)
    .map(({ names, kind, source, cell, line }) => ({ names, kind, source, cell, line }));
  return { prelude, taken, staying };

  function setups(key: string): void {
    for (const setup of definitions.setupsAbove(key, step)) queue.push(setup);
  }
}
