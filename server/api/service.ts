/** What routes and sockets work with. */
import type { Artifacts } from '../artifacts';
import type { Config } from '../config';
import type { Runs } from '../engine/runs';
import type { Store } from '../store';
import type { Background } from './background';
import type { Metrics } from './metrics';
import type { Paths } from './paths';

export interface Service {
  runs: Runs;
  store: Store;
  artifacts: Artifacts;
  config: Config;
  background: Background;
  metrics: Metrics;
  paths: Paths;
  withJupyter: boolean;
  version: string;
  /** No more starts. */
  stopping: boolean;
  /** The OpenAPI document. */
  document(): object;
}
