/** What is cut on the way to clients, and that what is left says so. */
import type { LoggedTaskEvent } from '../../pipeline/model/protocol';
import { cutError, cutEvent, cutLine, limits } from './cut';

const at = new Date(0).toISOString();
const line = (event: LoggedTaskEvent) => cutLine({ number: 1, event });
const shown = (data: Record<string, unknown>): LoggedTaskEvent => ({
  type: 'output',
  at,
  cell: 0,
  output: { output_type: 'display_data', data, metadata: {} },
});
const printed = (text: string): LoggedTaskEvent => ({
  type: 'output',
  at,
  cell: 0,
  output: { output_type: 'stream', name: 'stdout', text },
});
const dataOf = (event: object) => (event as { output: { data: Record<string, unknown> } }).output.data;

it('leaves what is short as it is', () => {
  for (const event of [printed('x'.repeat(limits.text)), shown({ 'image/png': 'x'.repeat(limits.data - 2), 'text/plain': 'p' })]) {
    expect(line(event)).toEqual({ number: 1, event });
  }
});

it('cuts a long print, and not through a character', () => {
  const { event, cut } = line(printed(`${'x'.repeat(limits.text - 1)}😀 and more`));
  const { text } = (event as { output: { text: string } }).output;
  expect(text).toHaveLength(limits.text);
  expect(text.isWellFormed()).toBe(true);
  expect(cut).toBe(10);
});

it('puts a sentence in the place of a large picture, beside the text that there is', () => {
  const { event, cut } = line(shown({ 'image/png': 'x'.repeat(limits.data + 1), 'text/plain': '<Figure>' }));
  expect(dataOf(event)).toEqual({ 'text/plain': '<Figure>\n[image/png: too large to be shown here; the executed notebook has it]' });
  expect(cut).toBeGreaterThan(limits.data);
});

it('takes the measure of JSON and of lists of lines without writing them out', () => {
  const rows = Array.from({ length: 200_000 }, (_, i) => ({ value: i }));
  expect(Object.keys(dataOf(line(shown({ 'application/json': rows })).event))).toEqual(['text/plain']);
  expect(Object.keys(dataOf(line(shown({ 'text/html': ['<p>'.repeat(400_000)] })).event))).toEqual(['text/plain']);
});

it('cuts updates of displays too', () => {
  const { event } = line({ type: 'update-display', at, displayId: 'd', data: { 'text/html': 'x'.repeat(limits.data) }, metadata: {} });
  expect(event).toMatchObject({ type: 'update-display', data: { 'text/plain': expect.stringMatching(/^\[text\/html: too large/) } });
});

it('keeps the end of a long traceback', () => {
  const traceback = ['first', ...Array.from({ length: 1000 }, (_, i) => `${i} ${'x'.repeat(1000)}`), 'last'];
  const error = cutError({ kind: 'user', message: 'm'.repeat(1e6), evalue: 'v'.repeat(1e6), traceback });
  expect(error.traceback?.at(-1)).toBe('last');
  expect(error.traceback?.length).toBeLessThan(100);
  expect([error.message.length, error.evalue?.length]).toEqual([limits.text, limits.text]);
  const event = {
    sequence: 1,
    at,
    change: {
      what: 'attempt' as const,
      step: 's',
      attempt: 1,
      status: 'failed' as const,
      error: { kind: 'user' as const, message: 'm'.repeat(1e6) },
    },
  };
  expect(JSON.stringify(cutEvent(event)).length).toBeLessThan(limits.text + 500);
  expect(event.change.error.message).toHaveLength(1e6);
});
