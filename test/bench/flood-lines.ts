import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { execLine, line, processObject, type Token, token } from '../helpers/eslogger-lines.js';

/** Programs of a build, with the arguments that they have there; `777004` stands for the number of the file. */
const commands: readonly (readonly [string, ...string[]])[] = [
  [
    '/Library/Developer/CommandLineTools/usr/bin/clang',
    ...['-cc1', '-triple', 'arm64-apple-macosx14.0.0', '-emit-obj', '-mrelax-all', '-disable-free', '-O2'],
    ...['-resource-dir', '/Library/Developer/CommandLineTools/usr/lib/clang/15.0.0', '-isysroot'],
    ...['/Library/Developer/CommandLineTools/SDKs/MacOSX.sdk', '-I', 'include', '-D', 'NDEBUG', '-x', 'c'],
    ...['-o', 'build/objects/777004.o', '/Users/alice/src/project/source/777004.c'],
  ],
  ['/bin/sh', '-c', 'cc -O2 -Iinclude -c source/777004.c -o build/objects/777004.o'],
  ['/usr/bin/sed', '-e', 's/@VERSION@/1.0.777004/', '-e', 's,@PREFIX@,/usr/local,', 'templates/777004.in'],
  ['/usr/bin/git', '-C', '/Users/alice/src/project', 'rev-parse', '--verify', 'HEAD~777004'],
  ['/bin/mkdir', '-p', '/Users/alice/src/project/build/777004'],
  ['/usr/bin/grep', '-q', 'symbol_777004', 'source/table.c'],
  ['/usr/local/bin/node', '/Users/alice/src/project/scripts/step.js', '--part', '777004'],
  ['/usr/bin/ar', 'rcs', 'build/lib777004.a', 'build/objects/777004.o'],
];
const env = [
  ...['HOME=/Users/alice', 'USER=alice', 'LOGNAME=alice', 'SHELL=/bin/zsh', 'LANG=en_GB.UTF-8', 'TERM=xterm'],
  'PATH=/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
  'TMPDIR=/var/folders/zz/zyxvpxvq6csfxvn_n0000000000000/T/',
  'SSH_AUTH_SOCK=/private/tmp/com.apple.launchd.AbCdEfGhIj/Listeners',
  'XPC_SERVICE_NAME=application.com.apple.Terminal.1152921500311879701.1152921500311879706',
  'SDKROOT=/Library/Developer/CommandLineTools/SDKs/MacOSX.sdk',
  ...Array.from(
    { length: 14 },
    (_, index) => `BUILD_VARIABLE_${index}=/Users/alice/src/project/part/${index}`,
  ),
];

// Numbers and times in whose places the program puts its own.
const places = { pid: 777_001, before: 777_002, after: 777_003, part: 777_004, sequence: 777_005 } as const;
const now = '2001-01-01T00:00:00.000000000Z';
const start = '2002-01-01T00:00:00.000000Z';
const make: Token = { pid: 600, pidversion: 60 };

/** The messages of one life: a copy of make becomes the program, which ends. */
function life([executable, ...args]: readonly [string, ...string[]]): readonly [string, string] {
  const { pid, before, after, sequence } = places;
  const made = { parent_audit_token: token(make), ppid: make.pid, start_time: start };
  const copy = processObject({ pid, pidversion: before }, '/usr/bin/make', made);
  const image = processObject({ pid, pidversion: after }, executable, made);
  const options = { time: now, globalSequence: sequence };
  const said = { ...options, process: copy, target: image, more: { env } };
  return [
    execLine([path.basename(executable), ...args], said),
    line('exit', { stat: 0 }, { ...options, process: image }),
  ];
}

export interface Flood {
  readonly program: string;
  /** Lines that a run writes in all. */
  readonly lines: number;
  /** Lets all of its runs begin: each writes so many lives a second. */
  begin(): void;
  /** How many runs have written all. */
  ended(): number;
}

/**
 * A stand-in for eslogger in `folder`. Once it may, each run of it writes, evenly, `perSecond` lives of a program a second
 * for `seconds`: an exec, and `withExits` the exit some milliseconds later.
 */
export function floodEslogger(
  folder: string,
  { perSecond, seconds, withExits }: { perSecond: number; seconds: number; withExits: boolean },
): Flood {
  mkdirSync(folder, { recursive: true });
  const program = path.join(folder, 'eslogger');
  const lives = commands.map((command) => life(command));
  writeFileSync(path.join(folder, 'lives'), JSON.stringify({ lives, places, now, start }));
  writeFileSync(path.join(folder, 'ended'), '');
  writeFileSync(program, source(perSecond, perSecond * seconds, withExits));
  chmodSync(program, 0o755);
  return {
    program,
    lines: perSecond * seconds * (withExits ? 2 : 1),
    begin: () => writeFileSync(path.join(folder, 'begin'), ''),
    ended: () => readFileSync(path.join(folder, 'ended'), 'utf8').split('\n').length - 1,
  };
}

const lifetimeMs = 20;

function source(perSecond: number, total: number, withExits: boolean): string {
  return `#!${process.execPath}
const fs = require('node:fs');
if (process.argv[2] === '--list-events') {
  console.log('exec\\nfork\\nexit\\ncreate\\nclose\\nrename\\nunlink\\nclone');
  process.exit(0);
}
const { lives, places, now, start } = JSON.parse(fs.readFileSync(__dirname + '/lives', 'utf8'));
const marks = [...Object.values(places), now, start];
const cut = new RegExp('(' + marks.join('|') + ')');
const parts = lives.map((life) => life.map((line) => line.split(cut)));
const [total, perSecond, withExits] = [${total}, ${perSecond}, ${withExits}];
let [sequence, begun, execs, exits] = [0, 0, 0, 0];
const iso = (ms) => new Date(ms).toISOString().slice(0, -1);
function text(number, which, ms) {
  const line = parts[number % parts.length][which];
  const values = new Map([
    [places.pid, 10000 + (number % 80000)], [places.before, 2 * number + 1000], [places.after, 2 * number + 1001],
    [places.part, number], [places.sequence, sequence++],
    [now, iso(ms) + '000000Z'], [start, iso(begun + Math.floor(number * 1000 / perSecond) - 1) + '000Z'],
  ].map(([mark, value]) => [String(mark), value]));
  return line.map((part) => values.get(part) ?? part).join('');
}
const timer = setInterval(() => {
  const ms = Date.now();
  if (begun === 0) {
    if (!fs.existsSync(__dirname + '/begin')) return;
    begun = ms;
  }
  const passed = ms - begun;
  const due = Math.min(total, Math.floor(passed * perSecond / 1000));
  const ended = Math.min(total, Math.floor((passed - ${lifetimeMs}) * perSecond / 1000));
  const lines = [];
  while (execs < due) lines.push(text(execs++, 0, ms));
  for (; exits < ended; exits++) if (withExits) lines.push(text(exits, 1, ms));
  if (lines.length > 0) fs.writeSync(1, lines.join('\\n') + '\\n');
  if (exits < total) return;
  fs.appendFileSync(__dirname + '/ended', process.pid + '\\n');
  clearInterval(timer);
  // Runs until it is ended, as eslogger does.
  setInterval(() => {}, 60_000);
}, 1);
`;
}
