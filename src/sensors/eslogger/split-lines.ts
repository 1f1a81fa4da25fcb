/** Cuts a stream of bytes into lines, none longer than `limit`; what is longer is dropped whole and reported. */
export class LineSplitter {
  readonly #limit: number;
  readonly #onLine: (line: string) => void;
  readonly #onOversized: () => void;
  #parts: Buffer[] = [];
  #length = 0;
  #skipping = false;

  constructor(limit: number, { onLine, onOversized }: { onLine(line: string): void; onOversized(): void }) {
    this.#limit = limit;
    this.#onLine = onLine;
    this.#onOversized = onOversized;
  }

  write(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      this.#keep(chunk.subarray(from, end));
      this.#finish();
      from = end + 1;
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from));
  }

  /** The stream ended. True when it ended in the middle of a line, which is dropped. */
  end(): boolean {
    const half = this.#length > 0 || this.#skipping;
    this.#parts = [];
    this.#length = 0;
    this.#skipping = false;
    return half;
  }

  #keep(part: Buffer): void {
    if (this.#skipping || part.length === 0) return;
    this.#length += part.length;
    if (this.#length > this.#limit) {
      this.#skipping = true;
      this.#parts = [];
      return;
    }
    this.#parts.push(part);
  }

  #finish(): void {
    const parts = this.#parts;
    const skipped = this.#skipping;
    this.#parts = [];
    this.#length = 0;
    this.#skipping = false;
    if (skipped) {
      this.#onOversized();
      return;
    }
    const line = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    if (line.length > 0) this.#onLine(line.toString('utf8'));
  }
}
