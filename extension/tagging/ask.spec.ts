import { nullTranslator } from '@jupyterlab/translation';
import { askForStep, type Question } from './ask';

const trans = nullTranslator.load('stepwell');
const question: Question = { title: 'Put the cell in a step', steps: ['load', 'train'], value: '', existing: true };
const turn = () => new Promise(resolve => setTimeout(resolve));

async function ask(change: Partial<Question> = {}) {
  const answer = askForStep({ ...question, ...change }, trans);
  await turn();
  const dialog = document.querySelector<HTMLElement>('.jp-Dialog')!;
  const input = dialog.querySelector('input')!;
  return {
    answer,
    dialog,
    hint: () => dialog.querySelector('[role=status]')!.textContent,
    choices: () => [...dialog.querySelectorAll<HTMLElement>('.stepwell-choice')],
    type(text: string) {
      input.value = text;
      input.dispatchEvent(new Event('input'));
    },
    ok: () => dialog.querySelector<HTMLElement>('.jp-mod-accept')!.click(),
    cancel: () => dialog.querySelector<HTMLElement>('.jp-mod-reject')!.click(),
  };
}

it('gives the name that was entered', async () => {
  const { answer, type, ok, hint } = await ask();
  type('fresh');
  expect(hint()).toBe('A new step.');
  ok();
  await expect(answer).resolves.toBe('fresh');
});

it('stays, and says why, as long as the name can be none', async () => {
  const { answer, type, ok, cancel, hint, dialog } = await ask();
  type('my step!');
  ok();
  expect(hint()).toContain('Perhaps "my-step"?');
  expect(document.contains(dialog)).toBe(true);
  type('');
  ok();
  expect(hint()).toBe('Give the step a name.');
  cancel();
  await expect(answer).resolves.toBeUndefined();
});

it('offers the steps that there are, and fewer as one types', async () => {
  const { answer, type, choices, ok } = await ask();
  expect(choices()).toHaveLength(2);
  type('tr');
  expect(choices().map(({ lastChild }) => lastChild!.textContent)).toEqual(['train']);
  choices()[0]!.click();
  ok();
  await expect(answer).resolves.toBe('train');
});

it('takes no name that is there where a new one is wanted', async () => {
  const { type, ok, cancel, hint, answer } = await ask({ existing: false });
  type('load');
  ok();
  expect(hint()).toBe('There is a step "load" already.');
  cancel();
  await answer;
});
