/** The form that asks for a run's parameters, made from their types. */
import { Dialog, ReactWidget } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useId, useRef, useState } from 'react';
import { typeName } from '../../pipeline/compile';
import type { Literal, Parameter } from '../../pipeline/model/parameter';
import { asInNotebook, choices, control, type Filled, read } from './fields';

/** What people chose, as they left it; taken up again the next time. */
export interface Wishes {
  filled: Filled;
  experiment: string;
  reuse: boolean;
  keepGoing: boolean;
}

export const noWishes: Wishes = { filled: {}, experiment: '', reuse: true, keepGoing: false };

/** Asks. Undefined when the person decides otherwise. */
export async function askForRun(
  name: string,
  parameters: readonly Parameter[],
  before: Wishes,
  trans: TranslationBundle,
): Promise<{ wishes: Wishes; values: Record<string, Literal> } | undefined> {
  const body = new FormBody(parameters, before, trans);
  const dialog = new Dialog({
    title: trans.__('Run %1', name),
    body,
    buttons: [Dialog.cancelButton({ label: trans.__('Cancel') }), Dialog.okButton({ label: trans.__('Run') })],
    focusNodeSelector: '.stepwell-form input, .stepwell-form select, .stepwell-form textarea',
  });
  const { button } = await dialog.launch();
  const { wishes } = body;
  const { values, faults } = read(parameters, wishes.filled);
  return button.accept && Object.keys(faults).length === 0 ? { wishes, values } : undefined;
}

class FormBody extends ReactWidget {
  constructor(
    private readonly _parameters: readonly Parameter[],
    public wishes: Wishes,
    private readonly _trans: TranslationBundle,
  ) {
    super();
  }

  protected override render(): JSX.Element {
    return <RunForm parameters={this._parameters} before={this.wishes} trans={this._trans} changed={wishes => (this.wishes = wishes)} />;
  }
}

interface RunFormProps {
  parameters: readonly Parameter[];
  before: Wishes;
  trans: TranslationBundle;
  changed: (wishes: Wishes) => void;
}

export function RunForm({ parameters, before, trans, changed }: RunFormProps): JSX.Element {
  const [wishes, setWishes] = useState(before);
  const form = useRef<HTMLDivElement>(null);
  const { faults } = read(parameters, wishes.filled);
  const faulty = Object.keys(faults).join(' ');
  const change = (some: Partial<Wishes>) => {
    const next = { ...wishes, ...some };
    setWishes(next);
    changed(next);
  };
  // The dialog looks for what is marked as wrong whenever there is input, which is before this has been drawn.
  useEffect(() => {
    form.current?.dispatchEvent(new Event('input', { bubbles: true }));
  }, [faulty]);
  return (
    <div className="stepwell-form" ref={form}>
      <p className="stepwell-form-note">{trans.__('Runs the notebook as it is in the editor: unsaved changes run too.')}</p>
      {parameters.map(parameter => (
        <Field
          key={parameter.name}
          parameter={parameter}
          entered={wishes.filled[parameter.name] ?? asInNotebook(parameter)}
          fault={faults[parameter.name]}
          enter={entered => change({ filled: { ...wishes.filled, [parameter.name]: entered } })}
        />
      ))}
      <details className="stepwell-form-more">
        <summary>{trans.__('More')}</summary>
        <label className="stepwell-form-field">
          <span className="stepwell-form-name">{trans.__('Experiment')}</span>
          <input
            className="jp-mod-styled"
            type="text"
            maxLength={200}
            value={wishes.experiment}
            placeholder={trans.__('a name that groups runs')}
            onChange={event => change({ experiment: event.target.value })}
          />
        </label>
        <label className="stepwell-form-tick">
          <input type="checkbox" checked={wishes.reuse} onChange={event => change({ reuse: event.target.checked })} />
          {trans.__('Use earlier results where nothing changed')}
        </label>
        <label className="stepwell-form-tick">
          <input type="checkbox" checked={wishes.keepGoing} onChange={event => change({ keepGoing: event.target.checked })} />
          {trans.__('When a step fails, run those that do not need it')}
        </label>
      </details>
    </div>
  );
}

interface FieldProps {
  parameter: Parameter;
  entered: string | boolean;
  fault: string | undefined;
  enter: (entered: string | boolean) => void;
}

function Field({ parameter: { name, type, description }, entered, fault, enter }: FieldProps): JSX.Element {
  const id = useId();
  const kind = control(type);
  const about = [description && `${id}-about`, fault && `${id}-fault`].filter(Boolean).join(' ') || undefined;
  const shared = { id, 'aria-describedby': about, 'aria-invalid': fault !== undefined } as const;
  const className = fault === undefined ? 'jp-mod-styled' : 'jp-mod-styled jp-mod-error';
  const words = typeof entered === 'string' ? entered : '';
  return (
    <div className="stepwell-form-field">
      <label className="stepwell-form-name" htmlFor={id}>
        {name} <span className="stepwell-form-type">{typeName(type)}</span>
      </label>
      {kind === 'tick' ? (
        <input {...shared} type="checkbox" checked={entered === true} onChange={event => enter(event.target.checked)} />
      ) : kind === 'choice' ? (
        <select {...shared} className={className} value={words} onChange={event => enter(event.target.value)}>
          {choices(type).includes(words) || <option value={words} />}
          {choices(type).map(choice => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      ) : kind === 'json' ? (
        <textarea
          {...shared}
          className={className}
          rows={2}
          spellCheck={false}
          value={words}
          onChange={event => enter(event.target.value)}
        />
      ) : (
        <input
          {...shared}
          className={className}
          type="text"
          inputMode={kind === 'number' ? 'decimal' : 'text'}
          spellCheck={false}
          value={words}
          onChange={event => enter(event.target.value)}
        />
      )}
      {description && (
        <div id={`${id}-about`} className="stepwell-form-about">
          {description}
        </div>
      )}
      {fault && (
        <div id={`${id}-fault`} className="stepwell-form-fault" role="alert">
          {fault}
        </div>
      )}
    </div>
  );
}
