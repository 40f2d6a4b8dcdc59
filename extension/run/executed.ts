/** The executed notebook of a run, as a file beside the notebook, or wherever one says. */
import { InputDialog } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { PartialJSONObject } from '@lumino/coreutils';
import type { RunDetail } from '../../pipeline/model/protocol';
import type { IService } from '../tokens';

/** Where it goes unless somebody says otherwise: `folder/NAME.run-ID.ipynb`. */
export function besideNotebook({ path, id }: Pick<RunDetail, 'path' | 'id'>): string {
  // What lies outside of Jupyter's folder cannot be written beside.
  const within = path.startsWith('/') || /^[A-Za-z]:[\\/]/.test(path) ? PathExt.basename(path.replaceAll('\\', '/')) : path;
  return `${within.replace(/\.ipynb$/, '')}.run-${id}.ipynb`;
}

/** Asks where to, and saves. The path it was saved at; undefined when the person decides otherwise. */
export async function saveExecuted(
  run: RunDetail,
  service: IService,
  contents: Contents.IManager,
  trans: TranslationBundle,
): Promise<string | undefined> {
  const { value, button } = await InputDialog.getText({
    title: trans.__('Save the executed notebook'),
    label: trans.__('Path, from the folder of Jupyter. A file that is there is replaced.'),
    text: besideNotebook(run),
    okLabel: trans.__('Save'),
  });
  const path = value?.trim();
  if (!button.accept || !path) return undefined;
  const named = path.endsWith('.ipynb') ? path : `${path}.ipynb`;
  const content = (await service.executed(run.id)) as unknown as PartialJSONObject;
  await contents.save(named, { type: 'notebook', format: 'json', content });
  return named;
}
