import type { Literal, Parameter, ParameterType } from '../../pipeline/model/parameter';
import { asInNotebook, choices, control, read } from './fields';

const of = (type: ParameterType, more: Partial<Parameter> = {}): Parameter => ({ name: 'p', type, cell: 0, ...more });
const integer: ParameterType = { kind: 'integer' };
const string: ParameterType = { kind: 'string' };
const maybe = (type: ParameterType): ParameterType => ({ kind: 'optional', of: type });

const filled: [string, Parameter, string | boolean | undefined, Literal | undefined][] = [
  ['a whole number', of(integer, { default: 1 }), '12', 12],
  ['what the notebook has', of(integer, { default: 1 }), undefined, undefined],
  ['what is typed as the notebook has it', of(integer, { default: 1 }), '1', undefined],
  ['an empty field whose default stands', of(integer, { default: 1 }), ' ', undefined],
  ['a number with a fraction', of({ kind: 'number' }, { default: 0.5 }), '1e-3', 0.001],
  ['a default that only Python can say', of({ kind: 'number' }, { source: '1.0' }), '1.0', undefined],
  ['text, quotes and all', of(string, { default: 'a' }), '"b" ', '"b" '],
  ['empty text', of(string, { default: 'a' }), '', ''],
  ['text that must be given', of(string), 'x', 'x'],
  ['a box that was ticked', of({ kind: 'boolean' }, { default: false }), true, true],
  ['a box that was cleared', of({ kind: 'boolean' }, { default: true }), false, false],
  ['a choice of text', of({ kind: 'literal', values: ['gini', 'entropy'] }, { default: 'gini' }), 'entropy', 'entropy'],
  ['a choice of a number', of({ kind: 'literal', values: [1, 2] }, { default: 1 }), '2', 2],
  ['nothing', of(maybe(integer), { default: 3 }), 'None', null],
  ['something instead of nothing', of(maybe(integer), { default: null }), '3', 3],
  ['yes, no or nothing', of(maybe({ kind: 'boolean' }), { default: null }), 'true', true],
  ['a list', of({ kind: 'list', of: integer }, { default: [1] }), '[1, 2]', [1, 2]],
  ['a dict in Python', of({ kind: 'dict', of: { kind: 'any' } }, { default: {} }), "{'a': None}", { a: null }],
  ['anything', of({ kind: 'any' }, { default: null }), '"x"', 'x'],
];

it.each(filled)('reads %s', (_, parameter, entered, value) => {
  const result = read([parameter], entered === undefined ? {} : { p: entered });
  expect(result).toEqual({ values: value === undefined ? {} : { p: value }, faults: {} });
});

it.each<[string, Parameter, string, RegExp]>([
  ['a fraction for a whole number', of(integer, { default: 1 }), '1.5', /takes int/],
  ['words for a number', of({ kind: 'number' }, { default: 1 }), 'many', /takes float/],
  ['nothing where something must be given', of(integer), '', /no default/],
  ['a list of the wrong things', of({ kind: 'list', of: integer }, { default: [] }), '["a"]', /list of int/],
  ['JSON that ends too soon', of({ kind: 'dict', of: { kind: 'any' } }, { default: {} }), '{"a": ', /takes dict/],
])('says what is wrong with %s', (_, parameter, entered, sentence) => {
  const { values, faults } = read([parameter], { p: entered });
  expect(values).toEqual({});
  expect(faults.p).toMatch(sentence);
});

it('shows defaults so that they are read back as they are', () => {
  const cases: Parameter[] = [
    of(integer, { default: 7 }),
    of(string, { default: 'None' }),
    of({ kind: 'list', of: string }, { default: ['a', 'b'] }),
    of({ kind: 'literal', values: ['a', 2] }, { default: 2 }),
    of(maybe(integer), { default: null }),
    of({ kind: 'boolean' }, { default: true }),
  ];
  for (const parameter of cases) {
    const { default: _, ...must } = parameter;
    expect(read([must], { p: asInNotebook(parameter) }).values).toEqual({ p: parameter.default });
  }
});

it('asks for each type in its way', () => {
  const types: ParameterType[] = [
    integer,
    string,
    { kind: 'boolean' },
    { kind: 'literal', values: ['a'] },
    maybe(string),
    maybe({ kind: 'boolean' }),
    { kind: 'any' },
  ];
  expect(types.map(control)).toEqual(['number', 'text', 'tick', 'choice', 'text', 'text', 'json']);
  expect(choices(maybe({ kind: 'literal', values: ['a', 2] }))).toEqual(['None', 'a', '2']);
});
