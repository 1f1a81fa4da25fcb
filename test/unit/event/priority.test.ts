import { expect, test } from 'vitest';
import type { EcsDocument, ProcessFields } from '../../../src/event/document.js';
import { findings } from '../../../src/event/findings.js';
import { meaningOf, priorityFacts, priorityIn, priorityOf } from '../../../src/event/priority.js';

function alertAbout(words: readonly string[], more: EcsDocument = {}): EcsDocument {
  const { launchwarden, ...rest } = more;
  return { ...rest, launchwarden: { findings: [...words], alert: { severity: 'low' }, ...launchwarden } };
}

test('an agent that poses as Apple and loads from the network ranks far above a harmless one', () => {
  const harmless = priorityOf('low', alertAbout([]));
  const careless = priorityOf('low', alertAbout(['label-not-file-name', 'wrapped-program']));
  const evil = priorityOf(
    'low',
    alertAbout([
      'apple-label',
      'interpreter-one-liner',
      'network-download',
      'remote-script',
      'dyld-environment',
    ]),
  );
  expect([harmless.level, careless.level, evil.level]).toEqual(['low', 'low', 'critical']);
  expect(evil.score - harmless.score).toBeGreaterThanOrEqual(80);
  expect(evil.reasons[0]).toEqual({ word: 'remote-script', weight: 35 });
});

test('what the rule says is the least that an alert without mitigating facts gets', () => {
  for (const severity of ['low', 'medium', 'high', 'critical'] as const)
    expect(priorityOf(severity, {}).level).toBe(severity);
  expect(priorityOf('critical', alertAbout(Object.keys(findings))).score).toBe(100);
});

test('findings about a file that only stood in the window do not count, those about a named one do', () => {
  const candidates = [
    { path: '/a', named: false, findings: ['dyld-environment'] },
    { path: '/b', named: true, findings: ['hidden-program'] },
  ];
  const alert = { severity: 'low', kind: 'match', candidates };
  expect(priorityOf('low', { launchwarden: { alert } }).reasons).toEqual([
    { word: 'hidden-program', weight: 20 },
  ]);
});

test('a launch item about which nothing is odd speaks for itself, unless its rule says more than medium', () => {
  const alert = { severity: 'medium', kind: 'match' };
  const plain = { launchwarden: { plist: { json: '{}' }, alert, findings: ['wrapped-program'] } };
  expect(priorityOf('medium', plain)).toMatchObject({ level: 'low', score: 30 });
  expect(priorityOf('high', plain).level).toBe('high');
  const odd = { launchwarden: { ...plain.launchwarden, findings: ['program-in-tmp'] } };
  expect(priorityOf('medium', odd)).toMatchObject({ level: 'high' });
  expect(priorityOf('medium', { launchwarden: { alert } }).level).toBe('medium');
});

test('a summary is as urgent as the worst that it stands for', () => {
  const candidates = [{ findings: ['symlink'] }, { findings: ['remote-script', 'apple-label'] }, {}];
  const alert = { severity: 'low', kind: 'summary', candidates };
  expect(priorityOf('low', { launchwarden: { alert } }).score).toBe(75);
});

test("only a program of the system with the kernel's word for its signature counts as Apple's installer", () => {
  const by = (process: ProcessFields) => {
    const Events = [{ event: { id: 'f' }, file: { path: '/Library/x' }, process }];
    const alert = { severity: 'medium', file_event_id: 'f' };
    return priorityOf('medium', { Events, launchwarden: { alert } }).level;
  };
  const executable = '/System/Library/PrivateFrameworks/PackageKit.framework/Resources/shove';
  const signature = { exists: true, trusted: true, signing_id: 'com.apple.shove' };
  expect(by({ executable, code_signature: signature })).toBe('low');
  expect(by({ executable: '/private/tmp/shove', code_signature: signature })).toBe('medium');
  expect(by({ executable, code_signature: { ...signature, trusted: false } })).toBe('medium');
  expect(by({ executable, code_signature: { ...signature, team_id: 'ABCDE12345' } })).toBe('medium');
  expect(by({ executable })).toBe('medium');
});

test('every finding and every fact has a weight and a sentence', () => {
  for (const [word, { weight, says }] of Object.entries({ ...findings, ...priorityFacts })) {
    expect(Number.isInteger(weight)).toBe(true);
    expect(Math.abs(weight)).toBeLessThanOrEqual(100);
    expect(says).toMatch(/\.$/);
    expect(meaningOf(word)).toBe(says);
  }
  expect(meaningOf('toString')).toBeUndefined();
});

test('documents may hold anything', () => {
  const odd: unknown[] = [
    {
      Events: [null, 3, { file: null }],
      launchwarden: { findings: [1, null], alert: { candidates: [null, 7] } },
    },
    { launchwarden: { findings: 'x', alert: null } },
    { launchwarden: { alert: { kind: 'summary', candidates: [{ findings: 'no list' }, null] } } },
  ];
  for (const doc of odd) expect(priorityOf('low', doc as EcsDocument).level).toBe('low');
  expect(priorityIn({ launchwarden: { alert: { priority: { score: 'high' } } } }, 'high').score).toBe(60);
  expect(priorityIn({}, 'low')).toEqual({ score: 10, level: 'low', reasons: [] });
});
