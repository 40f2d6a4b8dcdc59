/** Settings that have no field of their own: those for people who know them, and those that nobody knows. They are kept as they are until somebody changes them here. */
import { stepSettingKeys } from '../../pipeline/model/settings';
import { useStep } from './context';
import { SettingField } from './field';
import { json } from './kinds';

export function Other({ keys }: { keys: readonly string[] }) {
  const { trans } = useStep();
  return (
    <>
      {keys.map(key => (
        <SettingField
          key={key}
          path={[key]}
          kind={json}
          label={key}
          lines
          hint={stepSettingKeys.includes(key) ? undefined : trans.__('Stepwell does not know this setting; it is kept.')}
        />
      ))}
      <p className="stepwell-step-form-hint">{trans.__('As JSON. Ctrl+Enter writes; an empty field takes the setting out.')}</p>
    </>
  );
}
