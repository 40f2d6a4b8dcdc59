/**
 * Stage 2, analyse: the Python of one cell → what it reads, binds, changes, defines and touches (`../analysis.ts`).
 *
 *   python/         text → tokens → tree, IPython's lines included
 *   ipython.ts      what magics and shell lines do
 *   scopes.ts       which names a body makes local
 *   value.ts        what is known of a value; frames.ts: where names are looked up and effects noted
 *   evaluate.ts     what evaluating an expression reads, changes and shares; calls.ts, opening.ts: calls
 *   flow.ts         statements in the order they run; blocks.ts, functions.ts: those that hold others; binding.ts: what is certain where
 *   definitions.ts  top-level code that travels
 *   purity.ts       what known calls and methods do; files.ts: which of them touch files
 */
import type { Assign, CellAnalysis } from '../analysis';
import { Definitions } from './definitions';
import { noEffects } from './effects';
import { Flow } from './flow';
import { callsOf } from './functions';
import { bareMagic, cellMagic, type Magic } from './ipython';
import { parse } from './python/parse';
import type { Node } from './python/tree';

export { isBuiltin, isHistory } from './names';
export { type KnownCall, knownCall, unpickles } from './purity';
export { keepsNothing } from './state';

/** Analyses one cell by itself. Pure and deterministic; never throws, whatever the text. With an error in `errors`, the rest tells of the statements before it. */
export function analyse(source: string): CellAnalysis {
  try {
    return inOrder(source);
  } catch (problem) {
    // A text deep enough to overflow the stack is no notebook that Python would run either.
    if (!(problem instanceof RangeError)) throw problem;
    return {
      ...result(new Flow('', new Definitions('')), new Definitions('')),
      errors: [{ message: 'This code is nested too deeply to be read.', range: { from: 0, to: source.length } }],
    };
  }
}

function inOrder(original: string): CellAnalysis {
  const source = withoutPrompts(original);
  const definitions = new Definitions(source);
  const flow = new Flow(source, definitions);
  const errors: CellAnalysis['errors'] = [];
  let shows: boolean = false;
  const run = (stretches: [number, number][], local: boolean) => {
    const statements = stretches.flatMap(([from, to]) => {
      const parsed = parse(source, from, to);
      if (parsed.error) errors.push(parsed.error);
      return parsed.statements;
    });
    if (local) flow.locally(statements);
    else flow.statements(statements);
    const last = statements.at(-1);
    return last?.kind === 'expression' && isValue.has(last.value.kind) && !(last.value.kind === 'constant' && last.value.type === 'none');
  };
  const magic = cellMagic(source);
  const problem = magic || source.trim().includes('\n') ? undefined : parse(source).error;
  const bare = magic || source.trim().includes('\n') ? undefined : bareMagic(source, !problem);
  if (bare) {
    flow.magic(bare.magic, { from: 0, to: source.length });
    if (!bare.sure && problem) errors.push({ ...problem, ifMagic: bare.name });
  } else if (magic) cell(magic, { from: 0, to: source.length });
  else shows = run([[0, source.length]], false) && !/;\s*(?:#.*)?$/.test(source);

  /** `%%capture` over `%%time`: a cell magic may stand first in another's body. */
  function cell(outer: Magic, node: Node): void {
    const [from, to] = outer.python[outer.python.length - 1] ?? [0, 0];
    const inner = /^\s*%%/.test(source.slice(from, to)) ? cellMagic(' '.repeat(from) + source.slice(from, to)) : undefined;
    if (inner) cell(inner, { from, to });
    else run(outer.python, outer.local);
    flow.magic({ ...outer, python: [] }, node);
  }
  return { ...result(flow, definitions), errors, ...(shows && errors.length === 0 ? { shows: true } : {}) };
}

/** Expressions whose value is never `None`, as far as their operators are Python's own; calls and names may be. */
const isValue: ReadonlySet<string> = new Set([
  'constant',
  'operation',
  'tuple',
  'list',
  'set',
  'dict',
  'joined',
  'comprehension',
  'lambda',
]);

/** Code pasted with `>>> ` prompts runs in IPython; blanks of the same length keep the offsets. */
function withoutPrompts(source: string): string {
  return /^\s*>>>(?: |$)/.test(source) ? source.replace(/^([ \t]*)(>>>|\.\.\.)(?= |$)/gm, '$1   ') : source;
}

function result(flow: Flow, definitions: Definitions): CellAnalysis {
  const effects = flow.module.effects ?? noEffects();
  const { env } = flow.module.state;
  const assigns: Assign[] = [];
  const aliases = new Map<string, [string, string]>();
  const share = (a: string, b: string) => {
    if (a !== b && a.charCodeAt(0) !== 0 && b.charCodeAt(0) !== 0) aliases.set(`${a} ${b}`, [a, b]);
  };
  /** How often a definition that can travel binds the name. */
  const travelling = new Map<string, number>();
  for (const { names, certain } of definitions.list)
    if (certain) for (const name of names) travelling.set(name, (travelling.get(name) ?? 0) + 1);
  for (const [name, node] of flow.first) {
    const bound = env.get(name);
    const settled = flow.settled.get(name);
    assigns.push({
      name,
      range: { from: node.from, to: node.to },
      certain: bound?.certain ?? false,
      mutable: bound?.mutable ?? true,
      ...(settled === undefined ? {} : { settled }),
      ...(bound?.deleted ? { deletes: true } : bound?.certain && bound.stays ? { stays: bound.stays } : {}),
      ...(flow.bindings.get(name) === travelling.get(name) ? { code: true } : {}),
    });
    if (bound && !bound.deleted) for (const origin of bound.origins) share(name, origin);
  }
  for (const [a, b] of flow.links) share(a, b);
  return {
    reads: [...effects.reads.values()],
    uses: [...effects.uses.values()],
    assigns,
    mutates: [...effects.mutates.values()],
    aliases: [...aliases.values()],
    definitions: definitions.list,
    functions: flow.functions,
    calls: callsOf(effects.calls, flow.module.mark),
    channels: { reads: [...effects.channels.reads], changes: [...effects.channels.changes] },
    files: effects.files,
    dynamic: effects.dynamic,
    errors: [],
    magics: flow.magics,
  };
}
