import { UserError } from '../base/errors.js';
import type { CliIo } from './io.js';
import { safe } from './output/output.js';

/** An answer that cannot be used is asked for so often. */
const tries = 3;
const maxAnswer = 4_096;

export interface Question<T> {
  /** Taken when nothing is answered. */
  readonly usual?: string | undefined;
  /** Reads what was answered. Throws a UserError when that is no answer: it is said, and asked again. */
  readonly read: (text: string) => T;
}

/** Asks a person on the terminal, one line a question. */
export class Questions {
  readonly #io: CliIo;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #held = '';
  #ended = false;

  constructor(io: CliIo) {
    this.#io = io;
    this.#chunks = io.stdin()[Symbol.asyncIterator]();
  }

  /** Throws a UserError `cli/no-answer` when the input ends, or after three answers that cannot be used. */
  async ask<T>(question: string, { usual, read }: Question<T>): Promise<T> {
    let problem: unknown;
    for (let left = tries; left > 0; left--) {
      this.#io.stdout.write(`${question}${usual === undefined ? '' : ` [${usual}]`}: `);
      const line = (await this.#line())?.trim();
      if (line === undefined) break;
      try {
        return read(line === '' ? (usual ?? '') : line);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        problem = error;
        this.#io.stdout.write(`${safe(error.message.split('\n')[0])}\n`);
      }
    }
    throw new UserError('cli/no-answer', 'there was no answer that can be used: nothing is written', {
      hint: 'Use options in place of answers: see --help.',
      cause: problem,
    });
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  /** Undefined at the end of the input. */
  async #line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#held.indexOf('\n');
      if (end !== -1 || this.#ended || this.#held.length > maxAnswer) {
        const line = this.#held.slice(0, end === -1 ? maxAnswer : end);
        const isOver = this.#held === '';
        this.#held = end === -1 ? '' : this.#held.slice(end + 1);
        return isOver ? undefined : line;
      }
      const next = await this.#chunks.next();
      if (next.done === true) this.#ended = true;
      else this.#held += Buffer.from(next.value).toString('utf8');
    }
  }
}
