/** How attempts of the step are made: again after a failure, for how long, or not at all where an earlier result will do. */
import { useId } from 'react';
import type { Backoff } from '../../pipeline/model/pipeline';
import { useStep } from './context';
import { Faults } from './faults';
import { Labelled, SettingField, TextField } from './field';
import { duration, type Kind, number } from './kinds';

export function Running() {
  const { trans } = useStep();
  const times = trans.__('seconds, or a time such as "10m" or "1h 30m"');
  return (
    <>
      <div className="stepwell-step-form-row">
        <SettingField path={['retries']} kind={number} label={trans.__('Retries')} placeholder="0" />
        <SettingField path={['timeout']} kind={duration} label={trans.__('Timeout')} placeholder={trans.__('none')} expected={times} />
      </div>
      <Waiting times={times} />
      <Reuse />
      <OnFailure />
    </>
  );
}

type Parts = Record<keyof Backoff, unknown>;

/** A number of seconds waits as long each time. */
const parts = (value: unknown): Parts =>
  typeof value === 'object' && value !== null
    ? { first: undefined, factor: undefined, limit: undefined, ...value }
    : { first: value, factor: value === undefined ? undefined : 1, limit: undefined };

function Waiting({ times }: { times: string }) {
  const { settings, trans } = useStep();
  const own = settings.own(['backoff']);
  const stored = parts(own);
  // A backoff is taken whole: what the step itself says hides all of what it would inherit.
  const otherwise: Partial<Parts> = own === undefined ? parts(settings.inherited(['backoff'])) : {};

  const field = (part: keyof Backoff, kind: Kind, label: string, none: string, expected?: string) => {
    const fault = (value: unknown) => {
      const wanted = settings.expected(['backoff', part], value);
      return wanted && trans.__('Expected %1.', expected ?? wanted);
    };
    return (
      <TextField
        name={`backoff.${part}`}
        label={label}
        placeholder={kind.show(otherwise[part]) || none}
        stored={kind.show(stored[part])}
        storedFault={fault(stored[part])}
        fault={text => fault(kind.read(text))}
        write={text => {
          const { first, factor, limit }: Parts = { ...parts(settings.own(['backoff'])), [part]: kind.read(text) };
          const steady = limit === undefined && factor === 1;
          const none = first === undefined && (factor === undefined || factor === 1) && limit === undefined;
          settings.write(['backoff'], none ? undefined : steady && first !== undefined ? first : { first, factor, limit });
        }}
      />
    );
  };
  return (
    <fieldset className="stepwell-step-form-field">
      <legend>{trans.__('Wait before a retry')}</legend>
      <Faults of="backoff" />
      <div className="stepwell-step-form-row">
        {field('first', duration, trans.__('First wait'), own === undefined ? '0s' : '1s', times)}
        {field('factor', number, trans.__('Then times'), '2')}
        {field('limit', duration, trans.__('At most'), '5m', times)}
      </div>
    </fieldset>
  );
}

function Reuse() {
  const { settings, trans } = useStep();
  const id = useId();
  const own = settings.own(['reuse']);
  const aged = typeof own === 'object' && own !== null;
  const inherited = settings.inherited(['reuse']);
  const usual =
    typeof inherited === 'object' && inherited !== null ? trans.__('for a while') : inherited === false ? trans.__('no') : trans.__('yes');
  return (
    <>
      <Labelled id={id} label={trans.__('Reuse earlier results')} hint={trans.__('When neither code nor inputs have changed.')}>
        <select
          id={id}
          className="jp-mod-styled"
          aria-describedby={`${id}-hint`}
          value={aged ? 'age' : own === true ? 'on' : own === false ? 'off' : ''}
          onChange={({ target: { value } }) =>
            settings.write(['reuse'], value === 'age' ? { maxAge: day } : value === '' ? undefined : value === 'on')
          }
        >
          <option value="">{trans.__('As usual (%1)', usual)}</option>
          <option value="on">{trans.__('Yes')}</option>
          <option value="off">{trans.__('No, run each time')}</option>
          <option value="age">{trans.__('If they are not too old')}</option>
        </select>
      </Labelled>
      {aged && (
        <SettingField
          path={['reuse', 'maxAge']}
          kind={duration}
          label={trans.__('Not older than')}
          expected={trans.__('seconds, or a time such as "1d" or "12h"')}
        />
      )}
      <Faults of="reuse" />
    </>
  );
}

const day = 86400;

function OnFailure() {
  const { settings, trans } = useStep();
  const id = useId();
  const own = settings.own(['onFailure']);
  const words: Record<string, string> = { stop: trans.__('Stop the run'), continue: trans.__('Go on with what does not need it') };
  const usual = words[String(settings.inherited(['onFailure']) ?? 'stop')] ?? words.stop!;
  return (
    <>
      <Labelled id={id} label={trans.__('When it fails')}>
        <select
          id={id}
          className="jp-mod-styled"
          value={own === 'stop' || own === 'continue' ? own : ''}
          onChange={({ target: { value } }) => settings.write(['onFailure'], value || undefined)}
        >
          <option value="">{trans.__('As usual (%1)', usual)}</option>
          <option value="stop">{words.stop}</option>
          <option value="continue">{words.continue}</option>
        </select>
      </Labelled>
      <Faults of="onFailure" />
    </>
  );
}
