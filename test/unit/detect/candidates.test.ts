import { expect, test } from 'vitest';
import { Detector } from '../../../src/detect/index.js';
import type { Detection } from '../../../src/event/alert.js';
import type { Event } from '../../../src/event/event.js';
import { fileEvent, launchctl, rule } from './events.js';

const loaded = rule(
  'eql',
  `sequence by host.id with maxspan=1m
    [file where file.path : "*/LaunchAgents/*"]
    [process where process.name == "launchctl"]`,
);

function detect(events: readonly Event[], limits = {}): { found: Detection[]; detector: Detector } {
  const found: Detection[] = [];
  const detector = new Detector({ rules: [loaded], limits, onDetection: (one) => found.push(one) });
  for (const event of events) detector.process(event);
  detector.finish();
  return { found, detector };
}

const folder = '/Users/alice/Library/LaunchAgents';
const evil = fileEvent('evil', 0, `${folder}/evil.plist`);
const decoy = fileEvent('decoy', 1, `${folder}/decoy.plist`);

function linksOf(args: readonly string[], cwd?: string): string[] {
  const { found } = detect([evil, decoy, launchctl('p', 2, args, cwd)]);
  return found.flatMap(({ candidates }) =>
    candidates.map(({ event, named, link }) => `${event.id} ${link}${named ? '!' : ''}`),
  );
}

test('a decoy that was written later does not hide the file that is loaded', () => {
  const { found } = detect([evil, decoy, launchctl('p', 2, ['load', `${folder}/evil.plist`])]);
  expect(found[0]?.events.map((event) => event?.id)).toEqual(['decoy', 'p']);
  expect(linksOf(['load', `${folder}/evil.plist`])).toEqual(['evil path!', 'decoy matched']);
});

test('what nothing names stands behind what the rule chose, newest first', () => {
  const older = fileEvent('older', -1, `${folder}/older.plist`);
  const { found } = detect([older, evil, decoy, launchctl('p', 2, ['list'])]);
  expect(found[0]?.candidates.map(({ event, link }) => [event.id, link])).toEqual([
    ['decoy', 'matched'],
    ['evil', 'window'],
    ['older', 'window'],
  ]);
});

const names: readonly (readonly [string, readonly string[], string | undefined])[] = [
  ['flags', ['load', '-w', '-F', `${folder}/evil.plist`], undefined],
  ['joined flags', ['load', '-wF', `${folder}/evil.plist`], undefined],
  ['a flag with a value', ['load', '-S', 'Aqua', `${folder}/evil.plist`], undefined],
  ['a joined flag with a value', ['load', '-wSAqua', `${folder}/evil.plist`], undefined],
  ['the end of the flags', ['load', '-w', '--', `${folder}/evil.plist`], undefined],
  ['several paths', ['load', '/tmp/x.plist', `${folder}/evil.plist`], undefined],
  ['unload', ['unload', `${folder}/evil.plist`], undefined],
  ['bootstrap', ['bootstrap', 'gui/501', `${folder}/evil.plist`], undefined],
  ['a relative path', ['load', 'evil.plist'], folder],
  ['a relative path with dots', ['load', '../LaunchAgents/./evil.plist'], folder],
  ['a relative path and no working folder', ['load', './LaunchAgents/evil.plist'], undefined],
  ['another case', ['load', `${folder.toUpperCase()}/EVIL.PLIST`], undefined],
  ['the data volume', ['load', `/System/Volumes/Data${folder}/evil.plist`], undefined],
  ['doubled slashes', ['load', `/${folder}//evil.plist`], undefined],
  ['asuser', ['asuser', '501', '/bin/launchctl', 'load', `${folder}/evil.plist`], undefined],
];
for (const [name, args, cwd] of names) {
  test(`launchctl names the file by path: ${name}`, () => {
    expect(linksOf(args, cwd)).toEqual(['evil path!', 'decoy matched']);
  });
}

