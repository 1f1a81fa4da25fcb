import { describe, expect, test } from 'vitest';
import { Detector } from '../../../src/detect/index.js';
import { alertDocument, type Detection } from '../../../src/event/alert.js';
import type { EcsDocument, LaunchwardenProcessFields } from '../../../src/event/document.js';
import type { Event } from '../../../src/event/event.js';
import { sourceRules } from '../../helpers/source-rules.js';
import { event, fileEvent, launchctl } from './events.js';

const folder = '/Users/alice/Library/LaunchAgents';
const real = fileEvent('real', 0, `${folder}/real.plist`, { inode: '1' });
const decoy = fileEvent('decoy', 1, `${folder}/decoy.plist`, { inode: '2' });
const rules = sourceRules();

function alerts(events: readonly Event[]): Detection[] {
  const told = new Map<string, Detection>();
  const detector = new Detector({ rules, onDetection: (one) => told.set(one.id, one) });
  for (const one of events) detector.process(one);
  detector.finish();
  return [...told.values()];
}

const context = { version: '0', agentId: 'a', created: 0, sensors: [], simulated: false };
const about = (detections: readonly Detection[]) =>
  detections.map((one) => alertDocument(one, context).file?.path?.replace(`${folder}/`, ''));

/** A call with what its event says beyond its arguments. */
function call(id: string, at: number, args: readonly string[], process: LaunchwardenProcessFields): Event {
  const made = launchctl(id, at, args);
  return { ...made, doc: { ...made.doc, launchwarden: { process } } as EcsDocument };
}
const cut = { args_cut: true, args_omitted: 90_000, args_shortened: 0 };

describe('a launchctl whose arguments were cut', () => {
  test('may load whatever stands in the window, beside what it names', () => {
    const found = alerts([real, decoy, call('p', 2, ['load', `${folder}/decoy.plist`], cut)]);
    expect(about(found)).toEqual(['decoy.plist', 'real.plist']);
    expect(found[0]?.candidates.map(({ link }) => link)).toEqual(['path', 'possible']);
    expect(found[1]?.candidates.map(({ event: { id }, link }) => `${id} ${link}`)).toEqual(['real possible']);
  });

  test('may load what is left after the rule had its match', () => {
    const first = launchctl('p1', 2, ['load', `${folder}/decoy.plist`]);
    expect(about(alerts([real, decoy, first, call('p2', 3, ['load', '/x'], cut)]))).toEqual([
      'decoy.plist',
      'real.plist',
    ]);
  });

  test('and may have its verb in what was cut', () => {
    expect(about(alerts([real, call('p', 2, ['-w', '-w'], cut)]))).toEqual(['real.plist']);
  });

  test('or all of its arguments', () => {
    const { process, ...doc } = launchctl('p', 2, []).doc;
    const bare = event('p', 2, {
      ...doc,
      process: { name: process?.name },
      launchwarden: { process: { args_cut: true } },
    });
    expect(about(alerts([real, bare]))).toEqual(['real.plist']);
  });

  test.each([
    ['takes a job away', ['unload', '/x']],
    ['only asks', ['list', 'x']],
  ])('does not when it %s', (_, args) => {
    expect(alerts([real, decoy, call('p', 2, args, cut)])).toEqual([]);
  });

  test('nor is another program a launchctl for it', () => {
    const made = call('p', 2, ['load'], cut);
    const other = { ...made, doc: { ...made.doc, process: { name: 'cp', args: ['cp', '/a', '/b'] } } };
    expect(alerts([real, other])).toEqual([]);
  });

  test('makes one alert a file and a bounded number of them', () => {
    const files = Array.from({ length: 40 }, (_, index) =>
      fileEvent(`f${index}`, index / 100, `${folder}/f${index}.plist`, { inode: `${index}` }),
    );
    const found = alerts([...files, call('p', 2, ['load', '/x'], cut)]);
    expect(found).toHaveLength(17);
    expect(new Set(about(found)).size).toBe(17);
  });
});

describe('a launchctl that names a file by another path', () => {
  const named = (more: object) => ({ named_files: [{ path: '/private/tmp/link.plist', ...more }] });
  const load = ['load', '/tmp/link.plist'];

  test('is about the file that the path led to', () => {
    const process = named({ resolved: `${folder}/real.plist`, inode: '1' });
    const [found] = alerts([real, decoy, call('p', 2, load, process)]);
    expect(found?.candidates.map(({ event: { id }, link }) => `${id} ${link}`)).toEqual([
      'real path',
      'decoy matched',
    ]);
    const alert = alertDocument(found as Detection, context);
    expect(alert.file?.path).toBe(`${folder}/real.plist`);
    expect(alert.launchwarden?.process).toEqual(process);
  });

  test('by the inode alone: a second name', () => {
    const process = named({ resolved: '/private/tmp/link.plist', inode: '1' });
    expect(about(alerts([real, decoy, call('p', 2, load, process)]))).toEqual(['real.plist']);
  });

  test('by a folder that a link leads to', () => {
    const process = named({ resolved: folder, inode: '99' });
    const [found] = alerts([real, decoy, call('p', 2, load, process)]);
    expect(found?.candidates.map(({ link }) => link)).toEqual(['directory', 'directory']);
  });

  test('prefers the file to the link that leads to it', () => {
    const link = fileEvent('link', 1.5, `${folder}/link.plist`, { inode: '3', type: 'symlink' });
    const process = {
      named_files: [{ path: `${folder}/link.plist`, resolved: `${folder}/real.plist`, inode: '1' }],
    };
    const found = alerts([real, decoy, link, call('p', 2, ['load', `${folder}/link.plist`], process)]);
    expect(about(found)).toEqual(['real.plist']);
  });

  test('may mean any file when it could not be followed', () => {
    const found = alerts([real, decoy, call('p', 2, load, named({ state: 'unread' }))]);
    expect(about(found).sort()).toEqual(['decoy.plist', 'real.plist']);
  });

  test.each([
    ['a list', load],
    ['a pattern that no shell has expanded', ['load', '/tmp/*.plist']],
  ])('accuses none when nothing stands at the path of %s', (_, args) => {
    const found = alerts([real, decoy, call('p', 2, args, named({ state: 'missing' }))]);
    expect(about(found)).toEqual([undefined]);
    expect(found[0]?.unlinked).toBe(true);
  });

  test('may mean any file when a link was changed after the call began', () => {
    const process = named({ resolved: `${folder}/decoy.plist`, inode: '2', state: 'changed' });
    const found = alerts([real, decoy, call('p', 2, load, process)]);
    expect(about(found).sort()).toEqual(['decoy.plist', 'real.plist']);
  });

  test('means that file alone when it was removed after the call', () => {
    const process = { named_files: [{ path: `${folder}/real.plist`, state: 'missing' as const }] };
    const found = alerts([real, decoy, call('p', 2, ['load', `${folder}/real.plist`], process)]);
    expect(about(found)).toEqual(['real.plist']);
  });

  test('survives hostile values', () => {
    const process = { named_files: [null, 7, { path: 7, inode: [] }, { state: {} }] } as never;
    const found = alerts([real, call('p', 2, load, process)]);
    expect(found.map(({ events }) => events.map((one) => one?.id))).toEqual([['real', 'p']]);
  });
});

test('the last of 3,000 paths is named', () => {
  const paths = Array.from({ length: 2_999 }, (_, index) => `/tmp/n${index}.plist`);
  const found = alerts([real, decoy, launchctl('p', 2, ['load', ...paths, `${folder}/real.plist`])]);
  expect(about(found)).toEqual(['real.plist']);
});
