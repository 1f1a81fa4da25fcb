import { readLines, ScratchFile } from '../sensors/capture/index.js';

/** Characters that are kept in memory. */
const most = 8 * 1024 * 1024;

/** Lines that wait to be printed: beyond some MiB they stand in a file without a name. */
export class KeptLines {
  #text: string[] = [];
  #characters = 0;
  #file: ScratchFile | undefined;

  /** `line`: without its line feed. */
  add(line: string): void {
    this.#text.push(`${line}\n`);
    this.#characters += line.length;
    if (this.#characters > most) this.#flush();
  }

  /** Each with its line feed. */
  *all(): Generator<string> {
    if (this.#file !== undefined) {
      this.#flush();
      for (const { text } of readLines(this.#file.descriptor, { longest: Number.POSITIVE_INFINITY }))
        yield `${text}\n`;
    }
    yield* this.#text;
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
    this.#text = [];
    this.#characters = 0;
  }

  #flush(): void {
    this.#file ??= new ScratchFile();
    this.#file.append(this.#text.join(''));
    this.#text = [];
    this.#characters = 0;
  }
}
