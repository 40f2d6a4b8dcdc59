/** Whatever people are in the middle of typing, the analysis answers, with ranges inside the cell, and the same answer each time. */
import fc from 'fast-check';
import { analyse } from './index';

const tokens = [
  ...'x y f df if else elif for in while try except finally with as def class lambda return yield import from global del match case async await not and or is None True print type _'.split(
    ' ',
  ),
  ...'( ) [ ] { } , : ; . = == := += -> * ** @ % ! !ls %time %%capture ? ?? \\ # \' " """ f" f\' {x} \\N{ 1 0x 1.5e 3j ... é 😀'.split(' '),
  '\n',
  '\n    ',
  '\n\t',
  '\n        ',
  ' ',
  '\r\n',
  '\u00a0',
  '\f',
];
const soup = fc.array(fc.constantFrom(...tokens), { maxLength: 60 }).map(parts => parts.join(' ').replace(/ ?\n ?/g, '\n'));
const tight = fc.array(fc.constantFrom(...tokens), { maxLength: 60 }).map(parts => parts.join(''));

const sound = (source: string) => {
  const analysis = analyse(source);
  const ranges = [
    ...analysis.reads,
    ...analysis.uses,
    ...analysis.assigns,
    ...analysis.mutates,
    ...analysis.definitions,
    ...analysis.errors,
    ...analysis.calls,
  ].map(x => x.range);
  for (const { from, to } of ranges) {
    expect(from).toBeGreaterThanOrEqual(0);
    expect(to).toBeGreaterThanOrEqual(from);
    expect(to).toBeLessThanOrEqual(source.length + 1);
  }
  expect(analyse(source)).toEqual(analysis);
};

it('answers on any text', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), sound), { numRuns: 500 });
});
it('answers on any mix of tokens', () => {
  fc.assert(fc.property(fc.oneof(soup, tight), sound), { numRuns: 2000 });
});
it('answers on any part of a cell', () => {
  const cell =
    '%%time\nimport numpy as np\n@d(a)\nclass A(B[T], m=M):\n    """doc"""\n    def f(self, *a: int, k=f"{x!r:>{w}}", **kw) -> "T":\n        return {k: [v for v in a if (y := v)] for k in kw}\nx = !ls {d}\nmatch x:\n    case [1, *r] | {"k": P(q=w)} if r: pass\nwith (open("f") as g, h): del g[0], h.i\ntry: a[b] += c\nexcept* E as e: raise F from e\nfinally: print(*a, **b)\n';
  fc.assert(
    fc.property(fc.nat(cell.length), fc.nat(cell.length), (a, b) => sound(cell.slice(Math.min(a, b), Math.max(a, b)))),
    { numRuns: 1000 },
  );
});
it.each([
  ['brackets', '('.repeat(20_000)],
  ['closed brackets', `${'['.repeat(5_000)}${']'.repeat(5_000)}`],
  ['a long chain', `x${'.a()'.repeat(20_000)}`],
  ['a long sum', `x = ${'1 + '.repeat(50_000)}1`],
  ['minus signs', `x = ${'-'.repeat(50_000)}1`],
  ['nots', `x = ${'not '.repeat(50_000)}1`],
  ['nested lambdas', `x = ${'lambda: '.repeat(5_000)}1`],
  ['nested conditions', `x = ${'a if b else '.repeat(5_000)}1`],
  ['nested blocks', Array.from({ length: 500 }, (_, i) => `${' '.repeat(i)}if x:`).join('\n')],
  ['many elifs', `if a: b\n${'elif a: b\n'.repeat(5_000)}`],
  ['nested f-strings', `x = ${'f"{'.repeat(2_000)}`],
  ['nested patterns', `match x:\n case ${'['.repeat(3_000)}`],
])('answers on %s without end', (_, source) => {
  expect(() => analyse(source)).not.toThrow();
});
