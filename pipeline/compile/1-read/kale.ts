/** A notebook made for Kale: what its metadata says, in our words. Its tags are read in `tags.ts`. */
import type { StepSettings } from '../../model/pipeline';
import type { Problem } from '../../model/problem';
import { readTags } from './tags';

export interface KaleSettings {
  name?: string;
  description?: string;
  defaults: StepSettings;
  problems: Problem[];
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value.trim() !== '' ? value : undefined);

/** Reads `metadata.kubeflow_notebook`, of any age. What has no meaning here (experiments, Katib, volume snapshots) is left alone. */
export function kaleSettings(metadata: unknown): KaleSettings {
  const result: KaleSettings = { defaults: {}, problems: [] };
  if (typeof metadata !== 'object' || metadata === null) return result;
  const kale = metadata as Record<string, unknown>;
  result.name = text(kale.pipeline_name);
  result.description = text(kale.pipeline_description);
  const image = text(kale.base_image) ?? text(kale.docker_image);
  if (image) result.defaults.image = image;
  const tags = readTags(kale.steps_defaults);
  result.defaults = { ...result.defaults, ...tags.settings };
  result.problems.push(...tags.remarks.map(({ code, severity, message }) => ({ code, severity, message })));
  if (Array.isArray(kale.volumes) && kale.volumes.length > 0) result.defaults.volumes = kale.volumes;
  if (kale.enable_caching === false && result.defaults.reuse === undefined) result.defaults.reuse = false;
  return result;
}
