/**
 * Problems in the editors of a notebook's cells: underlined, with their sentence, what they mean and the fix in the tooltip. Editors come and go
 * as the notebook is scrolled, so each one asks, when it is made, for what is known of its cell; and is told when that changes.
 */
import { type Diagnostic, setDiagnostics } from '@codemirror/lint';
import type { Extension } from '@codemirror/state';
import { type EditorView, ViewPlugin } from '@codemirror/view';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Problem } from '../../pipeline/model/problem';

export interface Acting {
  fix(problem: Problem): void;
  explain(problem: Problem): void;
}

/** Which problems each cell has, and the editors that show them. */
export class Underlines {
  private readonly _problems = new Map<string, readonly Problem[]>();
  private readonly _views = new Map<string, Set<EditorView>>();

  constructor(
    private readonly _acting: (cell: string) => Acting | undefined,
    private readonly _trans: TranslationBundle,
  ) {}

  /** What the editor of this cell is given when it is made. */
  extension(cell: string): Extension {
    return ViewPlugin.define(view => {
      const views = this._views.get(cell) ?? new Set();
      this._views.set(cell, views.add(view));
      // An editor may not be changed while it is being made.
      if (this._problems.has(cell)) queueMicrotask(() => views.has(view) && this._show(cell, view));
      return {
        destroy: () => {
          views.delete(view);
          if (views.size === 0) this._views.delete(cell);
        },
      };
    });
  }

  /** Shows these problems and no others, at all cells of one notebook. */
  update(cells: Iterable<string>, problems: ReadonlyMap<string, readonly Problem[]>): void {
    for (const cell of cells) {
      const now = problems.get(cell);
      if (same(now, this._problems.get(cell))) continue;
      if (now) this._problems.set(cell, now);
      else this._problems.delete(cell);
      for (const view of this._views.get(cell) ?? []) this._show(cell, view);
    }
  }

  private _show(cell: string, view: EditorView): void {
    const length = view.state.doc.length;
    const found = (this._problems.get(cell) ?? []).filter(({ range }) => range !== undefined && range.from <= length);
    const diagnostics = found.map(problem => this._diagnostic(cell, problem, length));
    view.dispatch(setDiagnostics(view.state, diagnostics));
  }

  private _diagnostic(cell: string, problem: Problem, length: number): Diagnostic {
    const acting = this._acting(cell);
    const { from, to } = problem.range!;
    const actions = [];
    if (acting && problem.fix) actions.push({ name: problem.fix.label, apply: () => acting.fix(problem) });
    if (acting) actions.push({ name: this._trans.__('What does this mean?'), apply: () => acting.explain(problem) });
    return { from, to: Math.min(to, length), severity: problem.severity, source: 'Stepwell', message: problem.message, actions };
  }
}

const same = (a: readonly Problem[] | undefined, b: readonly Problem[] | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && JSON.stringify(a) === JSON.stringify(b));
