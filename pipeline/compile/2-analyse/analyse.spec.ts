/**
 * One row per form: source → what the analysis says, in a small notation.
 * R reads (`?` when the cell may have bound it) · A bindings (`?` not certain, `-` deleted, `=` certainly immutable) · M names that may change in place · L names that share ·
 * D definitions (`?` conditional, `[needs]`) · F functions (`!` parameter that may change) · C calls left to stage 3 (`!` dropped) · ch channels read>changed · f files read>written (`*` any) · Y what cannot be followed.
 * A row checks the parts it names; reads of builtins are left out.
 */
import type { CellAnalysis } from '../analysis';
import { analyse, isBuiltin } from './index';

const parts: Record<string, (a: CellAnalysis) => string> = {
  R: a =>
    a.reads
      .filter(r => !isBuiltin(r.name))
      .map(r => r.name + (r.maybe ? '?' : ''))
      .join(' '),
  A: a => a.assigns.map(x => x.name + (x.certain ? '' : '?') + (x.deletes ? '-' : '') + (x.mutable ? '' : '=')).join(' '),
  M: a =>
    a.mutates
      .map(m => m.name)
      .sort()
      .join(' '),
  L: a => a.aliases.map(([x, y]) => `${x}~${y}`).join(' '),
  D: a =>
    a.definitions
      .map(
        d =>
          `${d.kind}:${d.names.join(',')}${d.certain ? '' : '?'}${d.needs.length ? `[${d.needs.filter(n => !isBuiltin(n)).join(' ')}]` : ''}`,
      )
      .join(' '),
  F: a =>
    a.functions
      .map(
        f =>
          `${f.name}(${f.parameters.map(p => p.name + (p.mutates ? '!' : '')).join(' ')})${f.reads.some(n => !isBuiltin(n)) ? ` reads ${f.reads.filter(n => !isBuiltin(n)).join(' ')}` : ''}${f.assigns.length ? ` binds ${f.assigns.join(' ')}` : ''}${f.mutates.length ? ` changes ${f.mutates.join(' ')}` : ''}`,
      )
      .join('; '),
  C: a =>
    a.calls
      .map(c => `${c.callee}(${c.arguments.map(x => (x.keyword ? `${x.keyword}=` : '') + x.name).join(',')})${c.dropped ? '!' : ''}`)
      .join(' '),
  ch: a => `${[...a.channels.reads].sort().join(' ')}>${[...a.channels.changes].sort().join(' ')}`,
  f: a =>
    `${a.files.reads.map(x => x.path).join(' ')}${a.files.readsAny ? '*' : ''}>${a.files.writes.map(x => x.path).join(' ')}${a.files.writesAny ? '*' : ''}`,
  Y: a => a.dynamic.map(d => d.reason).join('; '),
};

type Row = [source: string, expected: Record<string, string>];

const check = (rows: Row[]) => {
  it.each(rows)('%j', (source, expected) => {
    const analysis = analyse(source);
    expect(analysis.errors).toEqual([]);
    const found = Object.fromEntries(Object.keys(expected).map(key => [key, (parts[key] as (a: CellAnalysis) => string)(analysis)]));
    expect(found).toEqual(expected);
  });
};

