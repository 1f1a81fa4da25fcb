import { describe, expect, test } from 'vitest';
import { Detector } from '../../../src/detect/index.js';
import { alertDocument, type Detection } from '../../../src/event/alert.js';
import type { Event } from '../../../src/event/event.js';
import { sourceRules } from '../../helpers/source-rules.js';
import { fileEvent, launchctl } from './events.js';

const rules = sourceRules();
const context = { version: '0', agentId: 'a', created: 0, sensors: [], simulated: false };

/** A launch agent of alice, whose number is 501, with a label. */
function item(id: string, path: string, uid = '501'): Event {
  const made = fileEvent(id, 0, path, { inode: id, uid });
  const label = id;
  return { ...made, doc: { ...made.doc, launchwarden: { ...made.doc.launchwarden, plist: { label } } } };
}
const private_ = item('com.alice', '/Users/alice/Library/LaunchAgents/com.alice.plist');
const shared = item('com.alice', '/Library/LaunchAgents/com.alice.plist', '0');

function calledBy(user: { id: string; name: string }, args: readonly string[], isCut = false): Event {
  const made = launchctl('p', 1, args);
  const process = isCut ? { args_cut: true, args_omitted: 9_000, args_shortened: 0 } : {};
  return { ...made, doc: { ...made.doc, user, launchwarden: { ...made.doc.launchwarden, process } } };
}
const alice = { id: '501', name: 'alice' };
const bob = { id: '502', name: 'bob' };
const root = { id: '0', name: 'root' };

/** The files that alerts are about. */
function accused(events: readonly Event[]): (string | undefined)[] {
  const told = new Map<string, Detection>();
  const detector = new Detector({ rules, onDetection: (one) => told.set(one.id, one) });
  for (const one of events) detector.process(one);
  detector.finish();
  return [...told.values()].map((one) => alertDocument(one, context).file?.path);
}
const path = '/Users/alice/Library/LaunchAgents/com.alice.plist';

describe("another user's private item", () => {
  test.each([
    ['a label in the own session', bob, ['load', '-w'], true],
    ['a label in the session of somebody else', root, ['bootstrap', 'gui/502'], false],
    ['every list of the own home', bob, ['load', '-D', 'user'], false],
    ["every list of root's home", root, ['load', '-D', 'user'], false],
    ['as another user', root, ['asuser', '502', 'launchctl', 'load', '-D', 'user'], false],
    ['a label of the system', root, ['start', 'com.alice', 'load'], false],
    ['a label of another user', root, ['kickstart', 'gui/502/com.alice', 'load'], false],
  ])('is not accused by %s', (_, user, args, isCut) => {
    expect(accused([private_, calledBy(user, args, isCut)]).filter((one) => one !== undefined)).toEqual([]);
  });

  test.each([
    ['its owner', alice, ['load', '-D', 'user'], false],
    ['its owner, with arguments that were cut', alice, ['load'], true],
    ['root as its owner', root, ['asuser', '501', 'launchctl', 'load', '-D', 'user'], false],
    ["root in its owner's session", root, ['kickstart', 'gui/501/com.alice', 'load'], false],
    ['root, with arguments that were cut', root, ['load'], true],
    ['anybody who names its file', bob, ['load', path], false],
  ])('is accused by %s', (_, user, args, isCut) => {
    expect(accused([private_, calledBy(user, args, isCut)])).toContain(path);
  });

  test("what everybody's sessions load is nobody's own", () => {
    expect(accused([shared, calledBy(bob, ['load', '-D', 'local'])])).toContain(shared.doc.file?.path);
  });
});

test('what is odd about the lists of a folder is no finding of the list that is named beside it', () => {
  const odd = item('com.odd', '/Users/alice/Library/LaunchAgents/com.odd.plist');
  odd.doc.launchwarden = { ...odd.doc.launchwarden, findings: ['remote-script'] };
  const call = calledBy(alice, ['load', '-D', 'user', path]);
  const told = new Map<string, Detection>();
  const detector = new Detector({ rules, onDetection: (one) => told.set(one.id, one) });
  for (const one of [odd, private_, call]) detector.process(one);
  detector.finish();
  const priorities = [...told.values()].map((one) => {
    const { file, launchwarden } = alertDocument(one, context);
    return [file?.path, JSON.stringify(launchwarden?.['alert']).includes('"word":"remote-script"')];
  });
  expect(priorities).toEqual([
    [path, false],
    [odd.doc.file?.path, true],
  ]);
});
