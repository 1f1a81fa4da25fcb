import { expect, test } from 'vitest';
import { selectRules } from '../../../src/agent/rules.js';
import { switchedOff } from '../../../src/agent/switched-off.js';
import { judgeHealth, type VerdictFacts } from '../../../src/agent/verdict.js';
import { type Exception, readExceptionFile } from '../../../src/rules/index.js';

const now = Date.UTC(2026, 10, 22) * 1000;
const all = selectRules({ rules: { builtin: true, folders: [], disabled: [], enabled: [] } });
const ids = all.rules.map(({ meta }) => meta.id);
const guards = all.rules.filter(({ meta }) => meta.file.startsWith('builtin/launchwarden-'));

const without = (disabled: readonly string[]) =>
  selectRules({ rules: { builtin: true, folders: [], disabled: [...disabled], enabled: [] } });

function exceptions(...bodies: readonly string[]): readonly Exception[] {
  const text = bodies
    .map(
      (body, at) =>
        `[[exception]]\nid = "e${at}"\nreason = "r"\nauthor = "a"\nexpires = 2036-01-01\n${body}\n`,
    )
    .join('');
  const result = readExceptionFile(`name = "x"\n${text}`, 'x.toml');
  if (!('set' in result)) throw new Error(JSON.stringify(result.diagnostics));
  return result.set.exceptions;
}

const of = (disabled: readonly string[], list: readonly Exception[] = []) =>
  switchedOff({ selected: without(disabled), exceptions: list, now });

test('single rules may be off, and what is bound or named may be excepted', () => {
  const usual = ids.filter((id) => !guards.some(({ meta }) => meta.id === id)).slice(0, 10);
  const narrow = exceptions(
    `item = 'file.path: "/Library/LaunchAgents/org.backup.agent.plist"'`,
    `item = 'file.path: *'\nsigner = { team_id = "ABCDE12345" }`,
    `item = 'file.path: *'\nsha256 = "${'a'.repeat(64)}"`,
    `process = 'process.name: "munki"'`,
    `item = 'file.path: /Library/LaunchAgents/com.corp.*'`,
    `item = 'file.path: *'\nrules = ["${ids[0]}"]`,
  );
  expect(of(usual, narrow)).toEqual({ all: undefined, reasons: [] });
});

test.each([
  ['a path of anything', `item = 'file.path: *'`],
  ['a kind of event', `item = 'event.category: "file"'`],
  ['any process', `process = 'process.pid >= 0'`],
  ['what it is not', `item = 'not file.name: "x"'`],
  ['any step', `step = [{ number = 1, query = 'event.category: *' }, { number = 2, query = 'host.id: *' }]`],
  ['EQL', `language = "eql"\nitem = 'any where true'`],
])('an exception for %s switches off every rule, and none detects anything', (_, body) => {
  expect(of([], exceptions(body))).toEqual({
    all: 'no rule detects anything: an exception hides whatever anybody makes (e0)',
    reasons: [],
  });
  // Rule by rule it is the same.
  const each = exceptions(`${body}\nrules = ${JSON.stringify(ids)}`);
  expect(of([], each).all).toContain('no rule detects anything');
  // And it ends with its time.
  const later = switchedOff({ selected: all, exceptions: exceptions(body), now: now + 20 * 366 * 86_400e6 });
  expect(later).toEqual({ all: undefined, reasons: [] });
});

test('exceptions that hide everything together, or a whole place, are found', () => {
  const halves = exceptions(
    `item = 'file.path: /Users/*'`,
    `item = 'file.path: /Library/*'`,
    `item = 'file.path: /private/*'`,
  );
  expect(of([], halves).all).toContain('3 exceptions hide whatever anybody makes (e0, e1, e2)');
  const place = of([], exceptions(`item = 'file.path: /Library/LaunchDaemons/*'`));
  expect(place.all).toBeUndefined();
  expect(place.reasons[0]).toMatch(/^\d+ of \d+ built-in rules .* an exception hides whatever anybody makes/);
});

test('all rules, half of them, the built-in ones and those that guard launchwarden are said when they are off', () => {
  expect(of(ids)).toEqual({ all: 'no rule detects anything: none is on', reasons: [] });
  expect(of(ids.slice(0, Math.ceil(ids.length / 2))).reasons[0]).toContain('built-in rules are switched off');
  const [guard] = guards;
  expect(of([guard?.meta.id ?? '']).reasons).toEqual([
    `rules that guard launchwarden itself are off: ${guard?.meta.name}`,
  ]);
  const own = { rules: all.rules, usual: undefined };
  expect(switchedOff({ selected: own, exceptions: [], now }).reasons).toEqual([
    'the built-in rules are off (rules.builtin)',
  ]);
  const muted = new Set(ids);
  expect(switchedOff({ selected: all, exceptions: [], muted, now }).all).toBe('no rule detects anything');
});

test('an agent of which no rule detects anything is blind, one with too few is degraded', () => {
  const fine = {
    tier: { running: 'scan', wanted: 'auto', reason: '', refused: {}, lost: [] },
    sensors: ['file-watch', 'process-scan'].map((kind) => ({ kind, running: true, notes: [], counters: {} })),
    store: { state: 'ok', reason: null, held_alerts: 0 },
    destinations: [],
  } as unknown as VerdictFacts;
  const verdict = (off: ReturnType<typeof switchedOff>) =>
    judgeHealth({ ...fine, rules: { passedOver: 0, muted: 0, switchedOff: off } });
  expect(verdict(of([])).verdict).toBe('healthy');
  expect(verdict(of(ids))).toEqual({ verdict: 'blind', reasons: ['no rule detects anything: none is on'] });
  expect(verdict(of(ids.slice(3))).verdict).toBe('degraded');
});
