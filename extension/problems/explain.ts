/** Shows what a problem means and what to do about it. */
import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Panel, Widget } from '@lumino/widgets';
import type { Problem } from '../../pipeline/model/problem';
import { explanation } from './explanations';

export async function explain(problem: Problem, rendermime: IRenderMimeRegistry, trans: TranslationBundle): Promise<void> {
  const body = new Panel();
  body.addClass('stepwell-explanation');
  const sentence = new Widget({ node: document.createElement('p') });
  // The sentence quotes names of the notebook: text, never markup.
  sentence.node.textContent = problem.message;
  body.addWidget(sentence);
  const meaning = explanation(problem.code);
  if (meaning) {
    const markdown = rendermime.createRenderer('text/markdown');
    body.addWidget(markdown);
    await markdown.renderModel(rendermime.createModel({ data: { 'text/markdown': meaning }, trusted: false }));
  }
  await showDialog({ title: problem.code, body, buttons: [Dialog.okButton({ label: trans.__('Close') })] });
}
