/** How the value of a setting stands in a text field, and how the text becomes a value again. What cannot be read stays a text: the check of settings says what is wrong with it. */

export interface Kind {
  show(value: unknown): string;
  /** `undefined` for an empty field: the setting is not there. */
  read(text: string): unknown;
}

const shown = (value: unknown): string => (value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value));

export const words: Kind = { show: shown, read: text => text.trim() || undefined };

export const number: Kind = { show: shown, read: text => numberIn(text) ?? words.read(text) };

const numberIn = (text: string): number | undefined =>
  /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : undefined;

const seconds: Record<string, number> = { d: 86400, h: 3600, m: 60, s: 1 };
const part = /(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*([dhms])/gi;

/** Seconds, written as `90`, `10m` or `1h 30m`. */
export const duration: Kind = {
  show: value => {
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) return shown(value);
    if (!Number.isSafeInteger(value) || value === 0) return `${value}s`;
    let rest = value;
    const parts = [];
    for (const [unit, size] of Object.entries(seconds)) {
      const count = Math.floor(rest / size);
      rest -= count * size;
      if (count > 0) parts.push(count + unit);
    }
    return parts.join(' ');
  },
  read: text => {
    const plain = numberIn(text);
    if (plain !== undefined) return plain;
    if (text.trim() === '' || text.replace(part, '').trim() !== '') return words.read(text);
    return [...text.matchAll(part)].reduce(
      (sum, [, count, exponent = '', unit]) => sum + Number(count + exponent) * seconds[unit!.toLowerCase()]!,
      0,
    );
  },
};

/** Any value, as JSON. */
export const json: Kind = {
  show: value => (value === undefined ? '' : JSON.stringify(value, null, 1)),
  read: text => {
    if (text.trim() === '') return undefined;
    try {
      return JSON.parse(text);
    } catch {
      return unreadable;
    }
  },
};

/** Stands for text that is no JSON; nothing else is equal to it. */
export const unreadable: unique symbol = Symbol('unreadable');
