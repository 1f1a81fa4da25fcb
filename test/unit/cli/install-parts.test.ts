import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { installParts } from '../../../src/cli/install-parts.js';
import type { Detection } from '../../../src/event/alert.js';
import { loadBuiltinRules } from '../../../src/rules/index.js';
import { openStore } from '../../../src/store/index.js';
import { tempFolder } from '../../helpers/run-cli.js';
import { context, detection } from '../store/samples.js';

const ruleIn = (file: string) =>
  loadBuiltinRules().find(({ meta }) => meta.file === `builtin/${file}.toml`)?.meta.id ?? '';

function dataWith(...found: readonly Detection[]) {
  const dataDir = path.join(tempFolder(), 'data');
  const store = openStore({ dataDir, clock: systemClock });
  for (const one of found) store.alerts.upsert(one, context, []);
  return { dataDir, store };
}

const ofRule = (file: string): Detection => {
  const one = detection(file);
  return { ...one, rule: { ...one.rule, id: ruleIn(file) } };
};
/** What a first installation that is taken back makes: its canary, and that it is taken back. */
const own = [ofRule('launchwarden-canary-failed'), ofRule('launchwarden-job-taken-away')];

test('data of a first installation that hold nothing but its canary are removed, others stay', () => {
  const { discard } = installParts.databases;
  const none = dataWith();
  // An agent that still has it open.
  expect([discard(none.dataDir), existsSync(none.dataDir)]).toEqual([false, true]);
  none.store.close();
  expect([discard(none.dataDir), existsSync(none.dataDir)]).toEqual([true, false]);
  const canary = dataWith(...own);
  canary.store.close();
  expect([discard(canary.dataDir), existsSync(canary.dataDir)]).toEqual([true, false]);
  const other = dataWith(...own, detection('other'));
  other.store.close();
  expect([discard(other.dataDir), existsSync(other.dataDir)]).toEqual([false, true]);
}, 30_000);
