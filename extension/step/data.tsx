/** What goes into the step and what comes out of it: declared beside inferred, and what only the code decides. */
import type { ReactNode } from 'react';
import { typeName } from '../../pipeline/compile';
import { isVariable } from '../../pipeline/model/name';
import type { Parameter } from '../../pipeline/model/parameter';
import type { Pipeline, Step } from '../../pipeline/model/pipeline';
import { useStep } from './context';
import { type Implied, Names } from './names';

export function Data() {
  const { pipeline, step, trans } = useStep();
  const place = pipeline.steps.indexOf(step);
  const above = pipeline.steps.slice(0, place);
  const inputs = step.reads
    .filter(({ name, from }) => from !== undefined && crosses(name))
    .map(({ name, from }) => ({ name, why: trans.__('from %1', from!) }));
  const outputs = usedBelow(pipeline, step).map(({ name, by }) => ({
    name,
    why: by === undefined ? trans.__('given back') : trans.__('for %1', by),
  }));
  const writes = (steps: readonly Step[]) => [...new Set(steps.flatMap(one => one.writes.map(({ name }) => name).filter(crosses)))];
  return (
    <>
      <Names
        of="inputs"
        label={trans.__('Inputs')}
        adding={trans.__('Add an input')}
        implied={inputs}
        options={() => writes(above)}
        replaces
      />
      <Names
        of="outputs"
        label={trans.__('Outputs')}
        adding={trans.__('Add an output')}
        implied={outputs}
        options={() => writes([step])}
        replaces
      />
      <Parameters />
      <Files />
      <After above={above} />
    </>
  );
}

function After({ above }: { above: readonly Step[] }) {
  const { step, trans } = useStep();
  const names = above.map(({ name }) => name);
  const provided = new Set(step.reads.map(({ from }) => from));
  const implied: Implied[] = step.dependsOn.map(name => ({
    name,
    why: provided.has(name) ? trans.__('it provides inputs') : trans.__('its cells or the defaults say so'),
  }));
  return (
    <Names
      of="after"
      label={trans.__('Runs after')}
      adding={trans.__('Add a step above')}
      implied={implied}
      options={() => names}
      codes={['order-cycle']}
      refuse={name => (names.includes(name) ? undefined : trans.__('Expected the name of a step above this one.'))}
      replaces={false}
    />
  );
}

function Parameters() {
  const { pipeline, step, trans } = useStep();
  const read = pipeline.parameters.filter(({ name }) => step.parameters.includes(name));
  if (read.length === 0) return null;
  return (
    <Shown label={trans.__('Parameters it reads')}>
      {read.map(parameter => (
        <li key={parameter.name} title={parameter.description}>
          <code>{`${parameter.name}: ${typeName(parameter.type)}`}</code>{' '}
          <span className="stepwell-step-form-aside">{defaultOf(parameter)}</span>
        </li>
      ))}
    </Shown>
  );

  function defaultOf({ source, default: value }: Parameter): string {
    const written = source ?? (value === undefined ? undefined : JSON.stringify(value));
    return written === undefined ? trans.__('must be given') : trans.__('default %1', written);
  }
}

function Files() {
  const { step, trans } = useStep();
  const { reads, writes } = step.files;
  if (reads.length + writes.length === 0) return null;
  return (
    <Shown label={trans.__('Files')}>
      {reads.map(path => (
        <li key={`r ${path}`}>
          <span className="stepwell-step-form-aside">{trans.__('reads')}</span> <code>{path}</code>
        </li>
      ))}
      {writes.map(path => (
        <li key={`w ${path}`}>
          <span className="stepwell-step-form-aside">{trans.__('writes')}</span> <code>{path}</code>
        </li>
      ))}
    </Shown>
  );
}

/** What is there to be read, not to be changed here. */
function Shown({ label, children }: { label: string; children: ReactNode }) {
  return (
    <fieldset className="stepwell-step-form-field">
      <legend>{label}</legend>
      <ul className="stepwell-step-form-shown">{children}</ul>
    </fieldset>
  );
}

/** Variables of the step that leave it, with a step that reads them; none where the pipeline gives them back. */
function usedBelow(pipeline: Pipeline, step: Step): { name: string; by?: string }[] {
  return step.writes.flatMap(({ name }) => {
    if (!crosses(name)) return [];
    const reader = pipeline.steps.find(({ reads }) => reads.some(read => read.name === name && read.from === step.name));
    if (reader) return [{ name, by: reader.name }];
    const last = pipeline.steps.findLast(({ writes }) => writes.some(write => write.name === name));
    return pipeline.returns.includes(name) && last === step ? [{ name }] : [];
  });
}

/** A variable with a name: no channel, no file, no "any". */
const crosses = (name: string): boolean => isVariable(name) && name !== '*';
