/** A setting that is a list of names, as chips: those that the notebook declares, solid, and those that follow from elsewhere, grey. */
import { useId, useRef, useState } from 'react';
import { useStep } from './context';
import { useDraft } from './draft';
import { Faults } from './faults';
import { describedBy, Options, Told } from './field';

export interface Implied {
  name: string;
  /** Where it follows from, in words. */
  why: string;
}

export interface NamesShown {
  of: string;
  label: string;
  adding: string;
  implied: readonly Implied[];
  /** Names that could be added; there may be thousands, so they are asked for when somebody is about to add one. */
  options: () => readonly string[];
  hint?: string;
  codes?: readonly string[];
  /** Why this name may not be added; otherwise the settings' own check says. */
  refuse?: (name: string) => string | undefined;
  /** Declaring a list replaces what is implied, so it begins with that; otherwise it comes on top. */
  replaces: boolean;
}

export function Names({ of: key, label, adding, implied, options, hint, codes, refuse, replaces }: NamesShown) {
  const { settings, owner, trans } = useStep();
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [near, setNear] = useState(false);
  const declared = textsIn(settings.own([key]));
  const rest = implied.filter(({ name }) => !declared?.includes(name));
  const put = (names: readonly string[] | undefined) => settings.write([key], names && names.length > 0 ? [...new Set(names)] : undefined);

  const draft = useDraft({
    stored: '',
    owner: `${owner} ${key}`,
    fault: text => {
      const name = text.trim();
      if (name === '') return undefined;
      const expected = settings.expected([key], [name]);
      return refuse?.(name) ?? (expected && trans.__('Expected %1.', expected));
    },
    write: text => {
      const name = text.trim();
      // As it is now, not as it was when the name was begun.
      const before = textsIn(settings.own([key])) ?? (replaces ? implied.map(one => one.name) : []);
      if (name !== '') put([...before, name]);
    },
  });

  return (
    <fieldset className="stepwell-step-form-field" onFocus={() => setNear(true)} onBlur={() => setNear(false)}>
      <legend>{label}</legend>
      {(declared || rest.length > 0) && (
        <ul className="stepwell-step-form-chips">
          {declared?.map(name => (
            <li key={name} className="stepwell-step-form-chip" data-declared>
              {name}
              <button
                type="button"
                aria-label={trans.__('Remove %1', name)}
                onClick={() => {
                  input.current?.focus();
                  put(declared.filter(other => other !== name));
                }}
              >
                ×
              </button>
            </li>
          ))}
          {rest.map(({ name, why }) => (
            <li key={name} className="stepwell-step-form-chip" title={why}>
              {name} <span className="stepwell-step-form-aside">{why}</span>
            </li>
          ))}
        </ul>
      )}
      <Faults of={key} codes={codes} />
      <div className="stepwell-step-form-adding">
        <input
          {...draft.handlers}
          {...describedBy(id, hint, draft.fault)}
          ref={input}
          id={id}
          type="text"
          className="jp-mod-styled"
          autoComplete="off"
          spellCheck={false}
          list={`${id}-options`}
          aria-label={adding}
          placeholder={adding}
          value={draft.value}
          onChange={({ target }) => draft.change(target.value)}
        />
        {replaces && declared && (
          <button type="button" onClick={() => put(undefined)}>
            {trans.__('Use what was inferred')}
          </button>
        )}
        {replaces && !declared && rest.length > 0 && (
          <button type="button" onClick={() => put(rest.map(({ name }) => name))}>
            {trans.__('Declare these')}
          </button>
        )}
      </div>
      <Options id={`${id}-options`} options={near ? options().filter(option => !declared?.includes(option)) : []} />
      <Told id={id} hint={hint} fault={draft.fault} />
    </fieldset>
  );
}

const textsIn = (value: unknown): string[] | undefined =>
  Array.isArray(value) && value.every(one => typeof one === 'string') ? value : undefined;