describe('names and scopes', () => {
  check([
    ['x = 1', { R: '', A: 'x=' }],
    ['y = x', { R: 'x', A: 'y', L: 'y~x' }],
    ['a = b = c', { R: 'c', A: 'a b', L: 'a~c b~c' }],
    ['a, b = c, d', { R: 'c d', A: 'a b', L: 'a~c b~d' }],
    ['a, *b = c', { R: 'c', A: 'a b' }],
    ['(a, [b, c]) = d', { R: 'd', A: 'a b c' }],
    ['for i, (j, *k) in x: pass', { R: 'x', A: 'i? j? k?' }],
    ['x += 1', { R: 'x', A: 'x', M: 'x' }],
    ['x = 1\nx += 1', { R: '', A: 'x=', M: '' }],
    ['x = x + 1', { R: 'x', A: 'x', M: '' }],
    ['x: int = y', { R: 'y', A: 'x' }],
    ['x: T', { R: 'T', A: '' }],
    ['x: "T" = 1', { R: '', A: 'x=' }],
    ['from __future__ import annotations\nx: T = 1', { R: '' }],
    ['del x', { R: 'x', A: 'x-' }],
    ['x = 1\ndel x', { R: '', A: 'x-' }],
    ['del a, (b, c.d), e[f]', { R: 'a b c e f', A: 'a- b-', M: 'c e' }],
    ['[i for i in x]', { R: 'x', A: '' }],
    ['[i + k for i in x if i > m]', { R: 'x m k', A: '' }],
    ['[j for i in x for j in i]', { R: 'x', A: '' }],
    ['i = [i for i in i]', { R: 'i', A: 'i' }],
    ['{k: v for k, v in d.items()}', { R: 'd', A: '' }],
    ['{a for a in b}', { R: 'b', A: '' }],
    ['any(i in s for i in x)', { R: 'x s', A: '' }],
    ['[y := f(i) for i in x]', { R: 'x f', A: 'y?' }],
    ['if (n := len(a)) > 3: pass\nprint(n)', { R: 'a', A: 'n' }],
    ['p and (q := 1)', { R: 'p', A: 'q?' }],
    ['r = (q := v)', { R: 'v', A: 'q r' }],
    ['f = lambda x, y=d: x + y + z', { R: 'd', A: 'f', F: 'f(x y) reads z' }],
    ['sorted(a, key=lambda r: r[k])', { R: 'a k', A: '' }],
    ['def f(a, b=c, *d, e=g, **h): return i', { R: 'c g', A: 'f', F: 'f(a b d e h) reads i' }],
    ['def f(a: T) -> U: pass', { R: 'T U', D: 'function:f[T U]' }],
    ['def f():\n    x = 1\n    return x + y', { F: 'f() reads y' }],
    ['def f():\n    global x\n    x = 1', { F: 'f() binds x' }],
    ['def f():\n    global x\n    x += 1', { F: 'f() reads x binds x changes x' }],
    ['def f():\n    x = 1\n    def g():\n        nonlocal x\n        x = y\n    return g', { F: 'f() reads y' }],
    ['def f():\n    def g(): return a\n    return g() + b', { F: 'f() reads a b' }],
    ['def f(): return [x for x in y if x in z]', { F: 'f() reads y z' }],
    ['def f():\n    import os\n    return os.sep', { F: 'f()' }],
    [
      'def f():\n    for i in a: pass\n    with b as c: pass\n    try: pass\n    except E as e: pass\n    return i, c, e',
      { F: 'f() reads a b E' },
    ],
    ['def f(n):\n    return f(n - 1)', { F: 'f(n) reads f' }],
    ['async def f(x):\n    async for i in x: await g(i)\n    async with h as j: return j', { F: 'f(x) reads g h' }],
    ['async for i in x: pass', { R: 'x', A: 'i?' }],
    ['r = await f(x)', { R: 'f x', A: 'r' }],
    ['r = [i async for i in x]', { R: 'x', A: 'r' }],
    [
      'class A(B, metaclass=M):\n    c = d\n    def m(self): return c + e',
      { R: 'B M d', A: 'A', D: 'class:A[B M d]', F: 'A.m(self) reads c e; A() reads c e' },
    ],
    ['class A:\n    n = 3\n    xs = [i for i in range(n)]', { R: '', A: 'A' }],
    ['class A:\n    n = 3\n    xs = [n for i in range(2)]', { R: 'n', A: 'A' }],
    ['class A:\n    x: T = 1', { R: 'T' }],
    ['@dec(k)\ndef f(): pass', { R: 'dec k', D: 'function:f[dec k]' }],
    ['@a.b[c]\nclass D: pass', { R: 'a c', D: 'class:D[a c]' }],
    ['type X[T: B] = list[T] | Y', { R: 'B Y', A: 'X' }],
    ['def f[T](x: T, y: U) -> T: return V', { R: 'U', F: 'f(x y) reads V' }],
    ['class A[T](B[T]): x: T', { R: 'B', A: 'A' }],
    ['f"{a!r:>{w}} {b=} {c["k"]} {f\'{d}\'}"', { R: 'a w b c d' }],
    ['x = f"{y:{z}.{p}}"', { R: 'y z p', A: 'x=' }],
    ['"a" f"{b}" "c"', { R: 'b' }],
    ['print(*a, **b)', { R: 'a b' }],
    ['x[a:b, ::c]', { R: 'x a b c' }],
    ['x[*a]', { R: 'x a' }],
    ['a if b else c', { R: 'b a c' }],
    ['not a <= b is not c in d', { R: 'a b c d' }],
    ['assert a, b', { R: 'a b' }],
    ['raise E from e', { R: 'E e' }],
    ['import a.b.c', { A: 'a', D: 'import:a' }],
    ['import a.b as c, d', { A: 'c d', D: 'import:c,d' }],
    ['from a import b as c, d', { A: 'c d', D: 'import:c,d' }],
    ['from . import a', { A: 'a', D: 'import:a' }],
    ['from m import *', { A: '', D: 'import:*', Y: 'from m import *' }],
    ['match = 1\ntype = 2\ncase = match + type\n_ = print', { A: 'match= type= case _' }],
    ['match(x)', { R: 'match x' }],
    ['print = 5', { A: 'print=' }],
    ['x = yield_', { R: 'yield_' }],
    ['with open(a) as (b, c), d as e.f: pass', { R: 'a d e', A: 'b c', M: 'e' }],
    ['with (a as b, c as d,): pass', { R: 'a c', A: 'b d' }],
    ['with (a, b): pass', { R: 'a b' }],
    ['with (yield_)(x) as y: pass', { R: 'yield_ x', A: 'y' }],
    ['for x in *a, b: pass', { R: 'a b', A: 'x' }],
    ['for a.b in c: pass', { R: 'c a', A: '', M: 'a' }],
    ['globals()["x"] = y', { R: 'y', A: 'x', Y: '' }],
    ['z = globals()["x"]', { R: 'x', A: 'z' }],
    ['globals()[n] = 1', { R: 'n', Y: 'names assigned by a computed text' }],
    ['if "x" not in globals(): x = 1', { R: 'x?', A: 'x?=' }],
    ['vars()["x"]', { R: 'x' }],
    ['exec("w = v + 1")', { R: 'v', A: 'w', Y: '' }],
    ['y = eval("a + b")', { R: 'a b', A: 'y' }],
    ['exec(code)', { R: 'code', Y: 'exec of a computed text' }],
    ['_ + Out[3] + _5', { R: '_ Out _5' }],
    ['x = 1; y = x;', { R: '', A: 'x= y=' }],
    ['é = ñ', { R: 'ñ', A: 'é' }],
    ['  x = 1\n  y = z', { R: 'z', A: 'x= y' }],
    ['>>> x = y\n>>> if x:\n...     z = 1', { R: 'y', A: 'x z?=' }],
    ['x = (\n  a +\n  b  # why?\n)', { R: 'a b', A: 'x' }],
    ['x = a \\\n  + b', { R: 'a b', A: 'x' }],
    ['', { R: '', A: '' }],
    ['# only a comment', { R: '', A: '' }],
  ]);
});

