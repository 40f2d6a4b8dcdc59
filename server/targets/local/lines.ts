/** Splits a byte stream into lines, whatever the pieces it comes in; a line of many pieces is put together once. */
const newline = 10;

/** Longer lines are dropped, and told as a line cut short: no document of ours is that long, and no string may be much longer. */
export const longestLine = 256 * 1024 * 1024;

export class Lines {
  private pieces: Buffer[] = [];
  private held = 0;

  /** `line` gets each line without its end, in order. */
  constructor(private readonly line: (text: string) => void) {}

  push(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      const last = chunk.subarray(from, end);
      from = end + 1;
      if (this.held === 0) {
        if (last.length > 0) this.line(last.toString());
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
    if (this.held < longestLine) this.pieces.push(piece);
    this.held += piece.length;
  }

  private flush(): void {
    const text =
      this.held <= longestLine
        ? Buffer.concat(this.pieces).toString()
        : `${this.pieces[0]!.subarray(0, 1000)}… (a line of ${this.held} bytes)`;
    this.pieces = [];
    this.held = 0;
    this.line(text);
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
