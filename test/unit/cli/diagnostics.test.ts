import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { ControlServer } from '../../../src/agent/control.js';
import { silentLogger } from '../../../src/base/log.js';
import { Cleaner, logLines } from '../../../src/cli/diagnostics-text.js';
import { cli, documents, tempFolder } from '../../helpers/run-cli.js';
import { detection, storedAlerts } from './alert-fixture.js';

/** The files of a .tar.gz, by their base names. */
function unpacked(file: string): Map<string, string> {
  const bytes = gunzipSync(readFileSync(file));
  const files = new Map<string, string>();
  for (let at = 0; bytes[at] !== 0 && at < bytes.length; ) {
    const text = (from: number, length: number) =>
      bytes.toString('latin1', at + from, at + from + length).replace(/\0.*$/s, '');
    const size = Number.parseInt(text(124, 12), 8);
    files.set(path.basename(text(0, 100)), bytes.toString('utf8', at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

const config = `
[log]
file = "agent.log"
[[destination]]
name = "siem"
type = "elasticsearch"
url = "https://siem.corp.example:9200"
user = "writer"
password = "env:SIEM_PASSWORD"
[policy]
url = "https://bucket.corp.example/policy?sig=0123456789"
public_key = "${'A'.repeat(43)}="
proxy = "http://proxy.corp.example:3128"
`;

async function bundle(prepare: (folder: string) => void = () => {}, status?: object) {
  const folder = tempFolder();
  const dataDir = storedAlerts([detection()]);
  mkdirSync(path.join(folder, 'mac/Users/maryann'), { recursive: true });
  writeFileSync(path.join(folder, 'config.toml'), config);
  writeFileSync(path.join(folder, 'agent.log'), '');
  prepare(folder);
  const daemon =
    status === undefined
      ? undefined
      : await ControlServer.listen(dataDir, { status: () => status }, silentLogger);
  const flags = ['--root', 'mac', '--config', 'config.toml', '--data-dir', dataDir];
  const run = await cli(['diagnostics', '--output', 'out.tar.gz', '--json', ...flags], { cwd: folder });
  await daemon?.close();
  expect(run.stderr).toBe('');
  expect(run.code).toBe(0);
  const output = path.join(folder, 'out.tar.gz');
  return { files: unpacked(output), output, document: documents(run.stdout)[0] ?? {}, folder, flags };
}

test('it holds what helps, and neither alerts, secrets, names nor receivers', async () => {
  const log = [
    { level: 'info', time: 't', msg: 'ready', data_dir: '/Users/maryann/data' },
    {
      level: 'warn',
      time: 't',
      msg: 'alert',
      alert: 'abc',
      rule: 'Bad thing',
      path: '/Library/LaunchAgents/evil.plist',
      severity: 'high',
    },
    {
      level: 'error',
      time: 't',
      stage: 'forward',
      msg: 'https://maryann:hunter22@siem.corp.example:9200/x?token=abc refused, Bearer abcdef123456',
    },
  ];
  const status = {
    verdict: 'degraded',
    reasons: ['destination siem is refused: siem.corp.example says no'],
    last_alert: { id: 'abc', at: '2026-01-01T00:00:00Z', rule: 'Bad thing' },
  };
  const { files, output, document } = await bundle((folder) => {
    const text = log.map((one) => JSON.stringify(one)).join('\n');
    writeFileSync(path.join(folder, 'agent.log'), `${text}\nnot json\n`);
  }, status);
  expect(statSync(output).mode & 0o777).toBe(0o600);
  expect([...files.keys()]).toEqual([
    'versions.json',
    'settings.json',
    'doctor.json',
    'status.json',
    'counts.json',
    'gaps.json',
    'agent.log',
    'left-out.json',
  ]);
  const all = [...files.values()].join('\n');
  for (const hidden of [
    'maryann',
    'hunter22',
    'siem.corp.example',
    'bucket.corp.example',
    'proxy.corp.example',
    '0123456789',
    'abcdef123456',
    'token=abc',
    'evil.plist',
    'Bad thing',
    'writer',
  ])
    expect(all, hidden).not.toContain(hidden);
  for (const text of ['"ready"', '/Users/<user>/data', '<receiver>', '"severity":"high"'])
    expect(all).toContain(text);
  expect(files.get('settings.json')).not.toContain('SIEM_PASSWORD');
  expect(files.get('doctor.json')).toContain('"data-folder"');
  // The fixture's alert is counted and not told.
  expect(files.get('counts.json')).toContain('"alerts"');
  expect(document).toMatchObject({ schema: 'launchwarden.diagnostics/1' });
  expect(document['left_out']).toContainEqual({ what: 'agent.log', why: '1 line that is no JSON' });
});

test('without an agent and with a broken configuration there is a bundle all the same', async () => {
  const { files, document } = await bundle((folder) =>
    writeFileSync(path.join(folder, 'config.toml'), 'x = = 1\n'),
  );
  expect(files.has('doctor.json')).toBe(true);
  expect(document['left_out']).toContainEqual({ what: 'status.json', why: 'no agent runs' });
  expect(JSON.stringify(document['left_out'])).toContain('settings.json');
});

test('an existing file is never written over', async () => {
  const { folder, flags, output } = await bundle();
  const before = readFileSync(output);
  const again = await cli(['diagnostics', '--output', 'out.tar.gz', ...flags], { cwd: folder });
  expect(again.code).toBe(2);
  expect(again.stderr).toContain('[diagnostics/exists]');
  expect(readFileSync(output).equals(before)).toBe(true);
  expect(existsSync(output)).toBe(true);
});

test('lines about alerts lose what they are about; others are cleaned', () => {
  const cleaner = new Cleaner({ people: ['maryann'], hosts: ['macbook'], receivers: [] });
  const { lines, left } = logLines(
    ['{"msg":"alert","rule":"R","path":"/x","severity":"low"}', '{"msg":"from macbook"}', '{', ''].join('\n'),
    cleaner,
  );
  expect(lines).toBe('{"msg":"alert","severity":"low"}\n{"msg":"from <host>"}\n');
  expect(left).toBe(1);
});
