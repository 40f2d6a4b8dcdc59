import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { choosePython } from './interpreter';

let base: string;
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'python-')));
});
afterEach(() => rmSync(base, { recursive: true }));

/** An interpreter that says no to every question; IPython is there or not by its folder. */
function environment(name: string, ipython = true): string {
  const python = join(base, name, 'bin', 'python');
  mkdirSync(dirname(python), { recursive: true });
  for (const path of [python, `${python}3`]) {
    writeFileSync(path, '#!/bin/sh\nexit 1\n');
    chmodSync(path, 0o755);
  }
  if (ipython) mkdirSync(join(base, name, 'lib', 'python3.12', 'site-packages', 'IPython'), { recursive: true });
  return python;
}

function kernel(name: string, argv: string[]): void {
  const folder = join(base, 'jupyter', 'kernels', name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'kernel.json'), JSON.stringify({ argv }));
}

const choose = (wishes: { named?: string; kernel?: string; jupyter?: string; env?: NodeJS.ProcessEnv }) =>
  choosePython({ ...wishes, env: { JUPYTER_DATA_DIR: join(base, 'jupyter'), ...wishes.env }, root: join(base, 'checkout') }).python;

describe('the Python that runs steps', () => {
  it('is the one that was named: an interpreter, an environment, or a name on the path', () => {
    const python = environment('named');
    const env = { VIRTUAL_ENV: dirname(dirname(environment('active'))), PATH: dirname(python) };
    expect(choose({ named: python, env })).toBe(python);
    expect(choose({ named: join(base, 'named'), env })).toBe(python);
    expect(choose({ named: 'python3', env })).toBe(`${python}3`);
  });

  it('is the active environment’s, whether or not IPython is in it: the step would miss its packages elsewhere', () => {
    const python = environment('active', false);
    const other = environment('other');
    expect(choose({ env: { VIRTUAL_ENV: join(base, 'active'), PATH: dirname(other) } })).toBe(python);
    expect(choose({ env: { CONDA_PREFIX: join(base, 'active'), PATH: dirname(other) } })).toBe(python);
  });

  it('is the notebook’s kernel’s when no environment is active', () => {
    const python = environment('kernel');
    kernel('mine', [python, '-m', 'ipykernel_launcher']);
    expect(choose({ kernel: 'mine', env: { PATH: dirname(environment('path')) } })).toBe(python);
  });

  it('is the path’s when the kernel names no path, is not there, or is no name at all', () => {
    const python = environment('path');
    kernel('python3', ['python', '-m', 'ipykernel_launcher']);
    for (const name of ['python3', 'nowhere', '../../etc'])
      expect([python, `${python}3`]).toContain(choose({ kernel: name, env: { PATH: dirname(python) } }));
  });

  it('is the one that Stepwell is installed in before any on the path', () => {
    const [home, path] = [environment('home'), environment('path')];
    expect(choose({ env: { STEPWELL_PYTHON: home, PATH: dirname(path) } })).toBe(home);
    const active = environment('active');
    expect(choose({ env: { STEPWELL_PYTHON: home, VIRTUAL_ENV: join(base, 'active'), PATH: dirname(path) } })).toBe(active);
    expect(choose({ env: { STEPWELL_PYTHON: '/gone/python', PATH: dirname(path) } })).toBe(`${path}3`);
  });

  it('skips a Python on the path that has no IPython, and takes the checkout’s own', () => {
    const own = environment('checkout/.venv');
    expect(choose({ env: { PATH: dirname(environment('bare', false)) } })).toBe(own);
  });

  it.each([
    ['there is none with IPython', {}, /No Python with IPython/],
    ['the one that was named is not there', { named: '/nowhere/python' }, /no Python "\/nowhere\/python"/],
    ['the name is not on the path', { named: 'python9' }, /no Python "python9"/],
    ['the folder that was named is no environment', { named: tmpdir() }, /no bin\/python in it/],
  ])('is told as missing when %s', (_name, wishes, sentence) => {
    expect(() => choose({ ...wishes, env: { PATH: '' } })).toThrow(sentence);
  });

  describe('beside Jupyter', () => {
    const activated = () => ({ VIRTUAL_ENV: dirname(dirname(environment('active'))) });

    it("is the notebook's kernel's before the active environment's", () => {
      const [jupyter, python] = [environment('jupyter-env'), environment('ml')];
      kernel('ml', [python]);
      expect(choose({ kernel: 'ml', jupyter, env: activated() })).toBe(python);
    });

    it("is Jupyter's own where the kernel names a bare python, or is not known, or none is named", () => {
      const jupyter = environment('jupyter-env');
      kernel('python3', ['python', '-m', 'ipykernel_launcher']);
      for (const name of ['python3', 'unknown', undefined]) expect(choose({ kernel: name, jupyter, env: activated() })).toBe(jupyter);
    });

    it('is still the one that was named', () => {
      const named = environment('named');
      expect(choose({ named, jupyter: environment('jupyter-env') })).toBe(named);
    });
  });
});
