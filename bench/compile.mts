/** Time to compile notebooks of 100, 1,000 and 5,000 cells: the first time, and after one edit. */
import { createRequire } from 'node:module';
import { figure, root, row, title } from './measure.mts';

const require = createRequire(import.meta.url);

export function compileTimes(): void {
  const { createCompiler } = require(`${root}/lib/pipeline/compile/index.js`);
  title('Compile');
  createCompiler().compile(notebook(50, 'warm'));
  for (const cells of [100, 1000, 5000]) {
    const first: number[] = [];
    const edited: number[] = [];
    for (let turn = 0; turn < 7; turn++) {
      const compiler = createCompiler();
      const made = notebook(cells, `turn${turn}`);
      first.push(time(() => compiler.compile(made)));
      for (let edit = 0; edit < 5; edit++) {
        const at = (edit * 37 + 11) % cells;
        made.cells[at]!.source += `\nextra_${edit} = len(frame_${at})`;
        edited.push(time(() => compiler.compile(made)));
      }
    }
    row(`${cells} cells of 15 lines, first`, figure(first));
    row(`${cells} cells, after one edit`, figure(edited));
  }
}

function time(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

/** A cell of 15 lines for each step of a long analysis; every fifth cell begins a step. `salt` keeps cells from being found in a cache. */
function notebook(count: number, salt: string) {
  const cells = Array.from({ length: count }, (_, i) => ({
    cell_type: 'code',
    id: `c${i}`,
    metadata: i % 5 === 0 ? { tags: [`step:s${i / 5}`] } : {},
    outputs: [],
    execution_count: null,
    source: [
      i === 0 ? 'import numpy as np' : `# ${salt}`,
      i === 0 ? 'import pandas as pd' : `previous = frame_${i - 1}`,
      `def clean_${i}(frame, limit=${i}):`,
      `    kept = frame[frame["value"] > limit]`,
      `    return kept.assign(ratio=lambda one: one["value"] / limit)`,
      `frame_${i} = pd.DataFrame({"value": np.arange(${i + 10})})`,
      `frame_${i}["square"] = frame_${i}["value"] ** 2`,
      `total_${i} = sum(value for value in frame_${i}["value"] if value % 2)`,
      `for index, item in enumerate(frame_${i}["square"][:3]):`,
      `    if item > ${i}:`,
      `        print(f"{index}: {item:>10.2f}", total_${i})`,
      `result_${i} = clean_${i}(frame_${i})`,
      `names_${i} = {key: [str(part) for part in value] for key, value in result_${i}.items()}`,
      `with open("out_${i}.txt", "w") as handle:`,
      `    handle.write(str(names_${i}))`,
    ].join('\n'),
  }));
  return {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { name: 'python3', language: 'python', display_name: 'Python 3' } },
    cells,
  };
}
