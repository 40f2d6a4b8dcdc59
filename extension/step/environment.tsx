/** Where the step runs, with how much of the machine, and which environment variables it finds there. */
import { useId } from 'react';
import { useStep } from './context';
import { useDraft } from './draft';
import { Faults } from './faults';
import { describedBy, SettingField, Told } from './field';
import { number, words } from './kinds';

export function Environment() {
  const { settings, trans } = useStep();
  const named = { cpu: trans.__('CPU'), memory: trans.__('Memory'), gpu: trans.__('GPUs') };
  const others = keysOf(settings.own(['resources'])).filter(key => !Object.hasOwn(named, key));
  return (
    <>
      <SettingField path={['target']} kind={words} label={trans.__('Target')} placeholder="local" options={['local']} />
      <div className="stepwell-step-form-row">
        <SettingField path={['resources', 'cpu']} kind={number} label={named.cpu} placeholder={trans.__('e.g. %1', '2')} />
        <SettingField path={['resources', 'memory']} kind={number} label={named.memory} placeholder={trans.__('e.g. %1', '4Gi')} />
        <SettingField path={['resources', 'gpu']} kind={number} label={named.gpu} placeholder="0" />
        {others.map(key => (
          <SettingField key={key} path={['resources', key]} kind={number} label={key} />
        ))}
      </div>
      <Faults of="resources" />
      <Variables />
    </>
  );
}

function Variables() {
  const { settings, trans } = useStep();
  const own = keysOf(settings.own(['env']));
  const inherited = Object.entries((settings.inherited(['env']) ?? {}) as Record<string, string>).filter(([name]) => !own.includes(name));
  return (
    <fieldset className="stepwell-step-form-field">
      <legend>{trans.__('Environment variables')}</legend>
      {inherited.length > 0 && (
        <ul className="stepwell-step-form-shown" aria-label={trans.__('From the defaults')}>
          {inherited.map(([name, value]) => (
            <li key={name}>
              <code>{`${name}=${value}`}</code> <span className="stepwell-step-form-aside">{trans.__('from the defaults')}</span>
            </li>
          ))}
        </ul>
      )}
      <Faults of="env" />
      {/* By place: a variable that gets another name keeps its row, and the row its focus. */}
      {[...own, ''].map((name, row) => (
        <Variable key={row} name={name} />
      ))}
      <p className="stepwell-step-form-hint">{trans.__('Kept in the notebook, where others can read them: no place for passwords.')}</p>
    </fieldset>
  );
}

/** One row; without a name, the one that makes a new variable. Its name and value are written together. */
function Variable({ name }: { name: string }) {
  const { settings, owner, trans } = useStep();
  const id = useId();
  const value = name === '' ? '' : settings.own(['env', name]);
  const fault = (row: { name: string; value: string }) => {
    const wanted = row.name.trim();
    if (wanted === '') return row.value !== '' && name === '' ? trans.__('Expected a name.') : undefined;
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(wanted)) return trans.__('Expected a name of letters, digits and "_".');
    return wanted !== name && keysOf(settings.own(['env'])).includes(wanted) ? trans.__('"%1" is there already.', wanted) : undefined;
  };
  const wrong = name === '' ? undefined : settings.expected(['env', name], value);
  const draft = useDraft({
    stored: { name, value: words.show(value) },
    owner: `${owner} env ${name}`,
    fault,
    write: row => {
      const before = settings.own(['env']);
      const entries = Object.entries((keysOf(before).length > 0 ? before : {}) as object);
      const changed: [string, unknown] = [row.name.trim(), row.value];
      const after = name === '' ? [...entries, changed] : entries.map(entry => (entry[0] === name ? changed : entry));
      const kept = after.filter(([one]) => one !== '');
      settings.write(['env'], kept.length > 0 ? Object.fromEntries(kept) : undefined);
    },
  });
  const told = draft.dirty ? draft.fault : wrong && trans.__('Expected %1.', wrong);
  const shared = { ...describedBy(id, undefined, told), type: 'text', className: 'jp-mod-styled', spellCheck: false, autoComplete: 'off' };
  return (
    <div {...draft.handlers}>
      <div className="stepwell-step-form-variable">
        <input
          {...shared}
          aria-label={name === '' ? trans.__('Name of a new variable') : trans.__('Name of %1', name)}
          placeholder={name === '' ? trans.__('Add a variable') : undefined}
          value={draft.value.name}
          onChange={({ target }) => draft.change({ ...draft.value, name: target.value })}
        />
        <input
          {...shared}
          aria-label={name === '' ? trans.__('Value of a new variable') : trans.__('Value of %1', name)}
          placeholder={trans.__('value')}
          value={draft.value.value}
          onChange={({ target }) => draft.change({ ...draft.value, value: target.value })}
        />
        {name !== '' && (
          <button type="button" aria-label={trans.__('Remove %1', name)} onClick={() => settings.write(['env', name], undefined)}>
            ×
          </button>
        )}
      </div>
      <Told id={id} fault={told} />
    </div>
  );
}

const keysOf = (value: unknown): string[] =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
