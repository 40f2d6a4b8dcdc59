/**
 * What is being edited, between the first key and the moment it is written: on Enter, and when the field is left. Until then nothing that changes
 * elsewhere shows in the field; Escape brings back what is stored. What would be wrong is not written, and stays to be mended.
 */
import { type FocusEvent, type KeyboardEvent, useEffect, useRef, useState } from 'react';

export interface Drafting<T> {
  stored: T;
  /** Whose value it is. When the field comes to show another's, what was typed goes to the one it was typed for. */
  owner: string;
  /** Why this may not be written. */
  fault(value: T): string | undefined;
  write(value: T): void;
  /** Enter makes a new line here, and Ctrl+Enter writes. */
  lines?: boolean;
}

export function useDraft<T>({ stored, owner, fault, write, lines }: Drafting<T>) {
  const [draft, setDraft] = useState<{ value: T; owner: string; judged: boolean }>();
  /** What was typed and not yet written, with the way to write it as it was then. */
  const pending = useRef<(Pick<Drafting<T>, 'fault' | 'write'> & { value: T }) | undefined>(undefined);
  const current = draft?.owner === owner ? draft : undefined;
  const value = current ? current.value : stored;

  const forget = () => {
    pending.current = undefined;
    setDraft(undefined);
  };
  const settle = () => {
    if (!current) return;
    if (JSON.stringify(value) === JSON.stringify(stored)) forget();
    else if (fault(value) !== undefined) setDraft({ ...current, judged: true });
    else {
      forget();
      write(value);
    }
  };

  // The end of one owner's turn, or of the field itself.
  useEffect(
    () => () => {
      const typed = pending.current;
      pending.current = undefined;
      if (typed && typed.fault(typed.value) === undefined) typed.write(typed.value);
    },
    [owner],
  );

  return {
    value,
    dirty: current !== undefined,
    /** Told once the field was left or Enter pressed: nobody is corrected in the middle of a word. */
    fault: current?.judged ? fault(value) : undefined,
    change(next: T) {
      pending.current = { value: next, fault, write };
      setDraft({ value: next, owner, judged: current?.judged ?? false });
    },
    /** For the field, or what holds several fields of one value. */
    handlers: {
      onBlur(event: FocusEvent) {
        if (!event.currentTarget.contains(event.relatedTarget)) settle();
      },
      onKeyDown(event: KeyboardEvent) {
        if (event.nativeEvent.isComposing) return;
        if (event.key === 'Escape' && current) {
          event.stopPropagation();
          forget();
        } else if (event.key === 'Enter' && (!lines || event.ctrlKey || event.metaKey)) {
          event.preventDefault();
          settle();
        }
      },
    },
  };
}
