import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { cli, documents, tempFolder } from '../../helpers/run-cli.js';

const rule = (query: string) => `[rule]
rule_id = "11111111-0000-4000-8000-000000000001"
name = "x"
description = "x"
author = ["x"]
license = "x"
type = "eql"
language = "eql"
severity = "low"
risk_score = 21
query = '''${query}'''
`;

const pair =
  'sequence by host.id with maxspan=1m [file where file.size > 10] [process where process.name == "launchctl"]';

interface Shown {
  readonly doc: { readonly Events: { readonly event: { id: string }; readonly file?: { size: number } }[] };
}

async function replay(query: string, events: readonly object[], folder = tempFolder()): Promise<string> {
  mkdirSync(path.join(folder, 'rules'), { recursive: true });
  const [input, rules] = [path.join(folder, 'capture.ndjson'), path.join(folder, 'rules', 'x.toml')];
  writeFileSync(rules, rule(query));
  writeFileSync(input, events.map((event) => JSON.stringify(event)).join('\n'));
  const { code, stdout } = await cli(['replay', '--input', input, '--rules', rules, '--json']);
  expect(code).toBe(0);
  return stdout;
}

const shown = (stdout: string) =>
  (documents(stdout) as unknown as Shown[]).map(({ doc: { Events } }) =>
    Events.map(({ event, file }) => (file === undefined ? event.id : `${event.id} ${file.size}`)).join(', '),
  );

const at = (second: number, hour = 9) =>
  `2026-11-22T${String(hour).padStart(2, '0')}:00:${String(second).padStart(2, '0')}.000Z`;
const host = { id: 'mac-1' };
const file = (second: number, size: number, more: object = {}) => ({
  '@timestamp': at(second),
  event: { id: 'f', category: ['file'], type: ['change'] },
  host,
  file: { path: '/Library/LaunchAgents/x.plist', size },
  ...more,
});
const load = (timestamp: string, more: object = {}) => ({
  '@timestamp': timestamp,
  event: { id: 'p', category: ['process'], type: ['start'] },
  host,
  process: { name: 'launchctl', args: ['launchctl', 'load', '/Library/LaunchAgents/x.plist'] },
  ...more,
});

test('of two documents with one event id the later is a revision: judged at its event, told once', async () => {
  const [empty, grown, loaded] = [file(0, 0), file(0, 20), load(at(1))];
  for (const events of [
    [empty, grown, loaded],
    [empty, loaded, grown],
    [empty, loaded, load(at(50), { event: { id: 'q', category: ['process'] } }), grown],
  ]) {
    const folder = tempFolder();
    const stdout = await replay(pair, events, folder);
    expect(shown(stdout)).toEqual(['f 20, p']);
    expect(await replay(pair, events, folder)).toBe(stdout);
  }
  expect(shown(await replay('file where file.size == 0', [empty, grown]))).toEqual(['f 20']);
  expect(shown(await replay('file where not file.size > 10', [empty, grown, grown]))).toEqual(['f 20']);
  expect(shown(await replay('file where true', [empty, grown, loaded]))).toEqual(['f 20']);
});

test('the steps of the clock that an event carries count: the distance is that of the steady clock', async () => {
  const clock = { launchwarden: { clock: { shift: 3 * 3_600_000_000 } } };
  expect(shown(await replay(pair, [file(0, 20), load(at(30, 12), clock)]))).toEqual(['f 20, p']);
  expect(shown(await replay(pair, [file(0, 20), load(at(30, 12))]))).toEqual([]);
  for (const shift of ['10800000000', 1e300, null, {}])
    expect(
      shown(await replay(pair, [file(0, 20), load(at(30), { launchwarden: { clock: { shift } } })])),
    ).toEqual(['f 20, p']);
});
