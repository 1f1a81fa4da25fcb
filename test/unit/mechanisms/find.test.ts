import { expect, test } from 'vitest';
import { type Mechanism, MechanismPlaces, mechanisms } from '../../../src/mechanisms/index.js';

const known = new MechanismPlaces(mechanisms, () => ['/Volumes/Work/homes/kai']);

function mechanism(id: string, ...places: Mechanism['places']): Mechanism {
  return { id, name: id, techniques: [], places, read: () => [], removal: () => '.' };
}

test.each([
  ['/Library/LaunchDaemons/com.example.x.plist', 'launch-daemon', undefined],
  ['/library/launchdaemons/com.example.x.plist', 'launch-daemon', undefined],
  ['/Library/LaunchAgents/sub/x.plist', 'launch-agent', undefined],
  ['/Users/mara/Library/LaunchAgents/x.plist', 'launch-agent', '/Users/mara'],
  ['/private/var/root/Library/LaunchAgents/x.plist', 'launch-agent', '/private/var/root'],
  ['/Volumes/Work/homes/kai/Library/LaunchAgents/x.plist', 'launch-agent', '/Volumes/Work/homes/kai'],
  ['/private/var/at/tabs/mara', 'cron', undefined],
  ['/private/etc/crontab', 'cron', undefined],
])('%s belongs to %s', (path, id, home) => {
  expect(known.find(path)).toMatchObject({ mechanism: { id }, path, home, describes: true });
});

test.each([
  '/Library/LaunchDaemons',
  '/private/var/at/tabs',
  '/private/var/at/tabs/mara/below',
  '/private/etc/crontab/x',
  '/Users/mara/Documents/Library/LaunchAgents/x.plist',
  '/Volumes/Other/Library/LaunchAgents/x.plist',
  '/Users',
  '/',
])('%s belongs to none', (path) => {
  expect(known.find(path)).toBeUndefined();
});

test('what stands in a bundle belongs to the bundle, and one file of it describes it', () => {
  const places = new MechanismPlaces([
    mechanism('look', {
      scope: 'home',
      path: 'Library/QuickLook',
      what: 'bundles',
      extensions: ['qlgenerator'],
    }),
  ]);
  const bundle = '/Users/mara/Library/QuickLook/X.QLGenerator';
  expect(places.find(bundle)).toMatchObject({ path: bundle, describes: false });
  expect(places.find(`${bundle}/Contents/MacOS/X`)).toMatchObject({ path: bundle, describes: false });
  expect(places.find(`${bundle}/Contents/Info.plist`)).toMatchObject({ path: bundle, describes: true });
  expect(places.find('/Users/mara/Library/QuickLook/readme.txt')).toBeUndefined();
});

test('a star stands for any text within one component, and special characters for themselves', () => {
  const places = new MechanismPlaces([
    mechanism('windows', { scope: 'home', path: 'Library/ByHost/com.apple.x.*.plist', what: 'file' }),
    mechanism('apps', { scope: 'system', path: '/Applications/*.app/Contents/Library', what: 'entries' }),
  ]);
  expect(places.find('/Users/m/Library/ByHost/com.apple.x.1-2.plist')?.mechanism.id).toBe('windows');
  expect(places.find('/Users/m/Library/ByHost/comXapple.x.1.plist')).toBeUndefined();
  expect(places.find('/Users/m/Library/ByHost/com.apple.x.1/2.plist')).toBeUndefined();
  expect(places.find('/Applications/A.app/Contents/Library/y')?.mechanism.id).toBe('apps');
});
