/** The pipeline as a Mermaid flowchart: a box per step, an arrow per dependency, labelled with the variables that cross. */
import { isVariable } from '../model/name';
import type { Pipeline } from '../model/pipeline';

/** More names than this on one arrow are counted instead of listed. */
const listed = 3;

export function toMermaid(pipeline: Pipeline): string {
  const lines = ['flowchart TD'];
  const ids = new Map(pipeline.steps.map((step, index) => [step.name, `s${index}`]));
  for (const step of pipeline.steps) lines.push(`  ${ids.get(step.name)}["${quote(step.name)}"]`);
  for (const step of pipeline.steps) {
    const names = new Map<string, string[]>();
    for (const { name, from } of step.reads) {
      if (from === undefined || !isVariable(name) || name === '*') continue;
      names.set(from, [...(names.get(from) ?? []), name]);
    }
    for (const from of step.dependsOn) {
      const crossing = names.get(from) ?? [];
      const label =
        crossing.length > listed ? `${crossing.slice(0, listed).join(', ')}, +${crossing.length - listed}` : crossing.join(', ');
      const id = ids.get(from)!;
      lines.push(label ? `  ${id} -->|"${quote(label)}"| ${ids.get(step.name)}` : `  ${id} -.-> ${ids.get(step.name)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Mermaid reads entities inside quotes. */
const quote = (text: string): string =>
  text.replaceAll('&', '#amp;').replaceAll('"', '#quot;').replaceAll('<', '#lt;').replaceAll('>', '#gt;');
