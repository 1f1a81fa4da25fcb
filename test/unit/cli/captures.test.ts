import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { execLine } from '../../helpers/eslogger-lines.js';
import { cli, documents, tempFolder } from '../../helpers/run-cli.js';

const doc = (second: number, name: string) => ({
  '@timestamp': new Date(Date.UTC(2026, 10, 22, 9, 0, second)).toISOString(),
  event: { id: `${name}-${second}`, category: ['process'], type: ['start'], action: 'exec' },
  user: { name: 'alice' },
  process: { name, pid: second, args: [name, 'load'] },
});

function fileOf(content: string | Uint8Array): string {
  const file = path.join(tempFolder(), 'capture');
  writeFileSync(file, content);
  return file;
}

const query = 'process where process.name == "launchctl"';

test('hunt and replay read an answer of Elasticsearch, packed', async () => {
  const hits = [doc(0, 'ls'), doc(1, 'launchctl')].map((one) => ({ _source: one }));
  const file = fileOf(gzipSync(JSON.stringify({ hits: { hits } }, undefined, 2)));
  const run = await cli(['hunt', '--query', query, '--input', file, '--json']);
  expect(run).toMatchObject({ code: 0, stdout: '{"events":[1],"join_keys":[]}\n', stderr: '' });
  const stdin = await cli(['replay', '--input', file]);
  expect(stdin.code).toBe(0);
});

test("eslogger's messages are known without being told", async () => {
  const file = fileOf(
    execLine(['launchctl', 'load', '/x.plist'], { time: '2025-08-07T15:13:00.000000000Z' }),
  );
  const run = await cli([
    'hunt',
    '--query',
    'process where process.args : "load"',
    '--input',
    file,
    '--json',
    '--documents',
  ]);
  expect(run.stderr).toBe('');
  const [match] = documents(run.stdout);
  expect(match).toMatchObject({ schema: 'launchwarden.match/1', events: [0] });
  expect(match?.['documents']).toMatchObject([{ process: { args: ['launchctl', 'load', '/x.plist'] } }]);
});

test.each([
  ['<?xml version="1.0"?><!DOCTYPE plist><plist/>', 'capture/unknown-form', 'property list'],
  ['a,b,c\n1,2,3\n', 'capture/unknown-form', 'CSV'],
  ['{"event":{"id":"a"}}\n{"event":{"id":"b"}}\n', 'capture/no-time', 'none of the 2 documents'],
  [`{"@timestamp":"yesterday"}`, 'capture/no-time', 'no time that can be read'],
])('%j is an error and never "No alerts."', async (content, code, says) => {
  const file = fileOf(content);
  for (const argv of [['replay'], ['hunt', '--query', 'any where true']]) {
    const run = await cli([...argv, '--input', file]);
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).toContain(`[${code}]`);
    expect(run.stderr).toContain(says);
  }
});

test('an event without a time among others is left out and told', async () => {
  const file = fileOf(
    `${JSON.stringify(doc(0, 'launchctl'))}\n{"event":{"category":["process"]},"process":{"name":"launchctl"}}\n`,
  );
  const run = await cli(['hunt', '--query', query, '--input', file, '--json']);
  expect(run.stdout).toBe('{"events":[0],"join_keys":[]}\n');
  expect(run.stderr).toBe(
    'launchwarden: 1 event has no time that can be read (@timestamp) and was left out, the first is line 2\n',
  );
});

test('head is right on input that is not in order', async () => {
  // Far more than one batch, and what belongs to the front comes last.
  const lines = Array.from({ length: 3_000 }, (_, index) =>
    JSON.stringify({ ...doc(0, 'launchctl'), '@timestamp': 1_764_000_100 + index }),
  );
  lines.push(JSON.stringify({ ...doc(0, 'launchctl'), '@timestamp': 1_764_000_000 }));
  const run = await cli([
    'hunt',
    '--query',
    `${query} | head 2`,
    '--input',
    fileOf(lines.join('\n')),
    '--json',
  ]);
  expect(run.stdout).toBe('{"events":[3000],"join_keys":[]}\n{"events":[0],"join_keys":[]}\n');
});

test('matches of single events are a table, and more than are shown are counted', async () => {
  const file = fileOf([0, 1, 2].map((second) => JSON.stringify(doc(second, 'launchctl'))).join('\n'));
  const run = await cli(['hunt', '--query', query, '--input', file, '--limit', '2']);
  expect(run.stdout).toBe(
    'EVENT  TIME (UTC)               WHAT          USER   PROCESS        SUBJECT\n' +
      '0      2026-11-22 09:00:00.000  process exec  alice  launchctl (0)  launchctl load\n' +
      '1      2026-11-22 09:00:01.000  process exec  alice  launchctl (1)  launchctl load\n' +
      'Showing 2 of 3 matches: --limit shows more.\n',
  );
});

test('nothing found says what was searched', async () => {
  const file = fileOf([0, 1].map((second) => JSON.stringify(doc(second, 'ls'))).join('\n'));
  expect((await cli(['replay', '--input', file])).stdout).toContain('No alerts in 2 events');
  expect((await cli(['hunt', '--query', 'any where user.name == "x"', '--input', file])).stdout).toMatch(
    /^No matches in 2 events/,
  );
  expect((await cli(['replay', '--input', '-'], { stdin: '' })).stdout).toBe('No alerts in 0 events.\n');
});
