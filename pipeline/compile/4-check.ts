/**
 * Stage 4: what a person should know before running. Each rule looks at the linked steps and says one kind of thing; none changes
 * the pipeline, so a rule can be added or taken away here alone.
 */
import { isVariable } from '../model/name';
import type { Fix, Problem } from '../model/problem';
import { closest } from '../model/settings';
import type { Reading } from './1-read/read';
import type { Arrangement } from './3-link/arrange';
import type { Linked, LinkedStep, Writer } from './3-link/link';
import { summary } from './3-link/summary';
import type { Together } from './3-link/together';

export interface Checked {
  reading: Reading;
  arrangement: Arrangement;
  linked: Linked;
  together: Together[];
}

type Rule = (checked: Checked) => Iterable<Problem>;

/** All problems of the code and its dataflow, in the order of the cells. */
export function check(checked: Checked): Problem[] {
  const problems: Problem[] = [];
  for (const rule of rules) problems.push(...rule(checked));
  return problems;
}

/** Errors of a cell that is tagged as one that may raise are what its author wants to show. A line that is no Python may call a magic that the notebook makes. */
function* syntax({ arrangement: { shared, parameters, steps } }: Checked): Iterable<Problem> {
  const cells = [...shared, ...parameters, ...steps.flatMap(step => step.cells)];
  const magics = lazy(() => new Set(cells.flatMap(cell => cell.analysis.magics)));
  for (const cell of cells) {
    for (const { message, range, ifMagic } of cell.analysis.errors) {
      if (ifMagic !== undefined && magics().has(ifMagic)) continue;
      const line = cell.source.slice(0, range.from).split('\n').length;
      yield {
        code: 'syntax-error',
        severity: cell.mayRaise ? 'warning' : 'error',
        message: `Cell ${cell.cell + 1}, line ${line}: ${message.replace(/\.?$/, '.')}`,
        cell: cell.cell,
        range,
        ...(cell.step ? { step: cell.step } : {}),
      };
    }
  }
}

function* dynamic({ arrangement: { steps } }: Checked): Iterable<Problem> {
  for (const { name, cells } of steps) {
    for (const { cell, analysis } of cells) {
      for (const { reason, range, reads, writes } of analysis.dynamic) {
        const effect = reads && writes ? 'may use and change any variable' : writes ? 'may assign any variable' : 'may use any variable';
        yield {
          code: 'dynamic-code',
          severity: 'info',
          message: `The code of ${reason} can't be followed, so the step "${name}" ${reads || writes ? effect : 'is checked only when it runs'}.`,
          cell,
          range,
          step: name,
        };
      }
    }
  }
}

/** `_`, `Out[3]`: IPython keeps them per process, so the step runs in the one of the cell that it asks for. */
function* history({ linked: { steps }, together }: Checked): Iterable<Problem> {
  for (const { reader, provider, name, kind, cell, range } of together) {
    if (kind !== undefined) continue;
    const [first, last] = [steps[provider]!.step.name, steps[reader]!.step.name];
    yield {
      code: 'unsupported-syntax',
      severity: 'info',
      message: `The step "${last}" uses \`${name}\`, IPython's memory of earlier cells, so it runs in one process with the steps from "${first}" on. Give that result a name to keep them apart.`,
      cell,
      range,
      step: last,
    };
  }
}

