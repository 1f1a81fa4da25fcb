import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** The name of the file that is swapped. */
export const raceName = 'com.example.race.plist';

/**
 * Exchanges a file without end: for another file, for a link to a victim's file, and its folder for a link to a victim's
 * folder. Only by renames, so that something always has the name unless somebody else took it away.
 */
const attacker = `
const fs = require('node:fs');
const path = require('node:path');
const [folder, victims, name] = process.argv.slice(1);
const aside = folder + '.aside';
const file = path.join(folder, name);
const quietly = (run) => { try { run(); } catch {} };
process.stdout.write('ready\\n');
for (let turn = 0; ; turn++) {
  const next = path.join(folder, '.next');
  quietly(() => fs.rmSync(next, { force: true }));
  if (turn % 3 === 1) quietly(() => fs.symlinkSync(path.join(victims, name), next));
  else quietly(() => fs.writeFileSync(next, 'attack ' + turn));
  quietly(() => fs.renameSync(next, file));
  if (turn % 5 === 4) {
    quietly(() => fs.renameSync(folder, aside));
    quietly(() => fs.symlinkSync(victims, folder));
    quietly(() => fs.unlinkSync(folder));
    quietly(() => fs.renameSync(aside, folder));
  }
}
`;

/** An attacker at work on a file, and a victim that must never be touched. */
export class SwapAttack {
  readonly folder: string;
  readonly #victims: string;
  readonly #before: { readonly ino: bigint; readonly ctime: bigint };
  readonly #child: ChildProcess;

  private constructor(folder: string, victims: string, child: ChildProcess) {
    this.folder = folder;
    this.#victims = victims;
    this.#child = child;
    this.#before = this.#victim();
  }

  /** Both are folders of this machine; the attacker swaps in the first one. */
  static async start(folder: string, victims: string): Promise<SwapAttack> {
    for (const one of [folder, victims]) mkdirSync(one, { recursive: true });
    writeFileSync(path.join(victims, raceName), 'victim');
    const child = spawn(process.execPath, ['-e', attacker, folder, victims, raceName], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const attack = new SwapAttack(folder, victims, child);
    await new Promise<void>((resolve) => child.stdout?.once('data', () => resolve()));
    return attack;
  }

  /** Stands still, so that it can be looked at. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  proceed(): void {
    this.#child.kill('SIGCONT');
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }

  /** Whether the name is taken in the attacker's own folder, wherever that is just now. */
  isThere(): boolean {
    return this.names().includes(raceName);
  }

  /** What stands in that folder. */
  names(): string[] {
    return [this.folder, `${this.folder}.aside`].flatMap((one) => {
      try {
        return lstatSync(one).isDirectory() ? readdirSync(one) : [];
      } catch {
        // It was exchanged just now.
        return [];
      }
    });
  }

  /** What is wrong with the victim; undefined when nobody has touched it. */
  harm(): string | undefined {
    const file = path.join(this.#victims, raceName);
    if (!existsSync(file)) return 'the victim is gone';
    if (readFileSync(file, 'utf8') !== 'victim') return 'the victim was written to';
    const now = this.#victim();
    return now.ino === this.#before.ino && now.ctime === this.#before.ctime
      ? undefined
      : 'the victim was touched';
  }

  #victim(): { readonly ino: bigint; readonly ctime: bigint } {
    const { ino, ctimeNs } = lstatSync(path.join(this.#victims, raceName), { bigint: true });
    return { ino, ctime: ctimeNs };
  }
}
