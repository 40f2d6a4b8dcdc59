/**
 * The outputs of an attempt's cells as they arrive, put together as Jupyter's front ends do. What a finished attempt says in its result
 * counts; this is what is shown until then, and what is left of an attempt that was killed.
 */
import type { CellResult, Output, TaskEvent } from '../../pipeline/model/task';

export class LiveOutputs {
  readonly cells: CellResult[] = [];
  private clearNext: CellResult | undefined;

  accept(event: TaskEvent): void {
    if (event.type === 'cell-started') {
      this.cells.push({ cell: event.cell, executionCount: event.executionCount, outputs: [], started: event.at, seconds: 0, status: 'ok' });
    } else if (event.type === 'output') {
      const cell = this.find(event.cell);
      if (!cell) return;
      if (this.clearNext === cell) cell.outputs.length = 0;
      this.clearNext = undefined;
      append(cell.outputs, event.output);
    } else if (event.type === 'clear-output') {
      const cell = this.find(event.cell);
      if (!cell) return;
      if (event.wait) this.clearNext = cell;
      else cell.outputs.length = 0;
    } else if (event.type === 'cell-finished') {
      const cell = this.find(event.cell);
      if (cell) Object.assign(cell, { status: event.status, seconds: event.seconds });
    }
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
