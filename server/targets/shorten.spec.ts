import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { longest, readShortened, Shortener } from './shorten';

const mebi = 1 << 20;

function shortened(text: string, size = 65_536): { text: string | undefined; left: number } {
  const bytes = Buffer.from(text);
  const shortener = new Shortener();
  for (let from = 0; from < bytes.length; from += size) shortener.push(bytes.subarray(from, from + size));
  return { text: shortener.text(), left: shortener.left };
}

describe('shortening', () => {
  it('leaves what is short as it is, whatever the pieces', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 1, max: 40 }), (value, size) => {
        const text = JSON.stringify(value);
        expect(shortened(text, size)).toEqual({ text, left: 0 });
      }),
    );
  });

  it.each([
    ['plain text', 'x'.repeat(3 * mebi)],
    ['escapes', '\n"\\'.repeat(mebi)],
    ['backslashes', '\\'.repeat(2 * mebi)],
    ['characters of many bytes', 'é😀'.repeat(mebi)],
    ['one byte more than is kept', 'x'.repeat(mebi + 1)],
  ])('keeps the beginning of a long string and says how much is missing: %s', (_name, long) => {
    const value = { before: [1, '"'], long, after: { text: 'z', n: null } };
    for (const size of [65_536, 65_537, 1_000_003]) {
      const { text, left } = shortened(JSON.stringify(value), size);
      const { long: cut, ...rest } = JSON.parse(text!);
      expect(rest).toEqual({ before: value.before, after: value.after });
      const [, kept, count] = /^(.*)… \((\d+) bytes are left out here\)$/s.exec(cut)!;
      expect(long.startsWith(kept!)).toBe(true);
      expect(Number(count)).toBe(left);
      expect(Buffer.byteLength(JSON.stringify(long)) - 2).toBe(Buffer.byteLength(JSON.stringify(kept)) - 2 + left);
    }
  });

  it('takes escapes of Python’s kind apart nowhere', () => {
    const long = `"${'\\u00e9\\ud83d\\ude00'.repeat(mebi / 6)}"`;
    const cut = JSON.parse(shortened(long, 1000).text!) as string;
    expect(cut.isWellFormed() || /\ud83d… \(/.test(cut)).toBe(true);
    expect(cut.startsWith('é😀é😀')).toBe(true);
  });

  it('keeps less of each string when there are many', () => {
    const { text } = shortened(JSON.stringify(Array.from({ length: 40 }, () => 'x'.repeat(2 * mebi))));
    expect(text!.length).toBeLessThan(10 * mebi);
    expect(JSON.parse(text!)).toHaveLength(40);
  });

  it('gives up what is long without long strings', () => {
    const shortener = new Shortener();
    const piece = Buffer.from('"some text",'.repeat(100_000));
    for (let kept = 0; kept <= longest; kept += piece.length) shortener.push(piece);
    expect(shortener.text()).toBeUndefined();
  });

  it('reads files, and takes what is no JSON as nothing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'shorten-'));
    const file = (text: string) => {
      writeFileSync(join(folder, 'file'), text);
      return readShortened(join(folder, 'file'));
    };
    expect(await file('{"a": 1}')).toEqual({ value: { a: 1 }, left: 0 });
    expect((await file(JSON.stringify({ a: 'x'.repeat(5 * mebi) })))?.left).toBe(4 * mebi);
    expect(await file('{"a": ')).toBeUndefined();
    expect(await readShortened(join(folder, 'none'))).toBeUndefined();
    rmSync(folder, { recursive: true });
  });
});