describe('what is certain where', () => {
  check([
    ['if a: x = 1', { R: 'a', A: 'x?=' }],
    ['if a: x = 1\nelse: x = 2\nx', { R: 'a', A: 'x=' }],
    ['if a: x = 1\nelif b: x = 2\nelse: x = 3\nprint(x)', { R: 'a b', A: 'x=' }],
    ['if a: x = 1\nelif b: x = 2\nprint(x)', { R: 'a b x?', A: 'x?=' }],
    ['if a: raise E\nelse: x = 1\nprint(x)', { R: 'a E', A: 'x=' }],
    ['if True: x = 1\nprint(x)', { R: '', A: 'x=' }],
    ['if False: x = y', { R: '', A: '' }],
    ['if __name__ == "__main__":\n    x = y\nprint(x)', { R: 'y', A: 'x' }],
    ['for i in range(3): x = i\nprint(x, i)', { R: '', A: 'i x' }],
    ['for i in range(n): x = i\nprint(x)', { R: 'n x?', A: 'i? x?' }],
    ['for i in [1, 2]: x = i\nprint(x)', { R: '', A: 'i x' }],
    ['for i in a:\n    if i: break\n    x = 1\nelse:\n    y = 2', { R: 'a', A: 'i? x?= y?=' }],
    ['for i in (1, 2):\n    if i > b: break\n    x = 1\nprint(x)', { R: 'b x?', A: 'i x?=' }],
    ['for i in (1, 2):\n    if b: continue\n    x = 1\nx', { R: 'b x?', A: 'i x?=' }],
    ['while a: x = 1\nelse: y = 2', { R: 'a', A: 'x?= y=' }],
    ['while True:\n    x = f()\n    if x: break\nprint(x)', { R: 'f', A: 'x' }],
    ['while True:\n    if a: break\n    x = 1\nprint(x)', { R: 'a x?', A: 'x?=' }],
    ['for i in a:\n    t = t + i', { R: 'a t', A: 'i? t?' }],
    ['try: x = a\nexcept E: x = b\nprint(x)', { R: 'a E b', A: 'x' }],
    ['try: x = a\nexcept E: pass\nprint(x)', { R: 'a E x?', A: 'x?' }],
    ['try: x = a\nexcept E: raise\nprint(x)', { R: 'a E', A: 'x' }],
    ['try: x = a\nexcept E as e: print(e)\nelse: y = x\nfinally: z = 1', { R: 'a E', A: 'x? y? e?- z=' }],
    ['try: x = a\nfinally: y = x', { R: 'a x?', A: 'x y' }],
    ['try: a\nexcept* (E, F) as e: pass', { R: 'a E F', A: 'e?-' }],
    ['with a as b: x = 1\nprint(x)', { R: 'a', A: 'b x=' }],
    ['with suppress(E): x = 1\nprint(x)', { R: 'suppress E x?', A: 'x?=' }],
    ['match a:\n    case 1: x = 1\n    case [b, *c]: x = 2\n    case _: x = 3\nprint(x)', { R: 'a', A: 'x= b? c?' }],
    ['match a:\n    case P(u, v=w) | Q.r as s if g: x = 1', { R: 'a P Q g', A: 'u? w? s? x?=' }],
    ['match a:\n    case {"k": v, K.n: m, **rest}: pass', { R: 'a K', A: 'v? m? rest?' }],
    ['match a, b:\n    case -1, "x" "y": pass\n    case (None | True), 1 + 2j: pass\n    case x: y = x', { R: 'a b', A: 'x? y?' }],
    ['if a:\n    def f(): pass\nelse:\n    def f(): pass', { R: 'a', A: 'f', D: 'function:f? function:f?' }],
    ['try:\n    import a\nexcept ImportError:\n    a = None', { A: 'a', D: 'import:a?' }],
    ['x = y if y else (z := 1)', { R: 'y', A: 'z? x' }],
    ['if a:\n    del x', { R: 'a x', A: 'x?-' }],
    ['def f(): pass\nf()\nx = 1', { A: 'f x=', C: 'f()!' }],
  ]);
});

