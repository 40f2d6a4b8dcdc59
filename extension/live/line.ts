/** Marks the line of a cell at which it failed. The mark follows its line through edits and goes when the line itself is taken out. */

import { type Extension, RangeSet, StateEffect, StateField } from '@codemirror/state';
import { Decoration, type DecorationSet, EditorView } from '@codemirror/view';
import type { CodeEditor } from '@jupyterlab/codeeditor';
import type { CodeMirrorEditor } from '@jupyterlab/codemirror';

const setLine = StateEffect.define<number | null>();
const mark = Decoration.line({ class: 'stepwell-failed-line' });

const failedLine = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    let next = marks.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (!effect.is(setLine)) continue;
      const { doc } = transaction.state;
      next =
        effect.value === null || effect.value >= doc.lines ? Decoration.none : RangeSet.of(mark.range(doc.line(effect.value + 1).from));
    }
    return next;
  },
  provide: field => EditorView.decorations.from(field),
});

export const failedLineExtension: Extension = failedLine;

/** Marks this line of the editor, counted from 0; null takes the mark away. */
export function markLine(editor: CodeEditor.IEditor, line: number | null): void {
  const { editor: view } = editor as CodeMirrorEditor;
  if (!view) return;
  if (view.state.field(failedLine, false) === undefined) {
    if (line === null) return;
    editor.injectExtension(failedLineExtension);
  }
  view.dispatch({ effects: setLine.of(line) });
}
