// What makes a command start at once: all that it loads in one file, and V8's code cache of that file.
//
// The cache is made where the program is built or installed, beside the program, and never written while it runs: whoever
// can change it can change the program as well.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** The modules of Node.js that take long to load, and that most commands do without. */
const lateModules = 'child_process|crypto|fs/promises|module|net|os|url|util|worker_threads|zlib';

/** `prepare`: what the command is recorded with. */
const commands = [
  { name: 'alerts-list', module: 'commands/alerts/list.js', prepare: fewAlerts },
  { name: 'run', module: 'commands/run.js', prepare: smallMac },
];

/** Where better-sqlite3's own search for its native part ends, as scripts/build.mjs compiles it. */
const sqliteBinding = 'better-sqlite3/build/Release/better_sqlite3.node';

/** Code as ASCII: V8 keeps and reads it a byte a character. */
function asAscii(code) {
  return code.replace(
    /[^\0-\x7f]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** `let net = require("node:net")` becomes a function that loads it when something of it is used first. */
export function requireLate(code) {
  const declaration = new RegExp(
    `^[ \\t]*(?:const|let|var) ([\\w$]+) = require\\("node:(${lateModules})"\\);$`,
    'gm',
  );
  let late = code;
  for (const [text, name, module] of code.matchAll(declaration)) {
    const word = name.replaceAll('$', '\\$');
    const uses = late.match(new RegExp(`(?<![\\w$])${word}(?![\\w$])`, 'g'))?.length ?? 0;
    const members = late.match(new RegExp(`(?<![\\w$.])${word}(?=\\.[\\w$])`, 'g'))?.length ?? 0;
    // It is handed around whole, or something else has that name.
    if (uses !== members + 1) continue;
    late = late
      .replace(
        text,
        () => `let ${name}$kept; const ${name} = () => (${name}$kept ??= require("node:${module}"));`,
      )
      // `new net().Socket()` would make one of the function.
      .replace(new RegExp(`\\bnew ${word}(?=\\.[\\w$])`, 'g'), () => `new (${name}())`)
      .replace(new RegExp(`(?<![\\w$.])${word}(?=\\.[\\w$])`, 'g'), () => `${name}()`);
  }
  return late;
}

/** Writes `dist/quick/NAME.js` of each command: a function of `require` and of the folder that it stands in. */
export async function bundleQuick(dist) {
  const { rolldown } = await import('rolldown');
  const folder = path.join(dist, 'quick');
  mkdirSync(folder, { recursive: true });
  for (const { name, module } of commands) {
    const bundle = await rolldown({
      input: path.join(dist, 'cli', 'main.js'),
      platform: 'node',
      external: ['kafkajs', '@virustotal/yara-x', sqliteBinding],
      plugins: [onlyCommand(module), placesOf(folder)],
    });
    const { output } = await bundle.generate({
      format: 'cjs',
      codeSplitting: false,
      minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
      plugins: [{ name: 'late', renderChunk: (code) => ({ code: requireLate(code) }) }],
    });
    await bundle.close();
    const [{ code }] = output;
    writeFileSync(path.join(folder, `${name}.js`), `(function (require, __dirname) {${asAscii(code)}\n})`);
  }
}

/** Of the catalogue's commands only one is taken along: the others never start from this file. */
function onlyCommand(module) {
  const elsewhere = '\0elsewhere';
  return {
    name: 'only-command',
    resolveId: (id, importer) =>
      importer?.endsWith(`${path.sep}catalog.js`) && id.includes('/commands/') && !id.endsWith(module)
        ? elsewhere
        : undefined,
    load: (id) => (id === elsewhere ? 'throw new Error("this file runs one command");' : undefined),
  };
}

/** `import.meta.url` stays the address of the module that says it, beside which its files lie. */
function placesOf(folder) {
  return {
    name: 'places',
    transform: (code, id) => {
      if (id.endsWith(path.join('better-sqlite3', 'lib', 'database.js')))
        return {
          code: code.replace("require('bindings')('better_sqlite3.node')", `require('${sqliteBinding}')`),
        };
      if (!code.includes('import.meta.url')) return undefined;
      const from = JSON.stringify(path.relative(folder, id));
      return {
        code: code
          .replaceAll('createRequire(import.meta.url)', 'require')
          .replaceAll('import.meta.url', `require("node:url").pathToFileURL(__dirname + "/" + ${from}).href`),
      };
    },
  };
}

/**
 * What runs a command once and keeps what V8 compiled for it, forgotten functions included. V8 refuses a cache that was made
 * with other flags than those that it is read with, so that the command must not set any.
 */
const recorder = `
  const { readFileSync, renameSync, writeFileSync } = require('node:fs');
  const { Script } = require('node:vm');
  const path = require('node:path');
  const v8 = require('node:v8');
  const { LW_FILE: file, LW_CACHE: cache, LW_STARTS: starts } = process.env;
  const setFlags = v8.setFlagsFromString;
  v8.setFlagsFromString = () => {};
  setFlags('--no-flush-bytecode');
  const script = new Script(readFileSync(file, 'latin1'), { filename: file });
  const load = require('node:module').createRequire(file);
  const scanned = [];
  let wake = () => {};
  const scripted = ({ ProcessScanner, ...others }) => ({
    ...others,
    ProcessScanner: class extends ProcessScanner {
      constructor(options, onWake) {
        super(options, onWake);
        wake = onWake;
      }
      take() {
        return super.take() ?? scanned.shift();
      }
    },
  });
  const needed = (name) => (name.endsWith('launchwarden.node') ? scripted(load(name)) : load(name));
  script.runInThisContext()(needed, path.dirname(file));
  // A record of the scanner (native/src/core/record.h): a program that begins now.
  process.on('SIGUSR2', () => {
    const now = Date.now() * 1000;
    const args = JSON.parse(starts);
    const texts = ['1', '1', args[0], path.basename(args[0]), '/', path.basename(args[0]), ...args.slice(1)];
    const numbers = [4194303, 1, 1, 1, now, now - 10000, now, 0, 0, 0, 0, 0, args.length, args.length, 0];
    const tail = 16 + numbers.length * 8 + ((texts.length * 4 + 7) & ~7);
    const record = Buffer.alloc((tail + texts.join('').length + 7) & ~7);
    [record.length, 2 | (numbers.length << 16), texts.length, 1].forEach((word, at) => record.writeUInt32LE(word, at * 4));
    numbers.forEach((number, at) => record.writeDoubleLE(number, 16 + at * 8));
    texts.forEach((text, at) => record.writeUInt32LE(text.length, 16 + numbers.length * 8 + at * 4));
    record.write(texts.join(''), tail, 'latin1');
    scanned.push(record);
    wake();
  });
  process.on('exit', () => {
    setFlags('--flush-bytecode');
    const data = script.createCachedData();
    const digest = require('node:crypto').createHash('sha256').update(data).digest();
    writeFileSync(cache + '.next', Buffer.concat([digest, data]), { mode: 0o644 });
    renameSync(cache + '.next', cache);
  });`;

/** Longest recording, and longest wait for what an attack of its own brings about, milliseconds. */
const longestMs = 60_000;
const longestStepMs = 5_000;
/** What an agent does once a second it has done by then. */
const afterAlertMs = 1_500;

/** Makes the code caches for this Node.js, by running each command in a folder of its own. Returns what went wrong. */
export async function cacheQuick(dist) {
  const folder = path.join(dist, 'quick');
  if (!existsSync(folder)) return undefined;
  for (const name of readdirSync(folder).filter((one) => one.endsWith('.cache')))
    rmSync(path.join(folder, name));
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-quick-'));
  const failed = [];
  try {
    for (const { name, prepare } of commands) {
      const data = path.join(scratch, name);
      mkdirSync(data);
      const failure = await record(path.join(folder, name), await prepare(dist, data));
      if (failure !== undefined) failed.push(`${name}: ${failure}`);
    }
  } catch (error) {
    failed.push(String(error));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return failed.length === 0 ? undefined : failed.join('\n');
}

/**
 * Runs a command line. `stages`: what on standard error says that it has done so much, what happens then, and how many
 * milliseconds later it ends where no other stage comes. Returns what went wrong.
 */
function record(file, { args, starts, stages = [] }) {
  const cache = `${file}.${process.version}-${process.platform}-${process.arch}.cache`;
  const child = spawn(process.execPath, ['-e', recorder, '--', 'launchwarden', ...args], {
    env: {
      PATH: process.env.PATH,
      LW_FILE: `${file}.js`,
      LW_CACHE: cache,
      LW_STARTS: JSON.stringify(starts),
    },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: longestMs,
  });
  let said = '';
  const left = [...stages];
  let patience;
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said += text;
    if (left.length === 0 || !said.includes(left[0].said)) return;
    const { next, ms } = left.shift();
    next?.(child);
    // What cannot be recorded is compiled when it is needed.
    clearTimeout(patience);
    patience = setTimeout(() => child.kill('SIGTERM'), ms);
  });
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code) => {
      clearTimeout(patience);
      resolve(code === 0 ? undefined : said || `ended with ${code}`);
    });
  });
}