describe('changes in place', () => {
  check([
    ['a[0] = 1', { R: 'a', M: 'a' }],
    ['a.x = 1', { M: 'a' }],
    ['a.b[c].d = 1', { M: 'a', R: 'a c' }],
    ['a[0] += 1', { M: 'a' }],
    ['a.b -= c', { M: 'a', R: 'c a' }],
    ['del a[0]', { M: 'a' }],
    ['del a.b', { M: 'a' }],
    ['a[0], b.c = 1, 2', { M: 'a b' }],
    ['for a[0] in b: pass', { M: 'a' }],
    ['a += b', { M: 'a', L: 'a~b' }],
    ['a.append(b)', { M: 'a', L: 'a~b' }],
    ['a[0].append(1)', { M: 'a' }],
    ['a.b().c.append(1)', { M: 'a' }],
    ['x = a.pop()', { M: 'a', A: 'x' }],
    ['x = d.setdefault(k, [])', { M: 'd' }],
    ['d.update(e)', { M: 'd' }],
    ['a.sort()', { M: 'a' }],
    ['model.fit(X, y)', { M: 'model' }],
    ['m = model.fit(X, y)', { M: 'model', L: 'm~model' }],
    ['Z = scaler.fit_transform(X)', { M: 'scaler', L: '' }],
    ['p = model.predict(X)', { M: '', L: '' }],
    ['thing.frobnicate(x)', { M: 'thing x' }],
    ['y = thing.frobnicate(x)', { M: '', L: 'y~thing y~x' }],
    ['df.drop(columns=["a"], inplace=True)', { M: 'df' }],
    ['df["a"].fillna(0, inplace=True)', { M: 'df' }],
    ['df.drop(columns=["a"], inplace=False)', { M: '' }],
    ['df.drop(columns=["a"], inplace=flag)', { M: 'df' }],
    ['df.loc[i, "a"] = 1', { M: 'df' }],
    ['df.columns = c', { M: 'df' }],
    ['df.copy().drop("a", inplace=True)', { M: '' }],
    ['b = a\nb.append(1)', { M: 'a b' }],
    ['b = a.x\nb[0] = 1', { M: 'a b' }],
    ['b = a.copy()\nb[0] = 1', { M: 'b' }],
    ['for row in rows: row["x"] = 1', { M: 'row rows' }],
    ['for i, r in enumerate(rows): r.append(i)', { M: 'r rows' }],
    ['[acc.append(i) for i in x]', { M: 'acc' }],
    ['c and a.append(1)', { M: 'a' }],
    ['a.append(1) if c else b.append(2)', { M: 'a b' }],
    ['for i in x:\n    b[0] = 1\n    b = a', { M: 'a b' }],
    ['c = a if p else b\nc.append(1)', { M: 'a b c' }],
    ['pair = [a, b]\npair[0].append(1)', { M: 'a b pair' }],
    ['next(it)', { M: 'it' }],
    ['x = next(it)', { M: 'it' }],
    ['g = (i for i in x)\nlist(g)', { M: 'g x' }],
    ['setattr(a, "b", c)', { M: 'a', L: 'a~c' }],
    ['import random\nrandom.shuffle(x)', { M: 'x' }],
    ['from random import shuffle\nshuffle(x)', { M: 'x' }],
    ['np.copyto(a, b)', { M: 'a' }],
    ['np.add(a, b, out=c)', { M: 'c' }],
    ['np.mean(a)', { M: '' }],
    ['import heapq\nheapq.heappush(h, x)', { M: 'h' }],
    ['loss.backward()\nopt.step()\nopt.zero_grad()', { M: 'loss opt' }],
    ['t.add_(1)', { M: 't' }],
    ['net.load_state_dict(s)', { M: 'net' }],
    ['ax.plot(x)', { M: 'ax' }],
    ['df.plot(kind="bar")', { M: '' }],
    ['ax.set_title("t")', { M: 'ax' }],
    ['df.plot(ax=ax)', { M: 'ax' }],
    ['df.plot.bar()', { M: '' }],
    ['df.head()', { M: '' }],
    ['print(a, len(b), sorted(c))', { M: '' }],
    ['f(x)', { M: '', C: 'f(x)!' }],
    ['y = f(x, k=z)', { M: '', C: 'f(x,k=z)', L: 'y~x y~z' }],
    ['_ = f(x)', { C: 'f(x)!' }],
    ['f(*x, **y)', { C: 'f(x,y)!' }],
    ['f([x])', { C: 'f(x)!' }],
    ['h = open("x")\nt = h.read()', { M: 'h', L: '' }],
    ['print(a, file=h)', { M: 'h' }],
    ['match a:\n    case [x, y]: x.append(1)', { M: 'a x' }],
    ['with a as b: b.c = 1', { M: 'a b' }],
    ['a = b = []\na.append(1)', { A: 'a b' }],
    ['def f(x):\n    x.append(1)', { F: 'f(x!)', M: '' }],
    ['def f(x):\n    x = x.copy()\n    x["a"] = 1', { F: 'f(x)' }],
    ['def f(x):\n    y = x[0]\n    y.z = 1', { F: 'f(x!)' }],
    ['def f(x, y): x.a = y\n', { F: 'f(x! y)' }],
    ['def f(): g.append(1)', { F: 'f() reads g changes g' }],
    ['def f(x):\n    def h(y): y.append(1)\n    h(x)', { F: 'f(x!)' }],
    ['def f(x):\n    def h(): x.append(1)\n    h()', { F: 'f(x!)' }],
    ['f = lambda x: x.pop()', { F: 'f(x!)' }],
    ['class A:\n    def m(self, x): self.n = x\n    def k(self): return self.n', { F: 'A.m(self! x); A.k(self); A()' }],
    ['class A:\n    def __init__(self, x): x.append(self)', { F: 'A.__init__(self x!); A(x!)' }],
  ]);
});