function* names({ linked }: Checked): Iterable<Problem> {
  const { steps, definitions, writers } = linked;
  const known = lazy(() =>
    [...new Set([...writers.keys(), ...definitions.all.flatMap(one => one.names), ...linked.given])].filter(isVariable),
  );
  const firstWriter = (name: string): Writer | undefined => {
    let one = writers.get(name);
    while (one?.before) one = one.before;
    return one;
  };
  for (const [index, { step, unprovided, folded }] of steps.entries()) {
    const starAbove = definitions.starsAbove(index + 1).length > 0;
    for (const { name, cell, range, maybe } of unprovided) {
      if (maybe || !isVariable(name)) continue;
      const below = definitions.isCode(name) ? definitions.of(name)[0]?.step : firstWriter(name)?.step;
      const place = { cell, ...(range ? { range } : {}), step: step.name };
      if (below !== undefined && below > index) {
        yield {
          code: 'provided-below',
          severity: 'warning',
          message: `The step "${step.name}" reads "${name}", which only the step "${steps[below]!.step.name}" below it provides: run from top to bottom, it has no value yet.`,
          ...place,
        };
      } else if (!starAbove && !folded.writesAll && linked.anything === undefined) {
        const meant = closest(name, known());
        yield {
          code: 'unknown-name',
          severity: 'warning',
          message: `Nobody provides "${name}", which the step "${step.name}" reads.${meant && meant !== name ? ` Did you mean "${meant}"?` : ''}`,
          ...place,
          ...(meant && meant !== name && range
            ? { fix: { do: 'replace-text', label: `Change to ${meant}`, cell, range, text: meant } satisfies Fix }
            : {}),
        };
      }
    }
  }
}

/** A value that a parallel step overwrites before anybody has read it: probably two branches that meant different names. */
function* parallel({ linked }: Checked): Iterable<Problem> {
  const { steps, writers } = linked;
  const above = lazy(() => ancestors(steps));
  for (const [name, latest] of writers) {
    if (!isVariable(name) || linked.changed.has(name)) continue;
    for (let winner: Writer | undefined = latest; winner; winner = winner.before) {
      const loser: Writer | undefined = winner.before;
      if (!loser || winner.readers === 0 || loser.readers > 0 || !winner.certain) continue;
      // A step that uses the value itself, and is done with it, has lost nothing.
      if (steps[loser.step]!.cells.some(cell => summary(cell.analysis).uses.has(name))) continue;
      if (((above()[winner.step]! >> BigInt(loser.step)) & 1n) === 1n) continue;
      const [first, second] = [steps[loser.step]!.step.name, steps[winner.step]!.step.name];
      yield {
        code: 'written-in-parallel',
        severity: 'warning',
        message: `The steps "${first}" and "${second}" both assign "${name}", and neither waits for the other: steps below get the one of "${second}", and the one of "${first}" is lost.`,
        ...placeOf(steps[winner.step]!, name),
      };
    }
  }
}

function* unused({ linked, reading }: Checked): Iterable<Problem> {
  const { steps, writers } = linked;
  const returns = new Set(reading.settings.returns ?? []);
  const useful = new Set<number>();
  for (const [name, latest] of writers) {
    for (let one: Writer | undefined = latest; one; one = one.before) if (one.readers > 0 || !isVariable(name)) useful.add(one.step);
    if (returns.has(name)) useful.add(latest.step);
  }
  const cells = new Set(steps.flatMap(({ step }) => step.prelude.map(definition => definition.cell)));
  const awaited = new Set(steps.flatMap(({ step }) => step.settings.after ?? []));
  for (const [index, { step }] of steps.entries()) {
    if (index === steps.length - 1 || useful.has(index) || awaited.has(step.name)) continue;
    if (step.settings.outputs?.length || step.settings.metrics?.length || step.cells.some(cell => cells.has(cell.cell))) continue;
    const written = step.writes.filter(write => write.certain && isVariable(write.name)).map(write => write.name);
    if (written.length === 0) continue;
    yield {
      code: 'unused-step',
      severity: 'info',
      message: `No step uses what the step "${step.name}" makes (${written.slice(0, 3).join(', ')}${written.length > 3 ? ', …' : ''}).`,
      cell: step.cells[0]?.cell,
      step: step.name,
    };
  }
}

