import { expect, test } from 'vitest';
import { canonicalMacPath } from '../../../src/base/root.js';
import { PathFilter } from '../../../src/sensors/eslogger/path-filter.js';
import { Scope } from '../../../src/sensors/file-watch/index.js';
import { file, line, processObject } from '../../helpers/eslogger-lines.js';

const entries = ['/private/etc/crontab', '/Users/*/.zshrc', '/Library/QuickLook/*', '/Users/*/.*/tasks.json'];
const scope = new Scope([], entries);
const filter = new PathFilter(scope, canonicalMacPath);
const by = {
  process: processObject({ pid: 1, pidversion: 1 }, '/Applications/Safari.app/Contents/MacOS/Safari'),
};

function closed(path: string): string {
  return line('close', { modified: true, target: file(path), was_mapped_writable: false }, by);
}

const paths = [
  '/private/etc/crontab',
  '/System/Volumes/Data/private/etc/crontab',
  '/Users/mara/.zshrc',
  '/Users/mara/.vscode/tasks.json',
  '/Library/QuickLook/x "y".qlgenerator',
  '/library/quicklook/x',
  '/Users/mara/Documents/.zshrc',
  '/Users/mara/Library/Caches/a/b/c',
  '/Library/QuickLook/a/b',
  '/private/var/folders/zz/x',
  '/private/etc/hosts',
  '/Library/QuickLookX/y',
];

test('no line about a wanted entry is left out, however its slashes are written', () => {
  for (const path of paths) {
    const plain = closed(path);
    for (const text of [plain, plain.replaceAll('/', '\\/'), plain.replaceAll('"path":', '"path" : ')])
      if (scope.covers(canonicalMacPath(path)))
        expect({ path, kept: filter.mayWant(text) }).toEqual({ path, kept: true });
  }
});

test('lines about other files are', () => {
  expect(paths.filter((path) => filter.mayWant(closed(path)))).toEqual(paths.slice(0, 6));
});

test('a folder in which a name is given apart counts', () => {
  expect(
    filter.mayWant(
      line(
        'create',
        {
          destination_type: 1,
          destination: { new_path: { dir: file('/Library/QuickLook'), filename: 'x' } },
        },
        by,
      ),
    ),
  ).toBe(true);
});
