/** What of a step's code counts: pairs that are the same, pairs that are not, and what a step reaches of shared cells. */
import type { Cell } from '../model/pipeline';
import { codeText, holdsLiteralsOnly, sharedCode, wordsOf } from './code';

describe('the text of code', () => {
  it.each([
    ['a comment', 'x = 1', 'x = 1  # why'],
    ['a line of comment', 'x = 1\ny = 2', 'x = 1\n# more\ny = 2'],
    ['blanks', 'f(a,b)', 'f( a, b )'],
    ['empty lines', 'x = 1\ny = 2', '\nx = 1\n\n\ny = 2\n'],
    ['how far lines are indented', 'if x:\n  y = 1\n  z = 2', 'if x:\n    y = 1\n    z = 2'],
    ['lines inside brackets', 'f(a, b)', 'f(a,\n  b)'],
    ['a line that goes on', 'x = 1 + 2', 'x = 1 + \\\n 2'],
    ['a comment under a magic that times', '%%time\nx = 1', '%%time\nx = 1 # why'],
    ['carriage returns', 'x = 1\ny = 2', 'x = 1\r\ny = 2'],
  ])('is the same whatever %s', (_what, one, other) => {
    expect(codeText(one)).toBe(codeText(other));
  });

  it.each([
    ['what is inside a block', 'if x:\n  y = 1\n  z = 2', 'if x:\n  y = 1\nz = 2'],
    ['a semicolon that hides a result', 'x', 'x;'],
    ['blanks in a text', "'a b'", "'a  b'"],
    ['a hash in a text', "'#1'", "'#2'"],
    ['blanks that an f-string prints', "f'{x=}'", "f'{x = }'"],
    ['an f-string inside another', `f'{f"{x=}"}'`, `f'{f"{x =}"}'`],
    ['the number of a literal', '1', '1.0'],
    ['two names or one', 'a if b else c', 'a ifb else c'],
    ['lines', 'x\n(y)', 'x (y)'],
    ['a magic', '%matplotlib inline', '%matplotlib notebook'],
    ['a shell line', '!ls -l', '!ls - l'],
    ['another language', '%%bash\necho 1 # a', '%%bash\necho 1 # b'],
    ['code that shows its source', 'import inspect\ninspect.getsource(f) # a', 'import inspect\ninspect.getsource(f) # b'],
    ['code that cannot be read', 'x = (', 'x = ( # a'],
  ])('tells %s', (_what, one, other) => {
    expect(codeText(one)).not.toBe(codeText(other));
  });
});

const cells = (...sources: string[]): Cell[] => sources.map((source, cell) => ({ cell, source }));

describe('what a step reaches of shared cells', () => {
  const shared = cells(
    'import numpy as np\nimport pandas as pd',
    'def f(x):\n    return g(x)\ndef g(x):\n    return np.abs(x)\ndef h(x):\n    return x',
  );

  it('is what it names, and what that needs', () => {
    const { reached, imports, always } = sharedCode(shared, wordsOf('y = f(1)'));
    expect(Object.keys(reached)).toEqual(['f()', 'g()', 'np']);
    expect(imports).toEqual(['import pandas as pd']);
    expect(always).toEqual([]);
  });

  it('is what a text names too', () => {
    expect(Object.keys(sharedCode(shared, wordsOf("globals()['h'](1)")).reached)).toEqual(['h()']);
    expect(Object.keys(sharedCode(shared, wordsOf("df.query('@h(a)')")).reached)).toEqual(['h()']);
  });

  it('is everything where anything may be used', () => {
    expect(sharedCode(shared, new Set(['*'])).always).toHaveLength(5);
  });

  it.each([
    ['a call', 'np.random.seed(1)'],
    ['an assignment', 'limit = 3'],
    ['a decorator', '@app.register\ndef f():\n    pass'],
    ['a default that is worked out', 'def f(x=make()):\n    pass'],
    ['a class that another may register', 'class A(Base):\n    pass'],
    ['a class with a metaclass', 'class A(metaclass=M):\n    pass'],
    ['a class body that does something', 'class A:\n    x = make()'],
    ['an import of everything', 'from numpy import *'],
    ['a condition', 'if True:\n    def f(): pass'],
    ['a magic', '%matplotlib inline'],
  ])('is, whatever it names, %s', (_what, source) => {
    expect(sharedCode(cells(source), wordsOf('x')).always).toHaveLength(1);
  });

  it.each([
    'class A:\n    x = 1\n    def f(self):\n        return make()',
    'class A(nn.Module):\n    """Doc."""\n    pass',
    'def f(x: int = 3, *, y=None) -> list[int]:\n    return make()',
  ])('is no definition that it does not name: %s', source => expect(sharedCode(cells(source), wordsOf('x')).always).toEqual([]));
});

it.each([
  ['a = 1\nb = "x"\nc: int = 3\nd = [1, {"k": -2.5}]', true],
  ['a = 1\nprint(a)', false],
  ['a = make()', false],
  ['a = 1\nb = a', false],
  ['a[0] = 1', false],
])('knows whether parameters are literals: %j', (source, plain) => {
  expect(holdsLiteralsOnly(cells(source))).toBe(plain);
});
