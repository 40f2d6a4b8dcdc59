import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { modulesToWarm } from './modules';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'modules-'));
  writeFileSync(join(folder, 'mine.py'), '');
  mkdirSync(join(folder, 'package'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  [
    'finds plain, dotted and renamed imports',
    ['import numpy as np, os.path\nfrom sklearn.linear_model import Ridge  # model'],
    ['numpy', 'os.path', 'sklearn.linear_model'],
  ],
  ['keeps the order and names each once', ['import b', 'import a\nimport b'], ['b', 'a']],
  ['leaves out what is not at the top level', ['try:\n    import a\nexcept ImportError:\n    pass\ndef f():\n    import b'], []],
  ['leaves out relative imports and the future', ['from . import x\nfrom .y import z\nfrom __future__ import annotations'], []],
  ['leaves out modules of the notebook itself', ['import mine\nimport package.sub\nimport csv'], ['csv']],
  ['leaves out what must not be forked', ['import tensorflow as tf\nfrom jax import numpy\nimport csv'], ['csv']],
  ['stops where the environment changes', ['import a\nimport os\nos.environ["X"] = "1"\nimport b', 'import c'], ['a', 'os']],
  ['stops where the search path changes', ['import sys\nsys.path.insert(0, "lib")\nimport b'], ['sys']],
  ['stops at an installation', ['import a', '!pip install b', 'import b'], ['a']],
  ['stops at %pip', ['%pip install -q b\nimport b'], []],
  ['does not stop at a comment', ['# see os.environ\nimport a'], ['a']],
  ['reads cells under %%time', ['%%time\nimport a'], ['a']],
  ['leaves out other languages', ['%%javascript\nimport a', '%%bash\nimport b'], []],
])('%s', (_name, sources, expected) => {
  expect(modulesToWarm(sources, folder)).toEqual(expected);
});
