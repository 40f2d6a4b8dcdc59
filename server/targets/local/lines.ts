/** Splits a byte stream into lines, whatever the pieces it comes in; a line of many pieces is put together once, a very long one shortened as it comes. */
import { Shortener } from '../shorten';

const newline = 10;

/** Lines above this are taken for documents with something large in them. */
export const longLine = 1 << 20;

export class Lines {
  private pieces: Buffer[] = [];
  private held = 0;
  private shortener: Shortener | undefined;

  /** `line` gets each line without its end, in order, and how many bytes were left out of it. */
  constructor(private readonly line: (text: string, left: number) => void) {}

  push(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      const last = chunk.subarray(from, end);
      from = end + 1;
      if (this.held === 0) {
        if (last.length > 0) this.line(last.toString(), 0);
      } else {
        this.hold(last);
        this.flush();
      }
    }
    if (from < chunk.length) this.hold(chunk.subarray(from));
  }

  /** The stream has ended: what is left is a line too. */
  end(): void {
    if (this.held > 0) this.flush();
  }

  private hold(piece: Buffer): void {
    this.held += piece.length;
    if (!this.shortener && this.held > longLine) {
      this.shortener = new Shortener();
      for (const earlier of this.pieces.splice(0)) this.shortener.push(earlier);
    }
    if (this.shortener) this.shortener.push(piece);
    else this.pieces.push(piece);
  }

  private flush(): void {
    const { shortener, held } = this;
    const text = shortener ? (shortener.text() ?? `… (a line of ${held} bytes)`) : Buffer.concat(this.pieces).toString();
    this.pieces = [];
    this.held = 0;
    this.shortener = undefined;
    this.line(text, shortener?.left ?? 0);
  }
}

/** The JSON object that a line is, or undefined. */
export function parseObject(line: string): Record<string, unknown> | undefined {
  if (line[0] !== '{') return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
