import { expect, test } from 'vitest';
import { persistentItemId } from '../../../src/event/ids.js';
import { stageOf, type Told } from '../../../src/respond/index.js';

const path = '/Library/LaunchDaemons/x.plist';
const item = persistentItemId('launch-daemon', path);
const quarantine = (at: string) => ({ kind: 'quarantine', path: at, expect: {} }) as const;

test.each([
  ['the item', quarantine(path), 'step', 'done', 'quarantined'],
  ['its program', quarantine('/opt/x'), 'step', 'done', undefined],
  ['the item, which was not there', quarantine(path), 'step', 'nothing', undefined],
  ['the item, in vain', quarantine(path), 'step', 'failed', undefined],
  ['the item, put back', quarantine(path), 'undo', 'done', 'back'],
  ['a stored version', { kind: 'place', path, version: 1 } as const, 'step', 'done', 'back'],
  ['its job', { kind: 'boot-out', label: 'x', domains: [] } as const, 'step', 'done', undefined],
] as const)('%s', (_, step, what, state, stage) => {
  const told = { response: { item }, index: 0, step, what, outcome: { state, says: '' } };
  expect(stageOf(told as unknown as Told)).toBe(stage);
});