test('by folder', () => {
  for (const args of [
    ['load', folder],
    ['load', `${folder}/`],
    ['load', '-D', 'user'],
    ['load', '-wDall'],
    ['bootstrap', 'gui/501', folder],
  ]) {
    expect(linksOf(args)).toEqual(['decoy directory!', 'evil directory!']);
  }
  expect(linksOf(['load', '.'], folder)).toEqual(['decoy directory!', 'evil directory!']);
  expect(linksOf(['load', '-D', 'system'])).toEqual(['decoy matched', 'evil window']);
  expect(linksOf(['load', '/Users/alice/Library'])).toEqual(['decoy matched', 'evil window']);
});

test('by label', () => {
  const labelled: Event = { ...evil, doc: { ...evil.doc, launchwarden: { plist: { label: 'com.evil' } } } };
  for (const args of [
    ['enable', 'gui/501/com.evil'],
    ['kickstart', '-kp', 'gui/501/com.evil'],
    ['kickstart', 'system/com.evil'],
    ['start', 'com.evil'],
    ['bootstrap', 'gui/501/com.evil'],
  ]) {
    const { found } = detect([labelled, decoy, launchctl('p', 2, args)]);
    expect(found[0]?.candidates.map(({ event, link }) => [event.id, link])).toEqual([
      ['evil', 'label'],
      ['decoy', 'matched'],
    ]);
  }
  const { found } = detect([labelled, decoy, launchctl('p', 2, ['kickstart', 'com.evil'])]);
  expect(found[0]?.candidates[0]?.link).toBe('matched');
});

test('names in another normal form are the same file', () => {
  const composed = fileEvent('evil', 0, `${folder}/caf\u00e9.plist`);
  const { found } = detect([composed, decoy, launchctl('p', 2, ['load', `${folder}/cafe\u0301.plist`])]);
  expect(found[0]?.candidates[0]).toMatchObject({ event: { id: 'evil' }, link: 'path' });
});

test('only files of the window and of the join key are candidates', () => {
  const old = fileEvent('old', -100, `${folder}/old.plist`);
  const other = fileEvent('other', 0, `${folder}/other.plist`);
  const elsewhere: Event = { ...other, doc: { ...other.doc, host: { id: 'mac-2' } } };
  const { found } = detect([old, elsewhere, evil, launchctl('p', 2, ['list'])]);
  expect(found[0]?.candidates.map(({ event }) => event.id)).toEqual(['evil']);
});

test('the files of a flood are kept up to a bound, and counted beyond it', () => {
  const many = Array.from({ length: 30 }, (_, index) =>
    fileEvent(`f${index}`, index / 100, `${folder}/${index}.plist`),
  );
  const { found, detector } = detect([...many, launchctl('p', 2, ['load', `${folder}/25.plist`])], {
    candidates: 10,
  });
  expect(found[0]?.candidates).toHaveLength(10);
  expect(found[0]?.candidates[0]?.event.id).toBe('f25');
  expect(detector.counters()['evicted_candidates']).toBe(20);
});

test('the files of many join keys together are bounded too; the matched one is always a candidate', () => {
  const hosts = Array.from({ length: 6 }, (_, index): Event => {
    const one = fileEvent(`f${index}`, index / 100, `${folder}/${index}.plist`);
    return { ...one, doc: { ...one.doc, host: { id: `mac-${index}` } } };
  });
  const load = launchctl('p', 2, ['list']);
  const { found, detector } = detect([...hosts, { ...load, doc: { ...load.doc, host: { id: 'mac-5' } } }], {
    allCandidates: 3,
  });
  expect(found[0]?.candidates.map(({ event, link }) => [event.id, link])).toEqual([['f5', 'matched']]);
  expect(detector.counters()['evicted_candidates']).toBe(3);
});

test('hostile arguments name nothing and break nothing', () => {
  const hostile = [
    [],
    ['load'],
    ['load', '-D'],
    ['load', ''],
    ['load', '\u0000/..//'],
    ['bootstrap'],
    ['asuser'],
    ['asuser', '1'],
    ['submit', '-l'],
    new Array(5000).fill('launchctl'),
  ];
  for (const args of hostile) expect(linksOf(args as string[])).toContain('decoy matched');
  const broken = launchctl('p', 2, []);
  const doc = {
    ...broken.doc,
    process: {
      name: 'launchctl',
      args: [5, null, {}] as unknown as string[],
      working_directory: 7 as unknown as string,
    },
  };
  expect(detect([evil, { ...broken, doc }]).found).toHaveLength(1);
});
