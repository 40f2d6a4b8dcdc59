/** The table of contents of the JupyterLab extension: its plugins, in the order in which they need each other. */
import { livePlugin } from './live/plugin';
import { notebookPlugin } from './notebook/plugin';
import { panelPlugin, pipelinePlugin } from './panel/plugin';
import { problems } from './problems/plugin';
import { runsPlugin } from './runs/plugin';
import { runsTabPlugin } from './runs/tabplugin';
import { servicePlugin } from './service/plugin';
import { suggestions } from './suggest/plugin';

export default [notebookPlugin, panelPlugin, problems, suggestions, pipelinePlugin, servicePlugin, runsPlugin, livePlugin, runsTabPlugin];