function* order({ linked: { steps } }: Checked): Iterable<Problem> {
  const names = steps.map(({ step }) => step.name);
  const position = new Map(names.map((name, index) => [name, index]));
  for (const { step } of steps) {
    for (const name of step.settings.after ?? []) {
      if (position.has(name) && name !== step.name) continue;
      const meant = closest(name, names);
      const after = (step.settings.after ?? []).flatMap(one => (one !== name ? [one] : meant && meant !== step.name ? [meant] : []));
      yield {
        code: name === step.name ? 'order-cycle' : 'order-unknown-step',
        severity: 'error',
        message:
          name === step.name
            ? `The step "${name}" is to run after itself.`
            : `The step "${step.name}" is to run after "${name}", but there is no such step.${meant ? ` Did you mean "${meant}"?` : ''}`,
        step: step.name,
        cell: step.cells[0]?.cell,
        fix: {
          do: 'set-step-setting',
          label: meant ? `Change to ${meant}` : `Remove ${name}`,
          step: step.name,
          key: 'after',
          value: after,
        },
      };
    }
  }
  const ring = cycle(steps.map(({ step }) => step.dependsOn.map(name => position.get(name)!)));
  if (ring) {
    const words = [...ring, ring[0]!].map(index => `"${names[index]}"`).join(' → ');
    yield {
      code: 'order-cycle',
      severity: 'error',
      message: `These steps wait for one another: ${words}. Remove an \`after\` (or \`prev:\`) between them.`,
      step: names[ring[0]!],
      cell: steps[ring[0]!]!.step.cells[0]?.cell,
    };
  }
}

function* declarations({ linked, reading }: Checked): Iterable<Problem> {
  const { steps, definitions, given } = linked;
  const parameters = new Set(reading.parameters.map(parameter => parameter.name));
  for (const [index, one] of steps.entries()) {
    const { step } = one;
    const { inputs, outputs } = step.settings;
    const cell = step.cells[0]?.cell;
    const setting = (key: 'inputs' | 'outputs', label: string, value: string[]): Fix => ({
      do: 'set-step-setting',
      label,
      step: step.name,
      key,
      value,
    });
    if (inputs) {
      for (const read of step.reads) {
        if (read.declared || !isVariable(read.name) || read.name === '*' || read.from === undefined) continue;
        yield {
          code: 'undeclared-input',
          severity: 'warning',
          message: `The step "${step.name}" reads "${read.name}" from "${read.from}", but its inputs don't name it; it is passed all the same.`,
          cell: read.cell,
          range: read.range,
          step: step.name,
          fix: setting('inputs', `Add ${read.name} to the inputs`, [...inputs, read.name]),
        };
      }
      for (const name of inputs) {
        const provided = step.reads.some(read => read.name === name && read.from !== undefined) || given.has(name) || parameters.has(name);
        if (provided || definitions.above(name, index)) continue;
        yield {
          code: 'unprovided-input',
          severity: 'warning',
          message: `The inputs of the step "${step.name}" name "${name}", which no step above provides.`,
          cell,
          step: step.name,
          fix: setting(
            'inputs',
            `Remove ${name} from the inputs`,
            inputs.filter(input => input !== name),
          ),
        };
      }
    }
    if (outputs) {
      for (const name of outputs) {
        if (one.writes.has(name) || one.folded.writesAll || step.defines.includes(name)) continue;
        yield {
          code: 'unwritten-output',
          severity: 'warning',
          message: `The outputs of the step "${step.name}" name "${name}", which its code never assigns or changes.`,
          cell,
          step: step.name,
          fix: setting(
            'outputs',
            `Remove ${name} from the outputs`,
            outputs.filter(output => output !== name),
          ),
        };
      }
    }
  }
  const told = new Set<string>();
  const declaring = new Map(steps.filter(({ step }) => step.settings.outputs).map(one => [one.step.name, one]));
  if (declaring.size === 0) return;
  for (const { step } of steps) {
    for (const { name, from } of step.reads) {
      if (from === undefined || !isVariable(name) || name === '*') continue;
      const provider = declaring.get(from);
      const outputs = provider?.step.settings.outputs;
      if (!provider || !outputs || outputs.includes(name) || told.has(`${from} ${name}`)) continue;
      told.add(`${from} ${name}`);
      yield {
        code: 'undeclared-output',
        severity: 'warning',
        message: `The step "${step.name}" reads "${name}" from "${from}", whose outputs don't name it; it is passed all the same.`,
        ...placeOf(provider, name),
        fix: { do: 'set-step-setting', label: `Add ${name} to the outputs`, step: from, key: 'outputs', value: [...outputs, name] },
      };
    }
  }
}

