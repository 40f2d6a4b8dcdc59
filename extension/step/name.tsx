/** The step's name; another one goes to all its cells, its settings, and the steps that run after it. */
import { isStepName, readTags, validStepName } from '../../pipeline/compile/1-read/tags';
import { renameStep } from '../notebook/writing';
import { useStep } from './context';
import { TextField } from './field';

export function Name() {
  const { notebook, pipeline, step, trans } = useStep();
  const shared = notebook.panel.content.model!.sharedModel;
  const tagged = shared.cells.some(cell => readTags(cell.getMetadata('tags')).step === step.name);
  return (
    <TextField
      name="name"
      label={trans.__('Step')}
      stored={step.name}
      locked={!tagged}
      hint={tagged ? undefined : trans.__('No cell is tagged with this name yet.')}
      fault={text => {
        const name = text.trim();
        if (name === '') return trans.__('A step needs a name.');
        if (!isStepName(name)) return trans.__('Use letters, digits, "_" and "-", 63 at most: "%1", for example.', validStepName(name));
        const taken = name !== step.name && pipeline.steps.some(other => other.name === name);
        return taken ? trans.__('There is a step "%1" already.', name) : undefined;
      }}
      write={text => {
        renameStep(shared, step.name, text.trim());
        notebook.refresh();
      }}
    />
  );
}
