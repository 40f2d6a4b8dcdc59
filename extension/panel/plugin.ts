/** The side panel, and the Pipeline tab in it. */
import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { Direction } from '../graph/graph';
import { stepwellIcon } from '../icons';
import { INotebookPipelines, IProblemActions, IRuns, ISidePanel } from '../tokens';
import { SidePanel } from './side';
import { PipelineTab } from './tab';
import type { View } from './view';

export const panelPlugin: JupyterFrontEndPlugin<ISidePanel> = {
  id: 'stepwell:side-panel',
  description: 'The panel in the right side area.',
  autoStart: true,
  provides: ISidePanel,
  optional: [ILayoutRestorer, ITranslator],
  activate: (app: JupyterFrontEnd, restorer: ILayoutRestorer | null, translator: ITranslator | null): ISidePanel => {
    const trans = (translator ?? nullTranslator).load('stepwell');
    const panel = new SidePanel(() => app.shell.activateById(panel.widget.id));
    panel.widget.title.icon = stepwellIcon;
    panel.widget.title.caption = 'Stepwell';
    panel.widget.node.setAttribute('role', 'region');
    panel.widget.node.setAttribute('aria-label', trans.__('Stepwell'));
    app.shell.add(panel.widget, 'right', { rank: 550, type: 'Stepwell' });
    restorer?.add(panel.widget, panel.widget.id);
    return panel;
  },
};

const id = 'stepwell:pipeline';

export const pipelinePlugin: JupyterFrontEndPlugin<void> = {
  id,
  description: 'Shows the steps of the notebook as it is edited.',
  autoStart: true,
  requires: [ISidePanel, INotebookPipelines, IProblemActions],
  optional: [IRuns, ISettingRegistry, ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    side: ISidePanel,
    pipelines: INotebookPipelines,
    actions: IProblemActions,
    runs: IRuns | null,
    registry: ISettingRegistry | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null,
  ): void => {
    const trans = (translator ?? nullTranslator).load('stepwell');
    const { commands } = app;
    const loaded = registry?.load(id);
    const tab = new PipelineTab({
      pipelines,
      commands,
      actions,
      trans,
      runs,
      keepView: view => void loaded?.then(settings => settings.set('view', view)),
    });
    side.add(tab, 100);
    void loaded?.then(settings => {
      const update = () => {
        tab.view = settings.get('view').composite as View;
        tab.direction = settings.get('direction').composite as Direction;
        tab.update();
      };
      settings.changed.connect(update);
      update();
    });

    commands.addCommand('stepwell:show-pipeline', {
      label: trans.__('Show Pipeline'),
      caption: trans.__('Show the steps of the notebook in the side panel'),
      icon: stepwellIcon,
      execute: () => side.show(tab.id),
    });
    commands.addCommand('stepwell:show-step', {
      label: trans.__('Show Step'),
      describedBy: { args: { type: 'object', properties: { step: { type: 'string' } } } },
      execute: args => {
        side.show(tab.id);
        if (typeof args.step === 'string') tab.choose(args.step);
      },
    });
    palette?.addItem({ command: 'stepwell:show-pipeline', category: 'Stepwell' });
  },
};
