import { YNotebook } from '@jupyter/ydoc';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { Signal } from '@lumino/signaling';
import { NotebookPipeline } from './pipeline';

/** A panel whose file arrives when `arrive` is called. */
function opened(writable = true) {
  const sharedModel = YNotebook.create();
  let arrive!: () => void;
  const ready = new Promise<void>(resolve => {
    arrive = resolve;
  });
  const panel = {
    content: { model: { sharedModel, readOnly: false } },
    context: { ready, path: 'folder/wine.ipynb', contentsModel: { writable } },
  };
  Object.assign(panel, { disposed: new Signal(panel) });
  return {
    notebook: new NotebookPipeline(panel as unknown as NotebookPanel, { delay: 0, atLatest: 0 }),
    async read() {
      sharedModel.insertCell(0, { cell_type: 'code', id: 'c0', source: 'a = 1', metadata: { tags: ['step:load'] } });
      arrive();
      await ready;
    },
  };
}

it('knows nothing before the file is there, and everything after', async () => {
  const { notebook, read } = opened();
  // Those who look before must not be left with what they saw.
  expect([notebook.cells, notebook.pipeline, notebook.tagged, notebook.compiledCell(0)]).toEqual([[], undefined, false, undefined]);
  const seen: unknown[] = [];
  notebook.changed.connect(() => seen.push([...notebook.cells]));
  await read();
  expect(seen).toEqual([['c0']]);
  expect(notebook.pipeline!.name).toBe('wine');
  expect(notebook.compiledCell(0)).toEqual({ id: 'c0', source: 'a = 1' });
  expect(notebook.placeOf('c0')).toMatchObject({ step: 'load', first: true });
});

it('says that a file without the right to write is read-only', () => {
  expect(opened().notebook.readOnly).toBe(false);
  expect(opened(false).notebook.readOnly).toBe(true);
});
