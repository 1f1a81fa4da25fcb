import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface StandInPf {
  /** The rules of the anchor that are in force. */
  rules(): string;
  /** What a restart of the Mac does. */
  forget(): void;
  /** The token that was given back to pf. */
  released(): string | undefined;
  /** All calls so far, one line each. */
  calls(): readonly string[];
}

/** A stand-in for /sbin/pfctl at `program`: it keeps the rules of one anchor in a file. */
export function standInPf(program: string): StandInPf {
  const [rules, token, calls] = ['rules', 'token', 'calls'].map((name) => `${program}.${name}`) as [
    string,
    string,
    string,
  ];
  mkdirSync(path.dirname(program), { recursive: true });
  writeFileSync(rules, '');
  writeFileSync(calls, '');
  writeFileSync(
    program,
    `#!${process.execPath}
const fs = require('node:fs');
const args = process.argv.slice(2);
const [rules, token, calls] = ${JSON.stringify([rules, token, calls])};
fs.appendFileSync(calls, args.join(' ') + '\\n');
if (args[0] === '-s') process.stdout.write('scrub-anchor "com.apple/*" all fragment reassemble\\nanchor "com.apple/*" all\\n');
else if (args[0] === '-E') process.stderr.write('pf enabled\\nToken : 4711\\n');
else if (args[0] === '-X') fs.writeFileSync(token, args[1]);
else if (args[0] === '-F') process.exit(0);
else if (args[0] !== '-a' || args[1] !== 'com.apple/launchwarden') process.exit(1);
else if (args[2] === '-f') fs.copyFileSync(args[3], rules);
else if (args[2] === '-s') process.stdout.write(fs.readFileSync(rules, 'utf8'));
else if (args[2] === '-F') fs.writeFileSync(rules, '');
`,
  );
  chmodSync(program, 0o755);
  return {
    rules: () => readFileSync(rules, 'utf8'),
    forget: () => writeFileSync(rules, ''),
    released: () => (existsSync(token) ? readFileSync(token, 'utf8') : undefined),
    calls: () => readFileSync(calls, 'utf8').trim().split('\n'),
  };
}
