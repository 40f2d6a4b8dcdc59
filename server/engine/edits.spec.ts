/**
 * Random edits, and faults between them: at every point a run with reuse shows what a run without it shows. `STEPWELL_EDITS` makes it go on
 * for longer, `STEPWELL_SEED` makes it go where it went before.
 */
import { readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { collect } from './collect';
import { type Cells, openBench, ran, shown } from './notebook-for-tests';

const count = Number(process.env.STEPWELL_EDITS ?? 40);
const firstSeed = Number(process.env.STEPWELL_SEED ?? 1);
jest.setTimeout(120_000 + count * 3000);

/** A small generator of its own: a seed that failed is enough to go there again. */
function dice(seed: number) {
  let state = seed * 2654435761 + 1;
  return (sides: number): number => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) % sides;
  };
}

const functions = 4;
const steps = 6;

/** What a notebook is made of; every edit changes one number of it. */
interface Plan {
  /** What each function adds, and how it is written. */
  adds: number[];
  layout: number[];
  /** What each step does: its kinds of lines. */
  kinds: number[][];
  constants: number[];
  comments: number[];
  parameters: [number, number];
  helper: [value: number, comment: number];
  files: number[];
  title: boolean;
  spare: string;
  shared: boolean;
}

function cellsOf(plan: Plan): Cells {
  const code: string[] = ['import json', plan.spare === '' ? '' : `def ${plan.spare}():\n    return 0`];
  for (let i = 0; i < functions; i++) {
    const note = plan.layout[i]! % 3 === 1 ? '  # adds' : '';
    const body = plan.layout[i]! % 3 === 2 ? `return ( x + ${plan.adds[i]} )` : `return x + ${plan.adds[i]}`;
    const calls = i + 1 < functions ? `x = f${i + 1}(x)` : 'x = int(x)';
    code.push(`def f${i}(x):${note}\n    ${calls}\n    ${body}`);
  }
  const cells: Cells = [['parameters', `a = ${plan.parameters[0]}\nb = ${plan.parameters[1]}`]];
  if (plan.title) cells.unshift(['markdown', '# Title']);
  if (plan.shared) cells.push(['functions', code.filter(Boolean).join('\n')]);
  for (let i = 0; i < steps; i++) {
    const lines = plan.kinds[i]!.map((kind, at) => line(kind, i, at, plan.constants[i]!));
    if (!plan.shared && i === 0) lines.unshift(...code.filter(Boolean));
    if (i === 0) lines.push('rows = [1, 2]', 'import random', 'random.seed(7)');
    if (plan.comments[i]! % 2 === 1) lines.unshift(`# note ${plan.comments[i]}`);
    cells.push([`s${i}`, [...lines, `v${i} = ${plan.constants[i]}`, `print("s${i}", v${i})`].join('\n')]);
  }
  return cells;
}

/** Reads from what is above the step only, so that the notebook always runs. */
function line(kind: number, step: number, at: number, constant: number): string {
  const above = (constant + at) % Math.max(1, step);
  switch (kind) {
    case 0:
      return step > 0 ? `print(f${constant % functions}(v${above}))` : `print(${constant})`;
    case 1:
      return `print(open("d${constant % 3}.txt").read())`;
    case 2:
      return step > 0 ? `rows.append(v${above})\nprint(rows)` : 'print("none")';
    case 3:
      return step > 0 ? 'print(random.random())' : 'print("first")';
    case 4:
      return 'print(a)';
    case 5:
      return 'print(b)';
    case 6:
      return 'import helper\nprint(helper.value())';
    case 7:
      return `open("made.txt", "a").write("${constant}\\n")`;
    case 8:
      return 'import os\nprint(open("made.txt").read() if os.path.exists("made.txt") else "not yet")';
    case 9:
      return step > 0 ? `rows[0] = v${above}` : 'print("zero")';
    case 10:
      return step > 0 ? `try:\n    v${above}.missing\nexcept AttributeError as e:\n    print(e)` : 'pass';
    default:
      return 'import os\nprint(sorted(n for n in os.listdir(".") if n.startswith("d")))';
  }
}

