import fc from 'fast-check';
import { cellsOf } from './cases/cells';
import { compile, convertKaleTags, createCompiler, suggest, toMermaid } from './index';

const tagged = (source: string) => cellsOf(source);

describe('compile', () => {
  it('never throws, whatever JSON or text it is given', () => {
    const tag = fc.oneof(
      fc.constantFrom('step:a', 'step:b', 'block:', 'prev:a', 'imports', 'parameters', 'skip', 'limit:x', 'image:'),
      fc.string(),
    );
    const source = fc.oneof(
      fc.string(),
      fc.array(fc.string()),
      fc.constantFrom('a = b', 'def f(x=a): return g(x)', 'class A(B): pass', 'import a as b', 'b.c(d)', 'exec(a)', 'del a'),
    );
    const cell = fc.record(
      {
        cell_type: fc.constantFrom('code', 'markdown', 'raw'),
        metadata: fc.oneof(fc.record({ tags: fc.array(tag) }), fc.jsonValue()),
        source,
      },
      { requiredKeys: ['cell_type'] },
    );
    const notebook = fc.record({
      nbformat: fc.constant(4),
      nbformat_minor: fc.nat(5),
      metadata: fc.oneof(
        fc.record({
          stepwell: fc.record({ steps: fc.dictionary(fc.constantFrom('a', 'b'), fc.jsonValue()), defaults: fc.jsonValue() }),
          kubeflow_notebook: fc.jsonValue(),
        }),
        fc.jsonValue(),
      ),
      cells: fc.array(cell),
    });
    fc.assert(
      fc.property(fc.oneof(notebook, fc.jsonValue(), fc.string()), input => {
        const { pipeline, problems } = compile(input);
        expect(pipeline !== undefined || problems.some(problem => problem.severity === 'error')).toBe(true);
        suggest(input);
        convertKaleTags(input);
        if (pipeline) toMermaid(pipeline);
      }),
    );
  });

  it('gives the same for text, for parsed JSON and for sources in lines', () => {
    const notebook = tagged('# %% [step:a]\nx = 1\ny = 2\n# %% [step:b]\nprint(x)');
    const lines = { ...notebook, cells: notebook.cells.map(cell => ({ ...cell, source: (cell.source as string).split(/(?<=\n)/) })) };
    expect(compile(JSON.stringify(notebook))).toEqual(compile(notebook));
    expect(compile(lines)).toEqual(compile(notebook));
  });

  it('leaves the notebook it is given as it is', () => {
    const notebook = tagged('# metadata: {"stepwell": {"steps": {"a": {"retries": -1}}}}\n# %% [step:a]\nx = 1');
    const before = JSON.stringify(notebook);
    compile(notebook);
    expect(JSON.stringify(notebook)).toBe(before);
  });

  it('takes its name from the settings, else from the file', () => {
    expect(compile(tagged('# metadata: {"stepwell": {"name": "mine"}}\n# %%\n1'), { name: 'file' }).pipeline?.name).toBe('mine');
    expect(compile(tagged('# %%\n1'), { name: 'file' }).pipeline?.name).toBe('file');
  });

  it('keeps settings that it does not know', () => {
    const { pipeline } = compile(tagged('# metadata: {"stepwell": {"colour": "red", "steps": {"a": {"mood": 3}}}}\n# %% [step:a]\n1'));
    expect(pipeline?.settings).toMatchObject({ colour: 'red' });
    expect(pipeline?.steps[0]?.settings).toMatchObject({ mood: 3 });
  });

  it('gives defaults to every step, under its own settings', () => {
    const { pipeline } = compile(
      tagged(
        '# metadata: {"stepwell": {"defaults": {"retries": 1, "env": {"A": "1", "B": "1"}}, "steps": {"a": {"retries": 2, "env": {"B": "2"}}}}}\n# %% [step:a]\n1\n# %% [step:b]\n2',
      ),
    );
    expect(pipeline?.steps.map(({ settings }) => settings)).toEqual([
      { retries: 2, env: { A: '1', B: '2' } },
      { retries: 1, env: { A: '1', B: '1' } },
    ]);
  });
});