function* crossing({ linked: { steps }, together }: Checked): Iterable<Problem> {
  const told = new Set<string>();
  for (const { reader, provider, name, kind, cell, range } of together) {
    if (kind === undefined || told.has(`${cell} ${name}`)) continue;
    told.add(`${cell} ${name}`);
    const [first, last] = [steps[provider]!.step.name, steps[reader]!.step.name];
    yield {
      code: 'cannot-cross',
      severity: 'warning',
      message: `"${name}" is ${kind}, which can't leave the step "${first}"; it will run together with "${last}", which reads it.`,
      cell,
      range,
      step: first,
    };
  }
}

function* redefined({ linked: { changed, definitions, steps } }: Checked): Iterable<Problem> {
  for (const name of changed) {
    const [first, second] = definitions.of(name);
    if (!first || !second) continue;
    const step = steps[second.step]?.step.name;
    yield {
      code: 'definition-changed',
      severity: 'info',
      message: `"${name}" is defined again${step ? ` in the step "${step}"` : ''} while values made with the earlier definition are still read: each value keeps its own.`,
      cell: second.cell,
      range: second.use.range,
      ...(step ? { step } : {}),
    };
  }
}

const rules: Rule[] = [syntax, history, names, order, declarations, parallel, crossing, redefined, dynamic, unused];

/** Where the step assigns or changes the name. */
function placeOf({ step, cells }: LinkedStep, name: string): { cell?: number; range?: Problem['range']; step: string } {
  for (const list of ['assigns', 'mutates'] as const) {
    for (let i = cells.length - 1; i >= 0; i--) {
      const found = cells[i]!.analysis[list].find(one => one.name === name);
      if (found) return { cell: cells[i]!.cell, range: found.range, step: step.name };
    }
  }
  return { cell: cells[0]?.cell, step: step.name };
}

/** For each step, the steps it waits for, directly or not, as bits. */
function ancestors(steps: readonly LinkedStep[]): bigint[] {
  const position = new Map(steps.map(({ step }, index) => [step.name, index]));
  const found: bigint[] = [];
  for (const { step } of steps) {
    let bits = 0n;
    for (const name of step.dependsOn) {
      const index = position.get(name)!;
      bits |= (1n << BigInt(index)) | (found[index] ?? 0n);
    }
    found.push(bits);
  }
  return found;
}

/** The first ring in a graph given as lists of what each node waits for. */
function cycle(graph: readonly number[][]): number[] | undefined {
  const state = new Uint8Array(graph.length);
  for (let start = 0; start < graph.length; start++) {
    if (state[start] !== 0) continue;
    const path: { node: number; next: number }[] = [{ node: start, next: 0 }];
    state[start] = 1;
    while (path.length > 0) {
      const top = path.at(-1)!;
      const to = graph[top.node]![top.next++];
      if (to === undefined) {
        state[top.node] = 2;
        path.pop();
      } else if (state[to] === 1) {
        const nodes = path.map(one => one.node);
        // Reversed, so that it reads in the order in which the steps would run.
        return nodes.slice(nodes.indexOf(to)).reverse();
      } else if (state[to] === 0) {
        state[to] = 1;
        path.push({ node: to, next: 0 });
      }
    }
  }
  return undefined;
}

function lazy<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