it(`a run with reuse shows what a run without it shows, over ${count} random edits`, async () => {
  const roll = dice(firstSeed);
  const numbers = (length: number, sides: number) => Array.from({ length }, () => roll(sides));
  const plan: Plan = {
    adds: numbers(functions, 5),
    layout: numbers(functions, 3),
    kinds: Array.from({ length: steps }, () => numbers(1 + roll(3), 12)),
    constants: numbers(steps, 7),
    comments: numbers(steps, 4),
    parameters: [1, 2],
    helper: [1, 0],
    files: [0, 0, 0],
    title: false,
    spare: '',
    shared: true,
  };
  const bench = await openBench();
  const writeFiles = () => {
    for (const [i, value] of plan.files.entries()) bench.write(`d${i}.txt`, `data ${value}`);
    bench.write('helper.py', `${'# note\n'.repeat(plan.helper[1])}def value():\n    return ${plan.helper[0]}\n`);
  };
  let given: Record<string, number> = {};
  const pick = <T>(all: readonly T[]): T => all[roll(all.length)]!;
  const blobs = () => {
    const all = join(bench.artifacts.folder, 'sha256');
    return readdirSync(all).flatMap(first => readdirSync(join(all, first)).map(rest => join(all, first, rest)));
  };
  const edits: (() => unknown)[] = [
    () => (plan.adds[roll(functions)] = roll(5)),
    () => (plan.layout[roll(functions)] = roll(3)),
    () => (plan.constants[roll(steps)] = roll(7)),
    () => (plan.comments[roll(steps)] = roll(4)),
    () => (plan.kinds[roll(steps)] = numbers(1 + roll(3), 12)),
    () => (plan.parameters = [roll(3), roll(3)]),
    () => (given = roll(2) === 0 ? {} : { a: roll(4), b: roll(4) }),
    () => (plan.helper = [roll(3), roll(2)]),
    () => (plan.files[roll(3)] = roll(3)),
    () => {
      // The same length and the same time: only its content, and what nobody can set, tells.
      plan.files[roll(3)] = roll(3);
      writeFiles();
      for (let i = 0; i < 3; i++) utimesSync(join(bench.folder, `d${i}.txt`), 1, 1);
    },
    () => (plan.title = !plan.title),
    () => (plan.spare = pick(['', 'spare', 'other', 'd_name'])),
    () => (plan.shared = !plan.shared),
    () => bench.write(`d${3 + roll(2)}.txt`, 'more'),
    () => rmSync(join(bench.folder, `d${3 + roll(2)}.txt`), { force: true }),
    () => rmSync(pick(blobs())),
    () => {
      const path = pick(blobs());
      const bytes = readFileSync(path);
      if (bytes.length > 0) bytes[roll(bytes.length)]! ^= 1 + roll(255);
      writeFileSync(path, bytes);
    },
    () => collect({ ...bench, retention: { keep: 1 + roll(4) }, dryRun: false, grace: 0 }),
  ];
  let reused = 0;
  let total = 0;
  try {
    writeFiles();
    await bench.run(cellsOf(plan));
    for (let edit = 0; edit < count; edit++) {
      const which = roll(edits.length);
      await edits[which]!();
      writeFiles();
      const cells = cellsOf(plan);
      const withReuse = await bench.run(cells, { parameters: given });
      const without = await bench.run(cells, { parameters: given, reuse: false });
      const at = `seed ${firstSeed}, edit ${edit} of kind ${which}`;
      expect({ at, status: withReuse.status, reason: withReuse.reason, shown: shown(withReuse) }).toEqual({
        at,
        status: without.status,
        reason: without.reason,
        shown: shown(without),
      });
      total += withReuse.steps.length;
      reused += withReuse.steps.length - ran(withReuse).length;
    }
  } finally {
    await bench.close();
  }
  if (process.env.STEPWELL_EDITS) process.stderr.write(`${reused} of ${total} steps reused over ${count} edits\n`);
  expect(reused).toBeGreaterThan(total / 4);
});
