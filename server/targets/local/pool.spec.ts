import { join } from 'node:path';
import { makePlace, type Place, removePlace, someTask } from '../suite';
import type { LocalTarget } from './index';
import { Pool } from './pool';
import { python } from './python-for-tests';

const root = join(__dirname, '..', '..', '..');
const notebook = { nbformat: 4, nbformat_minor: 5, metadata: {}, cells: [] };

let place: Place;
let pool: Pool;
beforeEach(() => {
  place = makePlace();
});
afterEach(async () => {
  await pool.close();
  removePlace(place);
});

const make = (more: object = {}) => {
  pool = new Pool({ root, runnerPath: join(root, 'runner'), home: place.home, ...more });
};
const lend = (name: string) => pool.lend(notebook, join(place.folder, name, 'n.ipynb'), python);
/** One that has been ended starts nothing. */
const isOpen = (target: LocalTarget) =>
  target.start(someTask(place, ['1'])).then(
    () => true,
    () => false,
  );

it('lends the same Python to the notebooks of a folder, and another to another folder', () => {
  make();
  const [one, same, other] = [lend('a'), lend('a'), lend('b')];
  expect(same.target).toBe(one.target);
  expect(other.target).not.toBe(one.target);
});

it('keeps some that nobody uses, those that were used last', async () => {
  make({ spare: 1 });
  const [one, two] = [lend('a'), lend('b')];
  one.giveBack();
  expect(lend('a').target).toBe(one.target);
  two.giveBack();
  const again = lend('a');
  again.giveBack();
  expect(await isOpen(one.target)).toBe(true);
  const three = lend('c');
  three.giveBack();
  expect(await isOpen(two.target)).toBe(false);
});

it('takes one back once, however often it is given', async () => {
  make({ spare: 0 });
  const [one, same] = [lend('a'), lend('a')];
  one.giveBack();
  one.giveBack();
  expect(await isOpen(same.target)).toBe(true);
  same.giveBack();
  expect(await isOpen(same.target)).toBe(false);
});

it('refuses a Python that is not there, and warms nothing for it', () => {
  make();
  expect(() => pool.lend(notebook, join(place.folder, 'n.ipynb'), '/no/python')).toThrow(/There is no Python/);
  expect(() => pool.choose(notebook, join(place.folder, 'n.ipynb'), '/no/python')).toThrow(/There is no Python/);
});
