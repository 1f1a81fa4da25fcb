import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface StandInDesktop {
  /** What was shown, to whom, in order; `args` are launchctl's. */
  shown(): { readonly uid: string; readonly text: string; readonly args: readonly string[] }[];
  /** It never answers, or fails. */
  readonly break: (how: 'silent' | 'reset' | 'none') => void;
  /** Nobody is logged in at the screen, or somebody again. */
  loggedIn(is: boolean): void;
}

/** A stand-in for the desktop of a Mac below `root`: a launchctl that writes down what it is asked to show. */
export function standInDesktop(root: string): StandInDesktop {
  const program = path.join(root, 'bin/launchctl');
  const log = path.join(root, 'shown');
  const broken = path.join(root, 'broken');
  const console = path.join(root, 'dev/console');
  const text = `#!${process.execPath}
const fs = require('node:fs');
const how = fs.existsSync(${JSON.stringify(broken)}) ? fs.readFileSync(${JSON.stringify(broken)}, 'utf8') : '';
if (how === 'silent') setTimeout(() => {}, 600000);
else if (how === 'reset') { process.stderr.write('Could not switch to audit session\\n'); process.exit(5); }
else fs.appendFileSync(${JSON.stringify(log)}, JSON.stringify(process.argv.slice(2)) + '\\n');
`;
  mkdirSync(path.dirname(program), { recursive: true });
  mkdirSync(path.dirname(console), { recursive: true });
  writeFileSync(program, text);
  chmodSync(program, 0o755);
  const loggedIn = (is: boolean) => {
    rmSync(console, { force: true });
    if (!is) return;
    writeFileSync(console, '');
    // Root owns the console of the login window; without root's rights the file has another owner anyway.
    if (process.geteuid?.() === 0) chownSync(console, 501, 20);
  };
  loggedIn(true);
  return {
    loggedIn,
    shown() {
      let lines: string[] = [];
      try {
        lines = readFileSync(log, 'utf8').split('\n').slice(0, -1);
      } catch {
        // Nothing yet.
      }
      return lines.map((line) => {
        const args = JSON.parse(line) as string[];
        return { uid: args[1] ?? '', text: args.at(-2) ?? '', args };
      });
    },
    break: (how) => (how === 'none' ? rmSync(broken, { force: true }) : writeFileSync(broken, how)),
  };
}
