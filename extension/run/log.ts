/**
 * What an attempt said, as rows to read and as outputs of cells. Built up line by line as the service numbers them, live or long after.
 * Everything has a bound: rows that are very long are cut, and of very many the first are let go, each time with a note of how much.
 */
import type { IOutput } from '@jupyterlab/nbformat';
import type { LogLine } from '../../pipeline/model/protocol';
import type { Output } from '../../pipeline/model/task';
import { type AnsiStyle, plain, readAnsi } from './ansi';

export type RowKind = 'out' | 'err' | 'note' | 'cell';

export interface Row {
  /** Counted from 0 over the whole log; stays when earlier rows go. */
  number: number;
  kind: RowKind;
  text: string;
  /** The style in which the text begins. */
  style: AnsiStyle;
  /** Characters left out at the end. */
  cut: number;
}

/** What a cell put out, and how much of it was left out on the way here. */
export interface CellOutputs {
  outputs: IOutput[];
  /** Characters that are kept, and that are not. */
  size: number;
  cut: number;
}

/** Words for what is noted in between; translated by who shows them. */
export interface LogWords {
  cell(cell: number): string;
  cellEnded(cell: number, status: 'ok' | 'error', seconds: number): string;
  shown(types: string[]): string;
  metric(name: string, value: number): string;
}

const longestRow = 4000;
const mostRows = 100_000;
/** Characters that one cell's outputs may hold here: as text, and as whatever else. The executed notebook has all. */
const longestText = 1_000_000;
const largestData = 8_000_000;

export class AttemptLog {
  constructor(private readonly _words: LogWords) {}

  rows: Row[] = [];
  /** Rows that were let go at the beginning. */
  dropped = 0;
  readonly outputs = new Map<number, CellOutputs>();
  /** The number of the last line that was taken in. */
  last = 0;

  take(lines: readonly LogLine[]): void {
    for (const line of lines) {
      this.last = line.number;
      this._take(line);
    }
    if (this.rows.length > mostRows) {
      const many = this.rows.length - mostRows;
      this.rows = this.rows.slice(many);
      this.dropped += many;
    } else this.rows = [...this.rows];
  }

  private _take({ event, cut = 0 }: LogLine): void {
    switch (event.type) {
      case 'cell-started':
        this._note('cell', this._words.cell(event.cell));
        this.outputs.set(event.cell, noOutputs());
        break;
      case 'cell-finished':
        this._note('cell', this._words.cellEnded(event.cell, event.status, event.seconds));
        break;
      case 'output':
        this._output(event.output, cut);
        this._keep(event.cell, event.output, event.displayId, cut);
        break;
      case 'update-display':
        for (const { outputs } of this.outputs.values()) {
          for (const output of outputs) {
            if (displayIds.get(output) === event.displayId) Object.assign(output, { data: event.data, metadata: event.metadata });
          }
        }
        break;
      case 'clear-output':
        this.outputs.set(event.cell, noOutputs());
        break;
      case 'metric':
        this._note('note', this._words.metric(event.name, event.value));
        break;
    }
  }

  private _output(output: Output, cut: number): void {
    if (output.output_type === 'stream') this._stream(output.name === 'stderr' ? 'err' : 'out', output.text, cut);
    else if (output.output_type === 'error') {
      const text = output.traceback.length > 0 ? output.traceback.join('\n') : `${output.ename}: ${output.evalue}`;
      this._stream('err', `${text}\n`, cut);
    } else {
      const text = output.data['text/plain'];
      const other = Object.keys(output.data).filter(type => type !== 'text/plain');
      if (typeof text === 'string' || Array.isArray(text)) this._stream('out', `${Array.isArray(text) ? text.join('') : text}\n`, cut);
      if (other.length > 0) this._note('note', this._words.shown(other));
    }
  }

  /** Text as a terminal takes it: a line goes on where it stopped, and a carriage return writes over it. */
  private _stream(kind: 'out' | 'err', text: string, cut: number): void {
    const parts = text.split('\n');
    for (const [index, part] of parts.entries()) {
      const open = index === 0 ? this._open(kind) : undefined;
      const last = index === parts.length - 1;
      if (open) this._write(open, part);
      else if (part !== '' || !last) {
        const row: Row = { number: this._number++, kind, text: '', style: this._style, cut: 0 };
        this.rows.push(row);
        this._returned = false;
        this._write(row, part);
      }
      this._unfinished = last ? (part !== '' || open ? this.rows.at(-1) : undefined) : undefined;
    }
    if (cut > 0) {
      const row = this.rows.at(-1);
      if (row) row.cut += cut;
      this._unfinished = undefined;
    }
  }

  private _open(kind: RowKind): Row | undefined {
    const row = this._unfinished;
    if (row?.kind !== kind) return undefined;
    // Rows are not changed once they are shown.
    const copy = { ...row };
    this.rows[this.rows.length - 1] = copy;
    return copy;
  }

  private _write(row: Row, part: string): void {
    // A return at the very end takes effect once something is written over the line.
    const written = part.replace(/\r+$/, '');
    const whole = this._returned && written !== '' ? written : row.text + written;
    this._returned = written !== part || (this._returned && written === '');
    const text = whole.slice(whole.lastIndexOf('\r') + 1);
    row.cut += Math.max(0, text.length - longestRow);
    row.text = text.slice(0, longestRow);
    this._style = readAnsi(row.text, row.style).end;
  }

  private _note(kind: 'note' | 'cell', text: string): void {
    this._unfinished = undefined;
    this._style = {};
    this.rows.push({ number: this._number++, kind, text, style: {}, cut: 0 });
  }

  private _keep(cell: number, output: Output, displayId: string | undefined, cut: number): void {
    const kept = this.outputs.get(cell) ?? noOutputs();
    this.outputs.set(cell, kept);
    kept.cut += cut;
    if (output.output_type === 'stream') {
      const text = output.text.slice(0, Math.max(0, longestText - kept.size));
      kept.size += text.length;
      kept.cut += output.text.length - text.length;
      const before = kept.outputs.at(-1);
      if (text === '') return;
      if (before?.output_type === 'stream' && before.name === output.name) before.text = `${before.text}${text}`;
      else kept.outputs.push({ ...output, text });
      return;
    }
    const written = JSON.stringify(output);
    if (kept.size + written.length > largestData) {
      kept.cut += written.length;
      return;
    }
    kept.size += written.length;
    const copy = JSON.parse(written) as IOutput;
    if (displayId !== undefined) displayIds.set(copy, displayId);
    kept.outputs.push(copy);
  }

  private _number = 0;
  private _style: AnsiStyle = {};
  private _unfinished: Row | undefined;
  private _returned = false;
}

/** Which display an output is of: what updates it comes later, and it is no part of the output itself. */
const displayIds = new WeakMap<IOutput, string>();

const noOutputs = (): CellOutputs => ({ outputs: [], size: 0, cut: 0 });

/** Numbers of the rows that hold the text, whatever its case; colours do not come between. */
export function find(rows: readonly Row[], text: string): number[] {
  const wanted = text.toLowerCase();
  return wanted === '' ? [] : rows.flatMap(row => (plain(row.text).toLowerCase().includes(wanted) ? [row.number] : []));
}
