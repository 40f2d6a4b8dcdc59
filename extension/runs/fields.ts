/**
 * A pipeline's parameters as fields that people fill in, and back. What is left as the notebook has it is not sent at all, so that the
 * notebook's own value counts, down to what JSON cannot say (`1.0`, a tuple).
 */
import { checkParameters, parseParameter } from '../../pipeline/compile';
import type { Literal, Parameter, ParameterType } from '../../pipeline/model/parameter';

/** What is in the fields: a text each, or a box that is ticked or not. */
export type Filled = Record<string, string | boolean>;

/** How a parameter is asked for. */
export function control(type: ParameterType): 'text' | 'number' | 'tick' | 'choice' | 'json' {
  switch (type.kind) {
    case 'boolean':
      return 'tick';
    case 'literal':
      return 'choice';
    case 'integer':
    case 'number':
      return 'number';
    case 'string':
      return 'text';
    case 'optional':
      // A box has two states, and this is a third one.
      return type.of.kind === 'boolean' ? 'text' : control(type.of);
    default:
      return 'json';
  }
}

/** What a field shows before somebody changes it. */
export function asInNotebook({ type, default: value, source }: Parameter): string | boolean {
  if (control(type) === 'tick') return value === true;
  if (value === undefined) return source ?? '';
  return written(value, type);
}

/** The choices of a field, as texts that are read back as themselves. */
export function choices(type: ParameterType): string[] {
  if (type.kind === 'optional') return ['None', ...choices(type.of)];
  return type.kind === 'literal' ? type.values.map(value => written(value, type)) : [];
}

/** The values to start with, and a sentence for each field that holds none. */
export function read(
  parameters: readonly Parameter[],
  filled: Filled,
): { values: Record<string, Literal>; faults: Record<string, string> } {
  const values: Record<string, Literal> = {};
  const faults: Record<string, string> = {};
  for (const parameter of parameters) {
    const { name, type } = parameter;
    const entered = filled[name] ?? asInNotebook(parameter);
    const given = parameter.default !== undefined || parameter.source !== undefined;
    if (given && entered === asInNotebook(parameter)) continue;
    // An empty field gives no value, unless a text is asked for that may be empty.
    const empty = typeof entered === 'string' && entered.trim() === '' && !textOf(type);
    const value = typeof entered === 'boolean' ? entered : parseParameter(entered, type);
    const checked = checkParameters([parameter], empty ? {} : { [name]: value === undefined ? entered : value });
    if (checked.problems[0]) faults[name] = checked.problems[0].message;
    else if (!empty) values[name] = checked.values[name]!;
  }
  return { values, faults };
}

const textOf = (type: ParameterType): boolean => type.kind === 'string' || (type.kind === 'optional' && textOf(type.of));

/** Text that `parseParameter` reads back as this value. */
function written(value: Literal, type: ParameterType): string {
  if (value === null) return 'None';
  return typeof value === 'string' && type.kind !== 'list' && type.kind !== 'dict' ? value : JSON.stringify(value);
}
