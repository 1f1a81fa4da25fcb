#!/usr/bin/env node
// A command that is worth it starts from one file with V8's code cache (scripts/quick.mjs builds both); every other one, and
// that one when its file is not there, from the modules of dist/.

/** Runs what stands in `file` with the code cache beside it. False when there is no such file. */
function startQuickly(file) {
  const { readFileSync } = require('node:fs');
  const { Script, constants } = require('node:vm');
  const read = (name, encoding) => {
    try {
      return readFileSync(name, encoding);
    } catch {
      return undefined;
    }
  };
  const source = read(`${file}.js`, 'latin1');
  if (source === undefined) return false;
  // The cache of another Node.js, or one that does not fit the source, is refused by V8, which then compiles as ever.
  const script = new Script(source, {
    filename: `${file}.js`,
    cachedData: read(`${file}.${process.version}-${process.platform}-${process.arch}.cache`),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  script.runInThisContext()(require, `${__dirname}/../dist/quick`);
  return true;
}

const [, , noun, verb] = process.argv;
const isQuick = noun === 'alerts' && verb === 'list' && typeof require === 'function';
if (!isQuick || !startQuickly(`${__dirname}/../dist/quick/alerts-list`)) import('../dist/cli/main.js');
