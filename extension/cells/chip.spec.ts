import { nullTranslator } from '@jupyterlab/translation';
import { CellMark } from './chip';
import type { Chip } from './look';

const place = { role: 'step', step: 'train', index: 1, first: true, implied: false } as const;
const chip: Chip = {
  role: 'step',
  step: 'train',
  index: 1,
  continued: false,
  problems: [],
  flow: { inputs: [{ name: 'X', declared: true }], outputs: ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(name => ({ name, declared: false })) },
};
const drawn = (change: Partial<Chip> = {}) => {
  const open = jest.fn();
  const mark = new CellMark(nullTranslator.load('stepwell'), open, () => {});
  mark.draw({ place, chip: { ...chip, ...change } });
  return { node: mark.node, open };
};

it('has a button that opens the step', () => {
  const { node, open } = drawn();
  const button = node.querySelector('button')!;
  expect(button.getAttribute('aria-label')).toBe('Step train');
  button.click();
  expect(open).toHaveBeenCalledWith('train');
});

it('says in words what crosses, and counts what would not fit', () => {
  const { node } = drawn();
  expect(node.querySelector('.stepwell-chip-flow')!.getAttribute('aria-label')).toBe('takes X, gives a, b, c, d, e, f, g');
  expect([...node.querySelectorAll('.stepwell-name')].map(({ textContent }) => textContent)).toEqual(['X', 'a', 'b', 'c', 'd', 'e', '+2']);
});

it('shows markup in names as text', () => {
  const evil = '<img src=x onerror=alert(1)>';
  const { node } = drawn({ step: evil, flow: { inputs: [{ name: evil, declared: true }], outputs: [] }, problems: [evil] });
  expect(node.querySelector('img')).toBeNull();
  expect(node.textContent).toContain(evil);
});
