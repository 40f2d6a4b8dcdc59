/** A labelled text field with its hint and what is wrong with it; and the same for one setting of the step. */
import { type ReactNode, useId } from 'react';
import { useStep } from './context';
import { type Drafting, useDraft } from './draft';
import { type Kind, unreadable } from './kinds';
import type { Path } from './settings';

export interface FieldText extends Omit<Drafting<string>, 'owner'> {
  label: string;
  /** Tells its field from the step's others. */
  name: string;
  hint?: string;
  placeholder?: string;
  /** What is wrong with the stored value, told until it is edited. */
  storedFault?: string;
  /** Completions. */
  options?: readonly string[];
  locked?: boolean;
}

export function TextField({ label, name, hint, placeholder, storedFault, options, locked, ...drafting }: FieldText) {
  const { owner } = useStep();
  const id = useId();
  const draft = useDraft({ ...drafting, owner: `${owner} ${name}` });
  const fault = draft.dirty ? draft.fault : storedFault;
  const shared = {
    ...draft.handlers,
    ...describedBy(id, hint, fault),
    id,
    className: 'jp-mod-styled',
    value: draft.value,
    placeholder,
    readOnly: locked,
    spellCheck: false,
    onChange: ({ target }: { target: { value: string } }) => draft.change(target.value),
  };
  return (
    <Labelled id={id} label={label} hint={hint} fault={fault}>
      {drafting.lines ? (
        <textarea {...shared} rows={Math.min(8, draft.value.split('\n').length)} />
      ) : (
        <input {...shared} type="text" autoComplete="off" list={options && `${id}-options`} />
      )}
      {options && <Options id={`${id}-options`} options={options} />}
    </Labelled>
  );
}

export function SettingField({ path, kind, expected, ...field }: SettingText) {
  const { settings, trans } = useStep();
  const own = settings.own(path);
  const inherited = settings.inherited(path);
  const fault = (value: unknown) => {
    if (value === unreadable) return trans.__('Expected JSON: a text stands in double quotes.');
    const wanted = settings.expected(path, value);
    return wanted && trans.__('Expected %1.', expected ?? wanted);
  };
  return (
    <TextField
      {...field}
      name={path.join('.')}
      placeholder={inherited === undefined ? field.placeholder : kind.show(inherited)}
      stored={kind.show(own)}
      storedFault={fault(own)}
      fault={text => fault(kind.read(text))}
      write={text => settings.write(path, kind.read(text))}
    />
  );
}

export interface SettingText extends Pick<FieldText, 'label' | 'hint' | 'placeholder' | 'options' | 'lines'> {
  path: Path;
  kind: Kind;
  /** What the setting takes, where its text may say more than its value. */
  expected?: string;
}

/** A field's frame. */
export function Labelled({ id, label, hint, fault, children }: Labelling & { children: ReactNode }) {
  return (
    <div className="stepwell-step-form-field">
      <label htmlFor={id}>{label}</label>
      {children}
      <Told id={id} hint={hint} fault={fault} />
    </div>
  );
}

export interface Labelling {
  id: string;
  label: string;
  hint?: string;
  fault?: string;
}

/** The hint and the fault of the field with this id. */
export function Told({ id, hint, fault }: Omit<Labelling, 'label'>) {
  return (
    <>
      {hint && (
        <p className="stepwell-step-form-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      <p className="stepwell-step-form-fault" id={`${id}-fault`} aria-live="polite">
        {fault}
      </p>
    </>
  );
}

/** What ties a field to its hint and its fault. */
export function describedBy(id: string, hint: string | undefined, fault: string | undefined) {
  const ids = [...(fault ? [`${id}-fault`] : []), ...(hint ? [`${id}-hint`] : [])];
  return { 'aria-invalid': fault !== undefined, 'aria-describedby': ids.join(' ') || undefined };
}

export function Options({ id, options }: { id: string; options: readonly string[] }) {
  return (
    <datalist id={id}>
      {options.map(option => (
        <option key={option} value={option} />
      ))}
    </datalist>
  );
}