describe('definitions and setup', () => {
  check([
    ['sns.set_theme()', { D: 'setup:[sns]', ch: '>@matplotlib' }],
    ['pd.set_option("display.max_rows", n)', { D: 'setup:[pd n]', ch: '>@pandas' }],
    ['plt.style.use("ggplot")', { D: 'setup:[plt]', ch: '>@matplotlib' }],
    ['plt.rcParams["figure.figsize"] = (8, 4)', { D: 'setup:[plt]', ch: '@matplotlib>@matplotlib', M: '' }],
    ['pd.options.display.max_rows = 5', { D: 'setup:[pd]' }],
    ['np.set_printoptions(precision=3)', { D: 'setup:[np]', ch: '>@numpy' }],
    ['import warnings\nwarnings.filterwarnings("ignore")', { D: 'import:warnings setup:[warnings]', ch: '>@warnings' }],
    ['from tqdm import tqdm\ntqdm.pandas()', { D: 'import:tqdm setup:[tqdm]' }],
    [
      'from IPython.core.interactiveshell import InteractiveShell\nInteractiveShell.ast_node_interactivity = "all"',
      { D: 'import:InteractiveShell setup:[InteractiveShell]' },
    ],
    ['import plotly.io as pio\npio.renderers.default = "png"', { D: 'import:pio setup:[pio]' }],
    ['import altair as alt\nalt.data_transformers.enable("json")', { D: 'import:alt setup:[alt]' }],
    ['import torch\ntorch.set_default_dtype(torch.float64)', { D: 'import:torch setup:[torch]' }],
    ['import sklearn\nsklearn.set_config(display="text")', { D: 'import:sklearn setup:[sklearn]' }],
    ['import xarray as xr\nxr.set_options(keep_attrs=True)', { D: 'import:xr setup:[xr]' }],
    ['import locale\nlocale.setlocale(locale.LC_ALL, "C")', { D: 'import:locale setup:[locale]' }],
    ['import logging\nlogging.basicConfig(level=10)', { D: 'import:logging setup:[logging]' }],
    ['import m\nm.CONST = 3', { D: 'import:m setup:[m]' }],
    ['import m\nm.units.aliases["speed"] = "m/s"', { D: 'import:m setup:[m]' }],
    ['import sympy\nsympy.init_printing()', { D: 'import:sympy setup:[sympy]' }],
    ['%matplotlib inline', { D: 'setup:', ch: '>@matplotlib' }],
    ['%load_ext autoreload', { D: 'setup:', ch: '>@ipython' }],
    ['plt.plot(x)\nplt.show()', { D: '', ch: '@matplotlib>' }],
    ['import os\nos.makedirs("out")', { D: 'import:os' }],
    ['np.random.seed(0)', { D: '', ch: '>@numpy.random' }],
    ['x.y = 3', { D: 'setup:[x]' }],
    ['x = f()\nx.y = 3', { D: '' }],
    ['def f(x=d): return g', { D: 'function:f[d]' }],
    ['class A(B): pass', { D: 'class:A[B]' }],
  ]);
});

