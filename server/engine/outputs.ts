/**
 * The outputs of an attempt's cells as they arrive, put together as Jupyter's front ends do. What a finished attempt says in its result
 * counts; this is what is shown until then, and what is left of an attempt that was killed.
 */
import type { CellResult, Output, TaskEvent } from '../../pipeline/model/task';

/** Characters that are kept of one attempt; more is in what the attempt has recorded. */
const most = 8 << 20;

export class LiveOutputs {
  private size = 0;
  readonly cells: CellResult[] = [];
  /** By display id, outputs that an update replaces the data of. */
  private readonly displays = new Map<string, Output[]>();

  accept(event: TaskEvent): void {
    if (event.type === 'cell-started') {
      this.cells.push({ cell: event.cell, executionCount: event.executionCount, outputs: [], started: event.at, seconds: 0, status: 'ok' });
    } else if (event.type === 'output') {
      const cell = this.find(event.cell);
      if (!cell || !this.hasRoom(event.output, cell)) return;
      append(cell.outputs, event.output);
      if (event.displayId !== undefined)
        this.displays.set(event.displayId, [...(this.displays.get(event.displayId) ?? []), cell.outputs.at(-1)!]);
    } else if (event.type === 'update-display') {
      for (const output of this.displays.get(event.displayId) ?? []) Object.assign(output, { data: event.data, metadata: event.metadata });
    } else if (event.type === 'clear-output') {
      this.find(event.cell)?.outputs.splice(0);
    } else if (event.type === 'cell-finished') {
      const cell = this.find(event.cell);
      if (cell) Object.assign(cell, { status: event.status, seconds: event.seconds });
    }
  }

  /** Says once in the cell's outputs that there was more. */
  private hasRoom(output: Output, cell: CellResult): boolean {
    if (this.size > most) return false;
    this.size += output.output_type === 'stream' ? output.text.length : JSON.stringify(output).length;
    if (this.size <= most) return true;
    append(cell.outputs, {
      output_type: 'stream',
      name: 'stderr',
      text: '\n… (more output came than is kept of a step that did not finish)\n',
    });
    return false;
  }

  private find(cell: number): CellResult | undefined {
    return this.cells.findLast(one => one.cell === cell);
  }
}

function append(outputs: Output[], output: Output): void {
  const last = outputs.at(-1);
  if (output.output_type === 'stream' && last?.output_type === 'stream' && last.name === output.name) last.text += output.text;
  else outputs.push(structuredClone(output));
}
