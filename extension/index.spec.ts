import type { ICodeCell } from '@jupyterlab/nbformat';
import { NotebookModel } from '@jupyterlab/notebook';
import plugins from './index';

it("loads with JupyterLab's own packages", () => {
  const model = new NotebookModel();
  model.sharedModel.insertCell(0, { cell_type: 'code', source: 'a = 1', metadata: { tags: ['step:a'] } });
  expect((model.sharedModel.toJSON().cells[0] as ICodeCell).metadata.tags).toEqual(['step:a']);
  expect(plugins.map(({ id }) => id).every(id => id.startsWith('stepwell:'))).toBe(true);
});