describe('channels', () => {
  check([
    ['import numpy as np\nx = np.random.rand(3)', { ch: '@numpy.random>@numpy.random' }],
    ['rng = np.random.default_rng(0)', { ch: '>' }],
    ['from numpy.random import randn\nx = randn(3)', { ch: '@numpy.random>@numpy.random' }],
    ['import random as r\nx = r.random()', { ch: '@random>@random' }],
    ['random.seed(1)', { ch: '>@random' }],
    ['df.sample(5)', { ch: '@numpy.random>@numpy.random' }],
    ['df.sample(5, random_state=0)', { ch: '>' }],
    ['train_test_split(X, y)', { ch: '@numpy.random>@numpy.random' }],
    ['train_test_split(X, y, random_state=1)', { ch: '>' }],
    ['os.environ["A"] = "1"', { ch: '@environ>@environ', M: '' }],
    ['x = os.environ["A"]', { ch: '@environ>' }],
    ['x = os.getenv("A")', { ch: '@environ>' }],
    ['os.chdir("x")', { ch: '>@cwd' }],
    ['sys.path.append("x")', { ch: '@path>@path', M: '' }],
    ['torch.manual_seed(0)', { ch: '>@torch.random' }],
    ['%env A=1', { ch: '>@environ' }],
    ['%cd x', { ch: '>@cwd' }],
    ['def f(): return np.random.rand()', { ch: '>' }],
    ['df.hist()', { ch: '@matplotlib>' }],
  ]);
});

