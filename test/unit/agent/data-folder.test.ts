import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DataFolderWatch } from '../../../src/agent/data-folder.js';
import { ManualClock } from '../../helpers/manual-clock.js';

let base: string;
let dataDir: string;
let clock: ManualClock;
let lost: string[];

const fill = () => {
  mkdirSync(dataDir, { mode: 0o700 });
  for (const name of ['launchwarden.db', 'events.db']) writeFileSync(path.join(dataDir, name), '');
};

beforeEach(() => {
  base = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-data-'));
  dataDir = path.join(base, 'data');
  fill();
  clock = new ManualClock();
  lost = [];
  new DataFolderWatch(dataDir, clock, (detail) => lost.push(detail));
});

afterEach(() => rmSync(base, { recursive: true, force: true }));

test('a folder that stays is no event, whatever is written to it', () => {
  clock.pass(5_000);
  writeFileSync(path.join(dataDir, 'launchwarden.db'), 'more');
  writeFileSync(path.join(dataDir, 'other'), '');
  clock.pass(5_000);
  expect(lost).toEqual([]);
});

test.each<[string, () => void, RegExp]>([
  ['removed', () => rmSync(dataDir, { recursive: true }), /data is gone$/],
  ['renamed', () => renameSync(dataDir, `${dataDir}.old`), /data is gone$/],
  [
    'exchanged',
    () => {
      renameSync(dataDir, `${dataDir}.old`);
      fill();
    },
    /data was replaced$/,
  ],
  ['without its alerts', () => rmSync(path.join(dataDir, 'launchwarden.db')), /launchwarden\.db is gone$/],
])('a folder that was %s is told once', (_, act, message) => {
  act();
  clock.pass(10_000);
  expect(lost).toEqual([expect.stringMatching(message)]);
});

test('a file that the agent itself has put in the place of a damaged one is no loss, one taken afterwards is', () => {
  let generation = 0;
  const told: string[] = [];
  new DataFolderWatch(
    dataDir,
    clock,
    (detail) => told.push(detail),
    () => generation,
  );
  const file = path.join(dataDir, 'launchwarden.db');
  renameSync(file, `${file}.damaged-1`);
  writeFileSync(file, 'new');
  generation++;
  clock.pass(5_000);
  expect(told).toEqual([]);
  rmSync(file);
  clock.pass(5_000);
  expect(told).toEqual([expect.stringMatching(/launchwarden\.db is gone$/)]);
});
