import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Actor, Attacker } from '../evasions/attacker.js';

/** A program that runs, and what it starts in turn. Paths are macOS paths. */
export interface Act {
  readonly image: string;
  /** Without argv[0]. */
  readonly args?: readonly string[];
  /** argv[0]; the image unless it is given. */
  readonly called?: string;
  /** Its signature: Apple's unless it is given. */
  readonly signed?: 'apple' | 'ad-hoc';
  /** On whose behalf it runs, where macOS holds another one responsible. */
  readonly responsible?: Actor;
  readonly starts?: readonly Act[];
}

/** How long a program of an attack lives, milliseconds. */
const lifetimeMs = 600;
const shell = '/bin/bash';

/**
 * Plays attacks on a simulated Mac: programs that start each other, and files that they write. Where EndpointSecurity is
 * played, each is told as it would tell it; else they are real processes, a copy of this machine's shell in the place of
 * whatever starts others.
 */
export class Theatre {
  readonly attacker: Attacker;

  constructor(attacker: Attacker) {
    this.attacker = attacker;
  }

  get label(): string {
    return this.attacker.label;
  }

  get home(): string {
    return this.attacker.home;
  }

  /** Runs a program with all that it starts; resolves with who it is once they have ended. */
  async run(act: Act): Promise<Actor> {
    const told = this.#tell(act, undefined);
    if (!this.attacker.isHeard) await this.#really(act);
    return told;
  }

  /** The same process in the image of another program. */
  becomes(actor: Actor, act: Act): Actor {
    return this.attacker.begin(act.image, [act.called ?? act.image, ...(act.args ?? [])], {
      ...signature(act),
      replaces: actor,
    });
  }

  write(macPath: string, content: string, by?: Actor): void {
    this.attacker.write(macPath, content, by);
  }

  #tell(act: Act, parent: Actor | undefined): Actor {
    const actor = this.attacker.begin(act.image, [act.called ?? act.image, ...(act.args ?? [])], {
      ...signature(act),
      ...(parent === undefined ? {} : { parent }),
      ...(act.responsible === undefined ? {} : { responsible: act.responsible }),
    });
    for (const one of act.starts ?? []) this.#tell(one, actor);
    return actor;
  }

  async #really(act: Act): Promise<void> {
    this.#install(act);
    const [program, script] = [
      this.attacker.host(act.image),
      scriptOf(act, (one) => this.attacker.host(one)),
    ];
    await new Promise<void>((resolve, reject) => {
      const child = spawn(program, argumentsOf(act), {
        argv0: act.called ?? program,
        stdio: ['pipe', 'ignore', 'ignore'],
        env: { PATH: '/usr/bin:/bin', HOME: '/nonexistent', LAUNCHCTL_LIFETIME_MS: String(lifetimeMs) },
      });
      child.on('error', reject);
      child.on('exit', () => resolve());
      child.stdin?.on('error', () => {});
      child.stdin?.end(script);
    });
  }

  #install(act: Act): void {
    const { starts = [], image } = act;
    const program = this.attacker.host(image);
    mkdirSync(path.dirname(program), { recursive: true });
    // Another attack may have had another program in its place.
    rmSync(program, { force: true });
    copyFileSync(starts.length === 0 ? this.attacker.mac.launchctl : shell, program);
    for (const one of starts) this.#install(one);
  }
}

function signature({ signed = 'apple', image }: Act): {
  readonly signingId: string;
  readonly adHoc: boolean;
} {
  const name = path.posix.basename(image);
  return signed === 'apple'
    ? { signingId: `com.apple.${name}`, adHoc: false }
    : { signingId: name, adHoc: true };
}

/** What starts others is a shell that reads its commands from standard input: `-s` lets it have arguments. */
function argumentsOf({ args = [], starts = [] }: Act): readonly string[] {
  return starts.length > 0 && args.length > 0 ? ['-s', ...args] : args;
}

function scriptOf({ starts = [] }: Act, host: (macPath: string) => string, depth = 0): string {
  return starts
    .map((one) => {
      const words = [host(one.image), ...argumentsOf(one)].map(quoted).join(' ');
      const end = `END_${depth}`;
      return `(exec -a ${quoted(one.called ?? host(one.image))} ${words}) <<'${end}'\n${scriptOf(one, host, depth + 1)}${end}\n`;
    })
    .join('');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