describe('createCompiler', () => {
  it('gives after any edits what a new compiler gives', () => {
    const lines = [
      'x = 1',
      'x = []',
      'x += 1',
      'def f(): return x',
      'def f(): return A()',
      'def g(x, y=[]): y.append(x)',
      'g(x)',
      'print(f())',
      'y = x',
      'y.append(x)',
      'del x',
      'class A: pass',
      'class A: n = 1',
      'a = A()',
      'a.b = x',
      'print(a)',
      'import m',
      'm.go(y)',
      'm = 3',
      'f = 3',
      'A.n = 2',
      'exec(y)',
      '_',
    ];
    // Whole cells that differ in one line, so that an edit leaves some parts of a cell as they were.
    const source = fc.array(fc.constantFrom(...lines), { minLength: 1, maxLength: 3 }).map(some => some.join('\n'));
    const cell = fc.record({ source, step: fc.constantFrom('step:a', 'step:b', 'step:c', 'step:d', 'step:e', 'imports', 'parameters') });
    const build = (cells: { source: string; step: string }[]) =>
      tagged(cells.map(({ source, step }) => `# %% [${step}]\n${source}\n`).join(''));
    fc.assert(
      fc.property(
        fc.array(cell, { minLength: 1, maxLength: 12 }),
        fc.array(fc.tuple(fc.nat(11), cell), { maxLength: 5 }),
        (cells, edits) => {
          const compiler = createCompiler();
          compiler.compile(build(cells));
          const now = [...cells];
          for (const [at, one] of edits) {
            now[at % now.length] = one;
            expect(compiler.compile(build(now))).toEqual(compile(build(now)));
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('waits only for steps above, apart from `after`', () => {
    const sources = [
      'x = 1',
      'x += y',
      'y = 2',
      'print(x)',
      'if z: y = 3',
      'exec(x)',
      'z = [x]',
      'z.sort()',
      'open("f").read()',
      'open("f", "w")',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...sources), { minLength: 2, maxLength: 12 }), cells => {
        const { pipeline } = compile(tagged(cells.map((source, index) => `# %% [step:s${index}]\n${source}\n`).join('')));
        for (const [index, step] of pipeline!.steps.entries()) {
          for (const name of step.dependsOn) expect(Number(name.slice(1))).toBeLessThan(index);
          for (const read of step.reads) if (read.from) expect(step.dependsOn).toContain(read.from);
        }
      }),
    );
  });
});

describe('suggest', () => {
  const tagsOf = (source: string): string[] => suggest(tagged(source)).map(({ cell, tags }) => `${cell}:${tags.join(',')}`);

  it('follows second-level headings', () => {
    expect(
      tagsOf(
        '# %% md\n# Title\n# %%\nimport a\n# %%\nn = 3\n# %% md\n## 1. Load the data\n# %%\nx = a.load(n)\n# %%\ny = x\n# %% md\n## Train & test!\n# %%\nz = y\n',
      ),
    ).toEqual(['1:imports', '2:parameters', '4:step:load-the-data', '5:step:load-the-data', '7:step:train-test']);
  });

  it('cuts by dataflow where there are no headings', () => {
    expect(tagsOf('# %%\ndef f(x):\n    return x\n# %%\na = f(g())\n# %%\na.sort()\n# %%\nb = g()\n# %%\nprint(b)\n')).toEqual([
      '0:functions',
      '1:step:a',
      '2:step:a',
      '3:step:b',
      '4:step:b',
    ]);
  });

  it('gives equal headings different names, and keeps tags that are not ours', () => {
    expect(tagsOf('# %% md\n## Fit\n# %% [slow]\na = 1 + b\n# %% md\n## Fit\n# %%\nc = a\n')).toEqual(['1:slow,step:fit', '3:step:fit-2']);
  });

  it('leaves tagged cells as they are', () => {
    expect(tagsOf('# %% [step:a]\nx = f()\n# %%\ny = x\n')).toEqual(['1:step:y']);
  });
});

describe('convertKaleTags', () => {
  it('rewrites what has a name of ours', () => {
    expect(
      convertKaleTags(tagged('# %% [pipeline-parameters]\nn = 1\n# %% [block:a]\n1\n# %% [block:, prev:a]\n2\n# %% [step:b, prev:a]\n3')),
    ).toEqual([
      { cell: 0, tags: ['parameters'] },
      { cell: 1, tags: ['step:a'] },
      { cell: 2, tags: ['prev:a'] },
    ]);
  });
});

describe('toMermaid', () => {
  it('draws steps and what crosses', () => {
    const { pipeline } = compile(
      tagged(
        '# metadata: {"stepwell": {"steps": {"c": {"after": ["b"]}}}}\n# %% [step:a]\nx = 1\n# %% [step:b]\nprint(x)\n# %% [step:c]\nprint(x)',
      ),
    );
    expect(toMermaid(pipeline!)).toBe('flowchart TD\n  s0["a"]\n  s1["b"]\n  s2["c"]\n  s0 -->|"x"| s1\n  s0 -->|"x"| s2\n  s1 -.-> s2\n');
  });
});
