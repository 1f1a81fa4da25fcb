import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { AlertScan } from '../../../src/agent/alert-scan.js';
import { silentLogger } from '../../../src/base/log.js';
import { RootMap } from '../../../src/base/root.js';
import type { Alert } from '../../../src/event/alert.js';
import type { EcsDocument } from '../../../src/event/document.js';
import type { Event } from '../../../src/event/event.js';
import { priorityOf } from '../../../src/event/priority.js';
import { amendedDocument } from '../../../src/store/alert-growth.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { tempFolder } from '../../helpers/run-cli.js';

// Compiling WebAssembly takes its time on a machine that has none to spare.
vi.setConfig({ testTimeout: 60_000 });

const program = 'OUR-MARKER';

function rig(settings: { yara?: string; hashes?: string }) {
  const folder = tempFolder();
  mkdirSync(path.join(folder, 'mac/usr/local/bin'), { recursive: true });
  writeFileSync(path.join(folder, 'mac/usr/local/bin/x'), program);
  const put = (name: string, text: string | undefined) => {
    if (text === undefined) return [];
    writeFileSync(path.join(folder, name), text);
    return [path.join(folder, name)];
  };
  const doc: EcsDocument = {
    event: { id: 'e1' },
    file: { path: '/Library/LaunchDaemons/x.plist', type: 'file', hash: { sha256: 'aa' } },
    launchwarden: { plist: { runs: ['/usr/local/bin/x'] }, findings: ['no-label'] },
  };
  const events = new Map<string, Event>([['e1', { id: 'e1', time: 1, nanos: 0, sequence: 1, doc }]]);
  const amended: Event[] = [];
  const scan = new AlertScan({
    events: { get: (id: string) => events.get(id) },
    settings: {
      alerts: true,
      yara: put('a.yar', settings.yara),
      hashes: put('h.txt', settings.hashes),
      maxFileBytes: 1_000_000,
      memoryBytes: 256 * 2 ** 20,
      fileMs: 10_000,
    },
    root: new RootMap(path.join(folder, 'mac')),
    clock: new ManualClock(),
    log: silentLogger,
    amend(event) {
      events.set(event.id, event);
      amended.push(event);
      scan.amended(event);
    },
  });
  onTestFinished(() => scan.stop());
  const alert = {
    doc: {
      ...doc,
      launchwarden: { ...doc.launchwarden, alert: { file_event_id: 'e1', severity: 'low', candidates: [] } },
      Events: [doc],
    },
  } as unknown as Alert;
  return { scan, alert, amended };
}

test('what an alert is about is scanned once, and a match grows the alert and its priority', async () => {
  const { scan, alert, amended } = rig({
    yara: 'rule Ours { strings: $a = "OUR-MARKER" condition: $a }',
    hashes: `${createHash('sha256').update(program).digest('hex')} ours\n`,
  });
  // Committed before the rules are ready: it waits.
  scan.committed([alert]);
  await scan.load();
  await vi.waitFor(() => expect(amended).toHaveLength(1), 40_000);
  expect(amended[0]?.doc.launchwarden).toMatchObject({
    findings: ['no-label', 'known-bad-hash', 'yara-match'],
    scan: { matched: ['/usr/local/bin/x'], yara: ['Ours'], listed: ['ours'] },
  });
  const grown = amendedDocument(alert.doc, amended[0] as Event);
  expect(grown?.launchwarden?.scan).toMatchObject({ yara: ['Ours'] });
  expect(priorityOf('low', grown as EcsDocument).level).toBe('critical');
  scan.committed([alert]);
  await vi.waitFor(() => expect(scan.status()).toMatchObject({ scanned: 1, matched: 1 }), 10_000);
  expect(amended).toHaveLength(1);
});

test('rules that cannot be used are said, and the others are used', async () => {
  const { scan } = rig({ yara: 'rule Bad { condition: nothing }', hashes: `${'a'.repeat(64)}\n` });
  await scan.load();
  expect(scan.trouble).toContain('a.yar:1');
  expect(scan.status()).toMatchObject({ hashes: 1, yara: 0 });
});

test('without lists and rules nothing is scanned, and nothing is wrong', async () => {
  const { scan, alert, amended } = rig({});
  await scan.load();
  scan.committed([alert]);
  expect(scan.trouble).toBeUndefined();
  expect(scan.status()).toHaveProperty('off');
  expect(amended).toEqual([]);
});