describe('files', () => {
  check([
    ['df = pd.read_csv("data/x.csv")', { f: 'data/x.csv>' }],
    ['df.to_csv("./out.csv")', { f: '>out.csv' }],
    ['df.to_csv()', { f: '>' }],
    ['open("a").read()', { f: 'a>' }],
    ['open("a", "w")', { f: '>a' }],
    ['open("a", mode="a")', { f: 'a>a' }],
    ['with open(p) as h: pass', { f: '*>' }],
    ['p = "x.csv"\npd.read_csv(p)', { f: 'x.csv>' }],
    ['d = "data"\npd.read_csv(d + "/x.csv")', { f: 'data/x.csv>' }],
    ['import os\nnp.load(os.path.join("a", "b.npy"))', { f: 'a/b.npy>' }],
    ['from pathlib import Path\nt = (Path("a") / "b.txt").read_text()', { f: 'a/b.txt>' }],
    ['np.save("x.npy", a)', { f: '>x.npy' }],
    ['import joblib\njoblib.dump(m, "m.joblib")', { f: '>m.joblib' }],
    ['plt.savefig("f.png")', { f: '>f.png' }],
    ['pd.read_csv("https://x.org/y.csv")', { f: '>' }],
    ['os.listdir(".")', { f: '*>' }],
    ['import glob\nglob.glob("*.csv")', { f: '*>' }],
    ['import shutil\nshutil.copy("a", "b")', { f: 'a>b' }],
    ['%%writefile m.py\nimport x\n', { f: '>m.py', A: '', D: '' }],
    ['!ls', { f: '*>' }],
    ['!python make.py', { f: '*>*' }],
    ['!pip install x', { f: '>' }],
    ['def f(): return pd.read_csv("x.csv")', { f: '>' }],
  ]);
});

describe("IPython's own syntax", () => {
  check([
    ['%timeit f(x)', { R: 'f x', A: '' }],
    ['%timeit -n 10 -r 3 y = f(x)', { R: 'f x', A: '' }],
    ['%time y = f(x)', { R: 'f x', A: 'y' }],
    ['%%time\ny = f(x)', { R: 'f x', A: 'y' }],
    ['%%timeit z = a\nb = z', { R: 'a', A: '' }],
    ['\n%%time\ny = x', { R: 'x', A: 'y' }],
    ['%%capture out\ny = x', { R: 'x', A: 'y out' }],
    ['%%capture out --no-stderr\n%%time\ny = x', { R: 'x', A: 'y out' }],
    ['%%bash --out o\nx = 1\necho $HOME', { R: '', A: 'o', f: '*>*' }],
    ['%%html\n<b>{x}</b>', { R: '', A: '' }],
    ['!cat {p} $q $$r {{s}}', { R: 'q p' }],
    ['!echo {d["k"]}', { R: 'd' }],
    ['x = !ls {d}', { R: 'd', A: 'x' }],
    ['x = %pwd', { A: 'x' }],
    ['x?', { R: 'x' }],
    ['a.b??', { R: 'a' }],
    ['?x', { R: 'x' }],
    ['y = 1 # what?', { R: '', A: 'y=' }],
    ['if a:\n    %time b = c\n    !ls\nelse:\n    b = 1', { R: 'a c', A: 'b' }],
    ['for f in g:\n    !cat $f', { R: 'g', A: 'f?' }],
    ['x = a % b', { R: 'a b' }],
    ['x = (a\n% b)', { R: 'a b' }],
    ['%run prepare.py', { Y: '%run prepare.py' }],
    ['%pylab inline', { Y: '%pylab' }],
    ['get_ipython().run_line_magic("matplotlib", "inline")', { ch: '>@matplotlib' }],
    ['get_ipython().system("cat $p")', { R: 'p', f: '*>' }],
    ['df.query("a > @t and b < @u.v")', { R: 'df t u', M: '' }],
    ['pd.eval("a + b")', { R: 'pd a b' }],
    ['pip install x', { R: '', A: '', f: '>', Y: '' }],
    ['ls', { R: '', f: '*>' }],
    ['ls -la', { R: '', f: '*>' }],
    ['x.sort', { D: '' }],
    ['cd ..', { R: '', ch: '>@cwd' }],
    ['x', { R: 'x', Y: '' }],
    ['plt.plot(x);', { R: 'plt x' }],
    ['%%unknown -i a -o b\nsomething', { R: 'a', A: 'b', Y: '%%unknown' }],
  ]);
});

