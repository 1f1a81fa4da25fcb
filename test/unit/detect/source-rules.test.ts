import { expect, test } from 'vitest';
import { Detector } from '../../../src/detect/index.js';
import type { Detection } from '../../../src/event/alert.js';
import type { Event } from '../../../src/event/event.js';
import { sourceRules } from '../../helpers/source-rules.js';
import { fileEvent, launchctl } from './events.js';

const builtin = sourceRules();

function detect(events: readonly Event[]): Detection[] {
  const found: Detection[] = [];
  const detector = new Detector({ rules: builtin, onDetection: (detection) => found.push(detection) });
  for (const event of events) detector.process(event);
  detector.finish();
  return found;
}

const agent = '/Users/alice/Library/LaunchAgents/x.plist';

test('a launch agent written and loaded within a minute', () => {
  const found = detect([fileEvent('f', 0, agent), launchctl('p', 60, ['load', '-w', agent])]);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatchObject({
    kind: 'match',
    rule: { severity: 'low', riskScore: 21 },
    events: [{ id: 'f' }, { id: 'p' }],
    candidates: [{ event: { id: 'f' }, named: true, link: 'path' }],
  });
});

test('not 61 seconds later, not twice for one write, not by another verb', () => {
  expect(detect([fileEvent('f', 0, agent), launchctl('p', 61, ['load', agent])])).toEqual([]);
  const twice = [
    fileEvent('f', 0, agent),
    launchctl('p', 1, ['load', agent]),
    launchctl('q', 2, ['load', '/tmp/y']),
  ];
  expect(detect(twice)).toHaveLength(1);
  expect(detect([fileEvent('f', 0, agent), launchctl('p', 1, ['list'])])).toEqual([]);
});

test('a DirectoryService plug-in, its later changes as repeats', () => {
  const bundle = '/Library/DirectoryServices/PlugIns/X.dsplug';
  const found = detect([
    fileEvent('a', 0, bundle, { inode: '7', type: 'dir' }),
    fileEvent('b', 20, bundle, { inode: '7', type: 'dir' }),
    fileEvent('c', 59, bundle, { inode: '7', type: 'dir' }),
  ]);
  expect(found.map(({ id, repeats }) => [id === found[0]?.id, repeats])).toEqual([
    [true, 0],
    [true, 1],
    [true, 2],
  ]);
  expect(found[0]?.rule).toMatchObject({ severity: 'medium', riskScore: 47 });
});
