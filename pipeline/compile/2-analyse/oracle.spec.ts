/**
 * Python's own compiler as an independent oracle: over the standard library of the Python at hand (a few hundred files that use every corner of the language) and over forms that it may lack, the analysis must
 * find no syntax error and name the same global names as bound and as read.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { analyse } from './index';

interface Answer {
  path?: string;
  source: string;
  error?: string;
  bound: string[];
  read: string[];
  deleted: string[];
  augmented: string[];
  annotated: string[];
  inClass: string[];
  declared: string[];
  targets: string[];
}

const python = process.env.STEPWELL_TEST_PYTHON ?? 'python3';

function ask(args: string[], input = ''): Answer[] {
  const { stdout, stderr, status } = spawnSync(python, [join(__dirname, 'oracle.py'), ...args], {
    input,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`${python} said: ${stderr}`);
  return JSON.parse(stdout) as Answer[];
}

function differences(answer: Answer): Record<string, string[]> {
  const analysis = analyse(answer.source);
  const bound = new Set([...analysis.assigns.map(a => a.name), ...analysis.functions.flatMap(f => f.assigns)]);
  const read = new Set([...analysis.reads, ...analysis.uses].map(u => u.name).concat(analysis.functions.flatMap(f => f.reads)));
  // Where the two count differently, see oracle.py; `__class__` is the compiler's own, `globals` is looked through, and a branch for `__name__ != '__main__'` is never run.
  const beside = new Set([
    ...answer.deleted,
    ...answer.augmented,
    ...answer.annotated,
    ...answer.inClass,
    ...answer.declared,
    ...answer.targets,
    '__class__',
    'globals',
    'locals',
    'vars',
    '__file__',
  ]);
  const missing = (from: Iterable<string>, to: Set<string>) => [...from].filter(name => !to.has(name) && !beside.has(name));
  const found = {
    errors: analysis.errors.map(e => e.message),
    'bound, says only the analysis': missing(bound, new Set(answer.bound)),
    'bound, says only Python': missing(answer.bound, bound),
    'read, says only the analysis': missing(read, new Set(answer.read)),
    'read, says only Python': missing(answer.read, read),
  };
  return Object.fromEntries(Object.entries(found).filter(([, names]) => names.length));
}

const snippets = [
  'x = [i*j for i in a for j in b if i if j]\ny = {k: v for k, v in x}',
  'def f(a, *b, c=d, **e):\n    global g\n    g = [h for h in a if h in i]\n    return lambda j: j + k',
  'class A(B):\n    c = d\n    def e(self):\n        return c, __class__\n    class F:\n        g = h',
  'def f():\n    a = 1\n    def g():\n        nonlocal a\n        a = b\n        def h(): return a, c\n        return h\n    return g',
  'if (n := f(x)) > 1: pass\nwhile chunk := read(): print(chunk)',
  'with a as b, c as (d, e): pass\nfor f, *g in h: i = f\nelse: j = k',
  'try: a\nexcept (B, C) as d: e = d\nelse: f\nfinally: g = h',
  'import a.b.c, d.e as f\nfrom g import h as i, j\nfrom . import k',
  '@a.b(c)\ndef f(x: A = d, *y: B) -> C: z = x; return z',
  'async def f():\n    async with a as b: pass\n    async for c in d: yield c\n    return [e async for e in g]',
  "print(f'{a!r:>{b}} {c:{d}.{e}} {f(g)} {{h}} {i=}')",
  'lambda a, *b, c=d, **e: (a, f, lambda: b)',
  'x[a:b, ::c] = d[e] = f.g = h',
  'a = b if c else d; e = not f; g = -h ** -i; j = k @ l',
  'del a, b[c], d.e',
  'def outer():\n    x = 1\n    class C:\n        y = x\n        z = [y for _ in range(3)]\n    return C',
  'def f():\n    return [x := g(y) for y in z], x',
  'match a:\n    case [b, *c] if d: e = f\n    case {"k": g, **h}: pass\n    case I(j, k=l) | M.n as o: pass\n    case -1 | 2.5 | "s" | None: pass\n    case _: p = q',
];

it('agrees with Python on the forms of the language', () => {
  const answers = ask([], JSON.stringify(snippets)).map((answer, i) => ({ ...answer, source: snippets[i] as string }));
  expect(answers.map(a => a.error).filter(Boolean)).toEqual([]);
  expect(answers.map(differences)).toEqual(snippets.map(() => ({})));
});

it("agrees with Python on Python's own library", () => {
  const folder = spawnSync(python, ['-c', 'import sysconfig; print(sysconfig.get_path("stdlib"))'], { encoding: 'utf8' }).stdout.trim();
  const all = ask([folder, ...['asyncio', 'email', 'json', 'unittest', 'importlib', 'logging'].map(name => join(folder, name))]);
  // A function called `top` confuses Python's own table; `locale` asks for names with `'x' in globals()`.
  const unlike = ['poplib.py', 'locale.py', 'hashlib.py'];
  const answers = all.filter(a => !unlike.some(name => a.path?.endsWith(`/${name}`)));
  expect(answers.filter(a => a.error).map(a => [a.path, a.error])).toEqual([]);
  expect(answers.length).toBeGreaterThan(150);
  const wrong = answers.map(a => [a.path, differences(a)] as const).filter(([, found]) => Object.keys(found).length);
  expect(wrong).toEqual([]);
});
