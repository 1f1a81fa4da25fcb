#!/usr/bin/env node
// A command that is worth it starts from one file with V8's code cache (scripts/quick.mjs builds both); every other one, and
// that one when its file is not there, from the modules of dist/.

/** SHA-256 of a code cache, in front of it. */
const digestBytes = 32;

/**
 * What stands before the cache tells whether it is whole. V8 does not ask: of damage behind the header it would run what it
 * finds. A listing is not worth the few milliseconds; the agent would fail at every start.
 */
function wholeCache(file, isChecked) {
  const kept = contentOf(file);
  const cache = kept?.subarray(digestBytes);
  if (!isChecked || kept === undefined) return cache;
  const { createHash } = require('node:crypto');
  const digest = createHash('sha256').update(cache).digest();
  return digest.equals(kept.subarray(0, digestBytes)) ? cache : undefined;
}

function contentOf(file, encoding) {
  try {
    return require('node:fs').readFileSync(file, encoding);
  } catch {
    return undefined;
  }
}

/** Runs what stands in `dist/quick/NAME.js` with the code cache beside it. False when there is no such file. */
function startQuickly(name) {
  const { Script, constants } = require('node:vm');
  const file = `${__dirname}/../dist/quick/${name}`;
  const source = contentOf(`${file}.js`, 'latin1');
  if (source === undefined) return false;
  // The cache of another Node.js, or one that does not fit the source, is refused by V8, which then compiles as ever.
  const script = new Script(source, {
    filename: `${file}.js`,
    cachedData: wholeCache(
      `${file}.${process.version}-${process.platform}-${process.arch}.cache`,
      name === 'run',
    ),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  script.runInThisContext()(require, `${__dirname}/../dist/quick`);
  return true;
}

/** What starts from one file, by its first words. */
function quickOne([noun, verb]) {
  if (noun === 'run') return noun;
  return noun === 'alerts' && verb === 'list' ? 'alerts-list' : undefined;
}

const quick = typeof require === 'function' ? quickOne(process.argv.slice(2)) : undefined;
if (quick === undefined || !startQuickly(quick)) import('../dist/cli/main.js');
