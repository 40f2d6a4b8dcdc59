/** `npm start`: from a fresh clone to a notebook that has run as a pipeline. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { environment, root, setup } from './setup.mjs';

const example = 'examples/01-train-a-classifier.ipynb';

await setup();
console.error(`\nRunning ${example} as a pipeline …\n`);
const { status } = spawnSync(
  join(root, 'bin', 'stepwell'),
  ['run', example, '--python', '.venv', '--out', 'build/01-train-a-classifier.ipynb'],
  {
    cwd: root,
    stdio: 'inherit',
    env: environment(),
  },
);
if (status === 0) {
  console.log(`
The notebook with every output filled in is build/01-train-a-classifier.ipynb. What next:
  bin/stepwell compile ${example} --to mermaid
      the pipeline that its tags make, as a picture in text
  bin/stepwell run ${example} --python .venv -p neighbours=9
      the same with another parameter (--python names the environment that runs the steps)
  bin/stepwell suggest YOUR.ipynb --write
      tags for a notebook of yours; then: bin/stepwell run YOUR.ipynb
  bin/stepwell --help
      everything else`);
}
process.exit(status ?? 1);
