/** Stepwell's own icons; everything else is JupyterLab's. */
import { LabIcon } from '@jupyterlab/ui-components';
import step from '../../style/icons/step.svg';
import stepwell from '../../style/icons/stepwell.svg';

export const stepwellIcon = new LabIcon({ name: 'stepwell:stepwell', svgstr: stepwell });
export const stepIcon = new LabIcon({ name: 'stepwell:step', svgstr: step });
