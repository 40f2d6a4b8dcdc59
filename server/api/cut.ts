/**
 * What attempts say, cut to what a screen can take. A print of a gigabyte or a picture of fifty megabytes stays whole in the executed notebook; on
 * the way to clients its place is taken by the beginning, or by a sentence.
 */
import type { TaskError } from '../../pipeline/model/failure';
import type { LogLine } from '../../pipeline/model/protocol';
import type { RunEvent } from '../../pipeline/model/run';
import type { Output } from '../../pipeline/model/task';
import type { Line } from '../engine/runs';

/** Characters of text, and of anything else (pictures, tables, JSON). */
export const limits = { text: 64 * 1024, data: 1024 * 1024 };

/** The line as it is sent. `cut` says how many characters were left out. */
export function cutLine({ number, event }: Line): LogLine {
  const cut = new Cutter();
  if (event.type === 'output') {
    const output = cut.output(event.output);
    return cut.left > 0 ? { number, event: { ...event, output }, cut: cut.left } : { number, event: event as LogLine['event'] };
  }
  if (event.type === 'update-display') {
    const data = cut.bundle(event.data);
    return cut.left > 0 ? { number, event: { ...event, data }, cut: cut.left } : { number, event };
  }
  return { number, event: event as LogLine['event'] };
}

/** An attempt's error, with a message and a traceback that fit. */
export function cutError(error: TaskError): TaskError {
  const cut = new Cutter();
  const text = (value: string | undefined) => (value === undefined ? value : cut.text(value));
  const shorter = {
    ...error,
    message: cut.text(error.message),
    evalue: text(error.evalue),
    traceback: error.traceback && cut.lines(error.traceback),
  };
  return cut.left > 0 ? shorter : error;
}

/** An event whose error and reason fit. */
export function cutEvent(event: RunEvent): RunEvent {
  const { change } = event;
  if (change.what === 'attempt' && change.error) return { ...event, change: { ...change, error: cutError(change.error) } };
  if ('reason' in change && change.reason !== undefined && change.reason.length > limits.text)
    return { ...event, change: { ...change, reason: new Cutter().text(change.reason) } };
  return event;
}

class Cutter {
  /** Characters left out so far. */
  left = 0;

  text(value: string): string {
    if (value.length <= limits.text) return value;
    this.left += value.length - limits.text;
    // A pair of surrogates may have been cut in two.
    return value.slice(0, limits.text).toWellFormed();
  }

  /** From the end, where a traceback says what happened. */
  lines(all: string[]): string[] {
    let room = limits.text;
    const kept: string[] = [];
    for (const line of [...all].reverse()) {
      if (room <= 0) {
        this.left += line.length;
        continue;
      }
      kept.push(line.length > room ? this.text(line) : line);
      room -= line.length;
    }
    return kept.reverse();
  }

  output(output: Output): Output {
    switch (output.output_type) {
      case 'stream':
        return { ...output, text: this.text(output.text) };
      case 'error':
        return { ...output, evalue: this.text(output.evalue), traceback: this.lines(output.traceback) };
      default:
        return { ...output, data: this.bundle(output.data) };
    }
  }

  /** Representations that are too large go; text that stands for them says which. */
  bundle(data: Record<string, unknown>): Record<string, unknown> {
    const kept: Record<string, unknown> = {};
    const gone: string[] = [];
    for (const [type, value] of Object.entries(data)) {
      if (type === 'text/plain' && typeof value === 'string') {
        kept[type] = this.text(value);
        continue;
      }
      const size = sizeOf(value, limits.data);
      if (size <= limits.data) kept[type] = value;
      else {
        this.left += size;
        gone.push(type);
      }
    }
    if (gone.length > 0) {
      const note = `[${gone.join(', ')}: too large to be shown here; the executed notebook has it]`;
      kept['text/plain'] = typeof kept['text/plain'] === 'string' ? `${kept['text/plain']}\n${note}` : note;
    }
    return kept;
  }
}

/** About how many characters a value takes as JSON; stops counting soon after `enough`, except for single texts. */
function sizeOf(value: unknown, enough: number): number {
  let size = 0;
  const open: unknown[] = [value];
  while (open.length > 0 && size <= enough) {
    const one = open.pop();
    if (typeof one === 'string') size += one.length + 2;
    else if (typeof one !== 'object' || one === null) size += 8;
    else if (Array.isArray(one)) for (const item of one) open.push(item);
    else
      for (const [key, item] of Object.entries(one)) {
        size += key.length + 3;
        open.push(item);
      }
  }
  return size;
}
