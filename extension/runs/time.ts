/** Times and lengths of time as people read them. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Instant } from '../../pipeline/model/instant';

/** `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`. */
export function duration(seconds: number, trans: TranslationBundle): string {
  const whole = Math.max(0, seconds);
  // What rounds to ten or more seconds is written without a fraction.
  if (whole < 0.0995) return trans.__('%1 ms', Math.round(whole * 1000));
  if (whole < 9.95) return trans.__('%1 s', whole.toFixed(1));
  const rounded = Math.round(whole);
  if (rounded < 60) return trans.__('%1 s', rounded);
  if (rounded < 3600) return trans.__('%1 min %2 s', Math.floor(rounded / 60), two(rounded % 60));
  return trans.__('%1 h %2 min', Math.floor(rounded / 3600), two(Math.floor((rounded % 3600) / 60)));
}

/** What a clock that ticks shows: whole seconds. */
export const ticking = (seconds: number, trans: TranslationBundle): string =>
  seconds < 10 ? trans.__('%1 s', Math.max(0, Math.floor(seconds))) : duration(Math.floor(seconds), trans);

/** Seconds between two instants; until `now` where there is no second one. */
export const secondsBetween = (from: Instant, to: Instant | undefined, now: number): number =>
  Math.max(0, (to === undefined ? now : Date.parse(to)) - Date.parse(from)) / 1000;

/** Today's times without their date. */
export function moment(instant: Instant, now: number): string {
  const date = new Date(instant);
  return date.toDateString() === new Date(now).toDateString() ? formats().today.format(date) : formats().earlier.format(date);
}

/** All of an instant, to the second. */
export const wholeMoment = (instant: Instant): string => formats().whole.format(new Date(instant));

/** Made once: what makes a date readable takes longer to make than to use, and lists use it for every row. */
const formats = once(() => {
  const clock = { hour: '2-digit', minute: '2-digit' } as const;
  return {
    today: new Intl.DateTimeFormat(undefined, { ...clock, second: '2-digit' }),
    earlier: new Intl.DateTimeFormat(undefined, { ...clock, year: 'numeric', month: 'short', day: 'numeric' }),
    whole: new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' }),
  };
});

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** `1.2 MB`. */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, count)) / 3));
  const value = count / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

const two = (count: number): string => String(count).padStart(2, '0');