it('says where a definition stands and keeps its source', () => {
  const [definition] = analyse('x = 1\n\n@dec\ndef f():\n    return 1\n').definitions;
  expect(definition).toMatchObject({ line: 2, source: '@dec\ndef f():\n    return 1' });
});
it('keeps the source of a conditional definition runnable', () => {
  const [definition] = analyse('if a:\n    @dec\n    def f():\n        return 1\n').definitions;
  expect(definition).toMatchObject({ certain: false, source: '@dec\ndef f():\n    return 1' });
});
it('says what imported names stand for', () => {
  expect(analyse('import numpy as np, a.b\nfrom random import shuffle as s').definitions.map(d => d.origins)).toEqual([
    { np: 'numpy', a: 'a' },
    { s: 'random.shuffle' },
  ]);
});
it('takes a line for a magic of the notebook only if there is one', () => {
  expect(analyse('greet world').errors).toMatchObject([{ ifMagic: 'greet' }]);
  expect(analyse('if x').errors).toMatchObject([{ message: expect.stringContaining("Expected ':'") }]);
  expect(analyse('%alias greet echo hello').magics).toEqual(['greet']);
  expect(analyse('@register_line_magic\ndef greet(line): pass').magics).toEqual(['greet']);
});
it('says from where on a name is bound', () => {
  const { assigns, uses } = analyse('k = f()\nif a:\n    m = 1\nelse:\n    m = 2\ng()');
  expect(assigns.map(a => [a.name, a.settled])).toEqual([
    ['k', 7],
    ['m', 39],
  ]);
  expect(uses.map(u => u.name)).toEqual(['f', 'a', 'g']);
});

describe('errors', () => {
  it.each([
    ['x = (1,', "'(' is never closed."],
    ['x = )', "')' has no opening '('."],
    ['x = "abc', 'This string is not closed.'],
    ['if x\n    y', "Expected ':' after the condition of 'if', but the line ends here."],
    ['for i in x:\npass', "Expected an indented block after 'for', but found 'pass'."],
    ['x = = 1', "Expected an expression, but found '='."],
    ['f(x) = 1', "'f(x)' cannot be assigned to."],
    ['print "a"', 'Expected the end of the statement, but found \'"a"\'.'],
    ['def f(:\n  pass', "'(' is never closed."],
    ['x = 1\n   y = 2', 'Expected a statement, but the indent changes here.'],
    ['if a:\n        b\n    c', 'This indent matches no block above.'],
    ['a b', "Expected the end of the statement, but found 'b'."],
    ['%%time\nx = (', "'(' is never closed."],
  ])('%j', (source, message) => {
    const { errors } = analyse(source);
    expect(errors.map(e => e.message)).toEqual([message]);
    const { from, to } = errors[0]?.range ?? { from: -1, to: -1 };
    expect(from).toBeGreaterThanOrEqual(0);
    expect(to).toBeGreaterThan(from);
    expect(to).toBeLessThanOrEqual(source.length + 1);
  });
});
