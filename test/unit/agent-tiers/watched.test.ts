import { expect, test } from 'vitest';
import { absoluteEntries, watchedBy } from '../../../src/agent/watched.js';
import { type Mechanism, mechanisms } from '../../../src/mechanisms/index.js';
import { Scope } from '../../../src/sensors/file-watch/index.js';

const look: Mechanism = {
  id: 'look',
  name: 'look',
  techniques: [],
  places: [
    { scope: 'home', path: 'Library/QuickLook', what: 'bundles', extensions: ['qlgenerator'] },
    { scope: 'system', path: '/Library/Extra', what: 'entries', watched: false },
    { scope: 'system', path: '/Applications/*/Contents/PlugIns', what: 'bundles' },
    { scope: 'system', path: '/System/Library/Extensions', what: 'bundles' },
  ],
  read: () => [],
  removal: () => '.',
};

test('of bundles what describes them and what they run is watched, of places for the inventory alone nothing', () => {
  const watched = watchedBy([], [look]);
  expect(watched).toEqual({
    patterns: [],
    entries: [],
    inHomes: [
      'Library/QuickLook/*.qlgenerator',
      'Library/QuickLook/*.qlgenerator/Contents/Info.plist',
      'Library/QuickLook/*.qlgenerator/Contents/MacOS/*',
    ],
  });
  expect(absoluteEntries(watched)).toContain('/private/var/root/Library/QuickLook/*.qlgenerator');
});

test('every place of every mechanism can be watched', () => {
  const watched = watchedBy([], mechanisms);
  expect(new Scope(watched.patterns, absoluteEntries(watched)).skipped).toEqual([]);
});