/**
 * An agent on a tree with a launch item, until it has alerted on a second one that is written and loaded: the first attack
 * finds warm code. Nothing is started for it, which whatever watches this machine would take for an attack: the scanner
 * says so.
 */
function smallMac(_dist, folder) {
  const root = path.join(folder, 'root');
  const daemons = path.join(root, 'Library', 'LaunchDaemons');
  mkdirSync(daemons, { recursive: true });
  const write = (label, program) => {
    const keys = `<key>Label</key><string>${label}</string><key>Program</key><string>${program}</string>`;
    writeFileSync(
      path.join(daemons, `${label}.plist`),
      `<?xml version="1.0" encoding="UTF-8"?><plist version="1.0"><dict>${keys}</dict></plist>`,
    );
  };
  write('a', '/usr/bin/true');
  const args = ['run', '--root', root, '--data-dir', path.join(folder, 'data'), '--log-format', 'json'];
  const stages = [
    {
      said: '"msg":"ready"',
      next: (child) => {
        write('b', '/private/tmp/b');
        child.kill('SIGUSR2');
      },
      ms: longestStepMs,
    },
    { said: '"msg":"alert"', ms: afterAlertMs },
  ];
  return {
    args,
    starts: [path.join(root, 'bin', 'launchctl'), 'load', path.join(daemons, 'b.plist')],
    stages,
  };
}

