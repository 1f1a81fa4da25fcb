import { whatRuns } from '../base/what-runs/index.js';
import { nameOf } from './bundle.js';
import { firstItems, itemOf } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem, Place } from './mechanism.js';
import { linesOf, runsOfProgram, textOf } from './read.js';

/** Folders of packages: of each user, of Apple's Python, of python.org's, of Homebrew's. */
const homes = ['Library/Python/*/lib/python/site-packages', '.local/lib/python*/site-packages'];
const system = [
  '/Library/Python/*/site-packages',
  '/Library/Frameworks/Python.framework/Versions/*/lib/python*/site-packages',
  '/opt/homebrew/lib/python*/site-packages',
  '/usr/local/lib/python*/site-packages',
];
const modules = ['usercustomize.py', 'sitecustomize.py'];

/** What every Python runs before its script. Source: the manual of the module `site`. */
export const pythonStartup: Mechanism = {
  id: 'python-startup',
  name: 'start-up file of Python',
  techniques: ['T1546'],
  byLine: true,
  places: [
    ...homes.flatMap((path) => placesIn('home', path)),
    ...system.flatMap((path) => placesIn('system', path)),
  ],
  read: (file) => (/\.pth$/i.test(file.path) ? firstItems(linesIn(file)) : moduleIn(file)),
  removal: ({ key }, { path }) =>
    key === '' ? `Delete ${path}.` : `Delete the line \`${key}\` from ${path}.`,
};

function placesIn(scope: Place['scope'], path: string): Place[] {
  return [
    { scope, path, what: 'entries', extensions: ['pth'] },
    ...modules.map((name): Place => ({ scope, path: `${path}/${name}`, what: 'file' })),
  ];
}

function moduleIn(file: MechanismFile): PersistentItem[] {
  const code = whatRuns({ args: ['/usr/bin/python3', '-c', textOf(file).slice(0, 65_536)] });
  return [item(file, '', [runsOfProgram(file.path), { ...code, paths: code.paths.slice(1) }])];
}

/** A line that begins with `import` is run; any other is a folder that is searched too. */
function* linesIn(file: MechanismFile): Generator<PersistentItem> {
  const folder = file.path.slice(0, file.path.lastIndexOf('/'));
  for (const { text } of linesOf(file)) {
    if (!/^import[ \t]/.test(text) || usual.some((one) => one.test(text))) continue;
    const code = whatRuns({ args: ['/usr/bin/python3', '-c', text] });
    const paths = code.paths.slice(1);
    // A module of its own stands beside the file.
    const names = /^import[ \t]+([\w, \t]+)/.exec(text)?.[1] ?? '';
    const modules = names
      .split(/[, \t]+/, 16)
      .filter((one) => one !== '' && !library.has(one))
      .map((one) => runsOfProgram(`${folder}/${one}.py`));
    yield item(file, text, [{ ...code, paths, path: paths.at(-1) }, ...modules]);
  }
}

/** Modules of the language itself that such lines import. */
const library: ReadonlySet<string> = new Set([
  ...['os', 'sys', 'types', 'importlib', 'site', 'subprocess', 'base64', 'socket', 'threading', 'urllib'],
  ...['zlib', 'codecs', 'runpy', 'pathlib', 'time', 'builtins', 'ctypes', 'http', 'json', 're', 'shutil'],
]);

function item(file: MechanismFile, key: string, runs: PersistentItem['runs']): PersistentItem {
  const made = itemOf({ key, label: nameOf(file.path), runs, when: ['host-program'] });
  // That Python runs it is how the mechanism works.
  return { ...made, findings: made.findings.filter((one) => one !== 'interpreter-one-liner') };
}

/** Lines of setuptools and coverage, which name no file of their own. */
const usual: readonly RegExp[] = [
  /^import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os\.environ\.get\(var, '\w+'\) == '\w+'; enabled and __import__\('_distutils_hack'\)(?:\.add_shim\(\))?;?\s*$/,
  /^import (?:coverage; coverage\.process_startup\(\)|site)\s*;?$/,
  /^import sys, types, os;\s*has_mfs = sys\.version_info > \(3, 5\);\s*p = os\.path\.join\(sys\._getframe\(1\)\.f_locals\['sitedir'\], \*\((?:'\w+',\s*)+(?:'\w+')?\)\);\s*importlib = has_mfs and __import__\('importlib\.util'\);\s*has_mfs and __import__\('importlib\.machinery'\);\s*m = has_mfs and sys\.modules\.setdefault\('([\w.]+)', importlib\.util\.module_from_spec\(importlib\.machinery\.PathFinder\.find_spec\('\1', \[os\.path\.dirname\(p\)\]\)\)\);\s*m = m or sys\.modules\.setdefault\('\1', types\.ModuleType\('\1'\)\);\s*mp = \(m or \[\]\) and m\.__dict__\.setdefault\('__path__',\s*\[\]\);\s*\(p not in mp\) and mp\.append\(p\)$/,
];
