/** The table of contents of the JupyterLab extension: its plugins, in the order in which they need each other. */
import { cellsPlugin } from './cells/plugin';
import { livePlugin } from './live/plugin';
import { notebookPlugin } from './notebook/plugin';
import { panelPlugin, pipelinePlugin } from './panel/plugin';
import { problems } from './problems/plugin';
import { runPlugin } from './run/plugin';
import { runsPlugin } from './runs/plugin';
import { runsTabPlugin } from './runs/tabplugin';
import { servicePlugin } from './service/plugin';
import { suggestions } from './suggest/plugin';
import { taggingPlugin } from './tagging/plugin';

export default [
  notebookPlugin,
  taggingPlugin,
  cellsPlugin,
  problems,
  suggestions,
  panelPlugin,
  pipelinePlugin,
  servicePlugin,
  runsPlugin,
  livePlugin,
  runsTabPlugin,
  runPlugin,
];
