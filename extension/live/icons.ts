/** Icons of what is done with runs; JupyterLab has the rest. */
import { LabIcon } from '@jupyterlab/ui-components';

/** Three steps, and a triangle that sets them going. */
const runPipeline = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <rect x="2" y="3" width="8" height="4" rx="1.2"/>
    <rect x="2" y="10" width="8" height="4" rx="1.2"/>
    <rect x="2" y="17" width="8" height="4" rx="1.2"/>
    <path d="M13 5.5v13l9-6.5z"/>
  </g>
</svg>`;

export const runPipelineIcon = new LabIcon({ name: 'stepwell:run-pipeline', svgstr: runPipeline });