/** A store of a few alerts. */
async function fewAlerts(dist, dataDir) {
  const load = (name) => import(pathToFileURL(path.join(dist, name)).href);
  const { openStore } = await load('store/index.js');
  const { systemClock: clock } = await load('base/clock.js');
  const { loadBuiltinRules } = await load('rules/index.js');
  const [rule] = loadBuiltinRules();
  const store = openStore({ dataDir, clock });
  for (const [index, id] of ['a1', 'b2', 'c3', 'd4'].entries()) {
    const time = 1_795_326_000_000_000 + index;
    const doc = {
      '@timestamp': '2026-11-22T05:40:00.000Z',
      event: { id, category: ['file'], type: ['change'], action: 'modification' },
      file: { path: `/Library/LaunchDaemons/${id}.plist` },
      user: { name: 'root' },
      launchwarden: {
        persistence: { item_id: index === 0 ? '' : `item-${index}`, mechanism: 'launch-daemon', path: '/x' },
      },
    };
    const found = { id: id.repeat(16), rule: rule.meta, kind: 'match', time, joinKeys: [], candidates: [] };
    store.alerts.upsert(
      { ...found, events: [{ id, time, nanos: 0, sequence: index, doc }], repeats: 0, suppressed: 0 },
      { version: '1', agentId: 'build', created: time, sensors: [], simulated: false },
      [],
    );
  }
  store.close();
  return { args: ['alerts', 'list', '--data-dir', dataDir, '--limit', '2'] };
}
