// What makes a command start at once: all that it loads in one file, and V8's code cache of that file.
//
// The cache is made where the program is built or installed, beside the program, and never written while it runs: whoever
// can change it can change the program as well.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** The modules of Node.js that take long to load, and that most commands do without. */
const lateModules = 'child_process|crypto|fs/promises|module|net|os|url|util|worker_threads|zlib';

const commands = [{ name: 'alerts-list', module: 'commands/alerts/list.js', args: ['alerts', 'list'] }];

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
      .replace(text, () => `const ${name} = () => require("node:${module}");`)
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

/** What runs a command once and keeps what V8 compiled for it. */
const recorder = `
  const { readFileSync, renameSync, writeFileSync } = require('node:fs');
  const { Script } = require('node:vm');
  const path = require('node:path');
  const { LW_FILE: file, LW_CACHE: cache } = process.env;
  const script = new Script(readFileSync(file, 'latin1'), { filename: file });
  script.runInThisContext()(require('node:module').createRequire(file), path.dirname(file));
  process.on('exit', () => {
    writeFileSync(cache + '.next', script.createCachedData(), { mode: 0o644 });
    renameSync(cache + '.next', cache);
  });`;

/** Makes the code caches for this Node.js, by running each command on a store of a few alerts. Returns what went wrong. */
export async function cacheQuick(dist) {
  const folder = path.join(dist, 'quick');
  if (!existsSync(folder)) return undefined;
  for (const name of readdirSync(folder).filter((one) => one.endsWith('.cache')))
    rmSync(path.join(folder, name));
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-quick-'));
  try {
    const dataDir = path.join(scratch, 'data');
    await fewAlerts(dist, dataDir);
    for (const { name, args } of commands) {
      const file = path.join(folder, name);
      const cache = `${file}.${process.version}-${process.platform}-${process.arch}.cache`;
      const done = spawnSync(
        process.execPath,
        ['-e', recorder, '--', 'launchwarden', ...args, '--data-dir', dataDir, '--limit', '2'],
        { encoding: 'utf8', env: { PATH: process.env.PATH, LW_FILE: `${file}.js`, LW_CACHE: cache } },
      );
      if (done.status !== 0) return `${args.join(' ')}: ${done.stderr || done.error?.message}`;
    }
    return undefined;
  } catch (error) {
    return String(error);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

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
}
