import { closeSync, constants, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { makeOwnFolder, readOwn } from '../base/journal-file.js';
import { journalErrors } from './journal.js';
import type { Answer } from './question.js';

type Answered = Exclude<Answer, { verdict: 'not-asked' }>;

/** What was answered, until all is: what `--resume` goes on from. Of another version or system it counts for nothing. */
export class Answers {
  readonly #file: string;
  readonly #about: string;
  readonly #answers = new Map<string, Answered>();

  /** `about`: version of the program and of the system. */
  constructor(folder: string, about: string) {
    this.#file = path.join(folder, 'answers.json');
    this.#about = about;
  }

  load(): void {
    const text = readOwn(this.#file, journalErrors);
    if (text === undefined) return;
    try {
      const { about, answers } = JSON.parse(text) as { about?: unknown; answers?: Record<string, Answered> };
      if (about !== this.#about || typeof answers !== 'object' || answers === null) return;
      for (const [name, answer] of Object.entries(answers))
        if (isAnswer(answer)) this.#answers.set(name, answer);
    } catch {
      // A run that was killed may have left half of it: everything is asked again.
    }
  }

  get(name: string): Answered | undefined {
    return this.#answers.get(name);
  }

  /**
   * Keeps it on the disk; what could not be asked is forgotten, so that it is asked again. Never throws: what cannot be
   * kept is asked again as well.
   */
  set(name: string, answer: Answer): void {
    if (answer.verdict === 'not-asked') this.#answers.delete(name);
    else this.#answers.set(name, answer);
    try {
      if (this.#answers.size === 0) rmSync(this.#file, { force: true });
      else this.#save();
    } catch {
      // Without root, say: the answer is told all the same.
    }
  }

  clear(): void {
    this.#answers.clear();
    rmSync(this.#file, { force: true });
  }

  #save(): void {
    makeOwnFolder(path.dirname(this.#file), journalErrors);
    const next = `${this.#file}.new`;
    const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
    const fd = openSync(next, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600);
    try {
      writeSync(fd, JSON.stringify({ about: this.#about, answers: Object.fromEntries(this.#answers) }));
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(next, this.#file);
  }
}

function isAnswer(answer: unknown): answer is Answered {
  const { verdict, found, details } = (answer ?? {}) as Record<string, unknown>;
  return (
    (verdict === 'as-expected' || verdict === 'different') &&
    typeof found === 'string' &&
    (details === undefined || (Array.isArray(details) && details.every((line) => typeof line === 'string')))
  );
}
