/** Shows what a notebook would be with proposed tags, and asks before they are written. */
import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Preview, PreviewGroup } from './preview';

/** Resolves to whether the tags are to be written. */
export async function askForProposal(title: string, intro: string, shown: Preview, trans: TranslationBundle): Promise<boolean> {
  const body = ReactWidget.create(<Proposal intro={intro} shown={shown} trans={trans} />);
  body.addClass('stepwell-proposal');
  const apply = Dialog.okButton({ label: trans.__('Write tags') });
  const result = await showDialog({ title, body, buttons: [Dialog.cancelButton(), apply] });
  return result.button.accept;
}

function Proposal({ intro, shown: { groups, errors }, trans }: { intro: string; shown: Preview; trans: TranslationBundle }) {
  return (
    <>
      <p>{intro}</p>
      {/* The list scrolls, so the keyboard must be able to reach it. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region is reached by keyboard through it */}
      <ol className="stepwell-proposal-groups" tabIndex={0} aria-label={trans.__('Proposed steps')}>
        {groups.map(group => (
          <Group key={`${group.step} ${group.name}`} group={group} trans={trans} />
        ))}
      </ol>
      {errors.length > 0 && (
        <div className="stepwell-proposal-errors">
          <p>{trans.__('These problems would stay:')}</p>
          <ul>
            {errors.slice(0, 5).map(error => (
              <li key={error}>{error}</li>
            ))}
          </ul>
        </div>
      )}
    </>
  );
}

function Group({ group: { name, step, cells, reads, writes }, trans }: { group: PreviewGroup; trans: TranslationBundle }) {
  return (
    <li>
      <div className="stepwell-proposal-name">
        <strong>{name}</strong>
        {step && (
          <span className="stepwell-proposal-flow">
            {reads.length > 0 && trans.__('uses %1', listed(reads))}
            {reads.length > 0 && writes.length > 0 && ' · '}
            {writes.length > 0 && trans.__('makes %1', listed(writes))}
          </span>
        )}
      </div>
      <ul>
        {cells.slice(0, mostCells).map(({ cell, line }) => (
          <li key={cell}>
            <span className="stepwell-proposal-number">{trans.__('cell %1', cell + 1)}</span> <code>{line}</code>
          </li>
        ))}
        {cells.length > mostCells && <li>{trans._n('and %1 more cell', 'and %1 more cells', cells.length - mostCells)}</li>}
      </ul>
    </li>
  );
}

/** Cells and names that are shown of one step. */
const mostCells = 6;
const mostNames = 5;

const listed = (names: string[]): string => (names.length > mostNames ? `${names.slice(0, mostNames).join(', ')} …` : names.join(', '));
