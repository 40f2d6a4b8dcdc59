/** The same as the graph, as a list: one row per step, arrow keys move, and everything is said in words. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { type KeyboardEvent, memo, useRef } from 'react';
import { StepNumber, StepStatus } from './status';
import { type GraphStep, type StepGraphData, type StepState, shown } from './steps';

export interface StepListProps {
  data: StepGraphData;
  trans: TranslationBundle;
  states?: ReadonlyMap<string, StepState>;
  chosen?: string;
  onChoose?: (step: string) => void;
}

/** Draws again only when a property is another: give it the same `data` as long as it says the same. */
export const StepList = memo(function StepList({ data: { steps, links }, trans, states, chosen, onChoose }: StepListProps) {
  const list = useRef<HTMLDivElement>(null);
  const after = new Map<string, string[]>();
  for (const { from, to } of links) after.set(to, [...(after.get(to) ?? []), from]);
  const current = Math.max(
    0,
    steps.findIndex(({ name }) => name === chosen),
  );
  const move = (to: number): void => {
    const step = steps[Math.max(0, Math.min(steps.length - 1, to))];
    if (!step) return;
    onChoose?.(step.name);
    const focus = () => list.current?.querySelectorAll<HTMLElement>('[role=option]')[steps.indexOf(step)]?.focus();
    focus();
    // A notebook takes the focus when another cell becomes active; the arrow keys are still ours.
    requestAnimationFrame(focus);
  };
  const targets: Record<string, () => number> = {
    ArrowDown: () => current + 1,
    ArrowUp: () => current - 1,
    Home: () => 0,
    End: () => steps.length - 1,
    Enter: () => current,
    ' ': () => current,
  };
  const keys = (event: KeyboardEvent): void => {
    const target = targets[event.key];
    if (!target) return;
    event.preventDefault();
    event.stopPropagation();
    move(target());
  };
  return (
    <div ref={list} className="stepwell-list" role="listbox" aria-label={trans.__('Steps')}>
      {steps.map((step, index) => (
        <div
          key={step.name}
          role="option"
          aria-selected={step.name === chosen}
          tabIndex={index === current ? 0 : -1}
          onClick={() => onChoose?.(step.name)}
          onKeyDown={keys}
        >
          <Row step={step} from={after.get(step.name) ?? []} state={states?.get(step.name)} trans={trans} />
        </div>
      ))}
    </div>
  );
});

interface RowProps {
  step: GraphStep;
  from: string[];
  state?: StepState;
  trans: TranslationBundle;
}

function Row({ step: { name, index, inputs, outputs, errors, warnings }, from, state, trans }: RowProps) {
  const flow = [
    inputs.length > 0 ? trans.__('takes %1', inputs.map(shown).join(', ')) : '',
    outputs.length > 0 ? trans.__('gives %1', outputs.map(shown).join(', ')) : '',
    from.length > 0 ? trans.__('after %1', from.join(', ')) : '',
  ];
  return (
    <>
      <StepNumber index={index} />
      <div className="stepwell-list-text">
        <div className="stepwell-list-head">
          <span className="stepwell-list-name">{name}</span>
          {errors > 0 ? <span className="stepwell-mark-error">{trans._n('%1 error', '%1 errors', errors)}</span> : null}
          {warnings > 0 ? <span className="stepwell-mark-warning">{trans._n('%1 warning', '%1 warnings', warnings)}</span> : null}
          {state ? <StepStatus state={state} trans={trans} /> : null}
        </div>
        <div className="stepwell-list-flow">{flow.filter(part => part !== '').join(' · ')}</div>
      </div>
    </>
  );
}
