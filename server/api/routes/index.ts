/** Every route there is. */
import type { Route } from '../route';
import { about } from './about';
import { compiling } from './compiling';
import { outcome } from './outcome';
import { pipelines } from './pipelines';
import { runs } from './runs';
import { steps } from './steps';

export const routes: readonly Route[] = [...about, ...compiling, ...pipelines, ...runs, ...steps, ...outcome];
