/** The log of an attempt: rows in view only, colours as classes, a search through all of it, and the end followed until one scrolls away. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { classesOf, colours, readAnsi } from './ansi';
import { type AttemptLog, find, type Row } from './log';

const rowHeight = 18;

interface LogViewProps {
  log: AttemptLog;
  /** The rows of the log as they are now: a new list whenever something came. */
  rows: readonly Row[];
  trans: TranslationBundle;
}

export function LogView({ log, rows, trans }: LogViewProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const [follow, setFollow] = useState(true);
  const found = useMemo(() => find(rows, text), [rows, text]);
  const list = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => rowHeight, overscan: 20 });
  const current = found[Math.min(at, found.length - 1)];
  const first = rows[0]?.number ?? 0;
  useEffect(() => {
    if (follow && rows.length > 0) list.scrollToIndex(rows.length - 1, { align: 'end' });
  }, [follow, rows, list]);
  const go = (to: number) => {
    if (found.length === 0) return;
    const next = (to + found.length) % found.length;
    setAt(next);
    setFollow(false);
    list.scrollToIndex(found[next]! - first, { align: 'center' });
  };
  const onScroll = () => {
    const { scrollTop, clientHeight, scrollHeight } = box.current!;
    const atEnd = scrollTop + clientHeight >= scrollHeight - rowHeight;
    if (!atEnd && follow) setFollow(false);
  };
  return (
    <div className="stepwell-log">
      <div className="stepwell-log-bar">
        <input
          className="jp-mod-styled"
          type="search"
          placeholder={trans.__('Find in the log')}
          aria-label={trans.__('Find in the log')}
          value={text}
          onChange={event => {
            setText(event.target.value);
            setAt(0);
          }}
          onKeyDown={event => event.key === 'Enter' && go(event.shiftKey ? at - 1 : at + (current === undefined ? 0 : 1))}
        />
        <span className="stepwell-log-found" role="status">
          {text === ''
            ? ''
            : found.length === 0
              ? trans.__('not found')
              : trans.__('%1 of %2', Math.min(at, found.length - 1) + 1, found.length)}
        </span>
        <button type="button" className="stepwell-link" disabled={found.length === 0} onClick={() => go(at - 1)}>
          {trans.__('Previous')}
        </button>
        <button type="button" className="stepwell-link" disabled={found.length === 0} onClick={() => go(at + 1)}>
          {trans.__('Next')}
        </button>
        <label className="stepwell-form-tick">
          <input type="checkbox" checked={follow} onChange={event => setFollow(event.target.checked)} />
          {trans.__('Follow')}
        </label>
      </div>
      {log.dropped > 0 && <p className="stepwell-log-note">{trans.__('The first %1 lines are not shown.', log.dropped)}</p>}
      <div
        ref={box}
        className="stepwell-log-rows"
        role="log"
        aria-live="off"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
        tabIndex={0}
        aria-label={trans.__('Log')}
        onWheel={onScroll}
        onKeyUp={onScroll}
        onPointerUp={onScroll}
      >
        {rows.length === 0 && <p className="stepwell-run-empty">{trans.__('Nothing was said yet.')}</p>}
        <div style={{ height: list.getTotalSize(), position: 'relative' }}>
          {list.getVirtualItems().map(({ index, start }) => {
            const row = rows[index]!;
            return (
              <div
                key={row.number}
                className="stepwell-log-row"
                data-kind={row.kind}
                data-current={row.number === current || undefined}
                style={{ transform: `translateY(${start}px)`, height: rowHeight }}
              >
                <Words row={row} wanted={text} />
                {row.cut > 0 && <span className="stepwell-log-cut">{trans.__('… %1 more characters', row.cut.toLocaleString())}</span>}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

function Words({ row, wanted }: { row: Row; wanted: string }): JSX.Element {
  const { pieces } = readAnsi(row.text, row.style);
  return (
    <>
      {pieces.map(({ text, style }, index) => {
        const className = classesOf(style);
        return (
          <span key={index} className={className || undefined} style={colours(style)}>
            {marked(text, wanted)}
          </span>
        );
      })}
    </>
  );
}

/** The text with what is looked for marked. */
function marked(text: string, wanted: string): ReactNode {
  if (wanted === '') return text;
  const nodes: ReactNode[] = [];
  const lower = text.toLowerCase();
  const looked = wanted.toLowerCase();
  let from = 0;
  for (let at = lower.indexOf(looked); at >= 0; at = lower.indexOf(looked, from)) {
    nodes.push(text.slice(from, at), <mark key={at}>{text.slice(at, at + looked.length)}</mark>);
    from = at + looked.length;
  }
  return [...nodes, text.slice(from)];
}
