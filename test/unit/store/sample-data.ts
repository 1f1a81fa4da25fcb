import { formatMicros, type Micros } from '../../../src/base/time.js';
import type { AlertContext, Candidate, Detection } from '../../../src/event/alert.js';
import type { EcsDocument } from '../../../src/event/document.js';
import type { Event } from '../../../src/event/event.js';
import { alertId } from '../../../src/event/ids.js';
import type { RuleMeta, Severity } from '../../../src/event/rule-meta.js';

export const start: Micros = Date.UTC(2026, 10, 22, 5, 40) * 1000;

export function sampleRule(severity: Severity = 'low'): RuleMeta {
  return {
    id: `rule-${severity}`,
    name: `A ${severity} rule`,
    description: 'Something made itself permanent.',
    type: 'eql',
    language: 'eql',
    severity,
    riskScore: { low: 21, medium: 47, high: 73, critical: 99 }[severity],
    version: 1,
    author: ['launchwarden'],
    license: 'Apache-2.0',
    tags: ['macOS'],
    references: ['https://example.org/rule'],
    falsePositives: [],
    threat: [],
    note: '',
    setup: '',
    interval: '5m',
    from: 'now-9m',
    maxSignals: 100,
    file: 'builtin/sample.toml',
    query: 'file where true',
  };
}

export function fileEvent(id: string, extra: EcsDocument['file'] = {}, time = start): Event {
  const file = { path: `/Users/alice/Library/LaunchAgents/${id}.plist`, name: `${id}.plist`, ...extra };
  return {
    id,
    time,
    nanos: 0,
    sequence: 1,
    doc: {
      '@timestamp': formatMicros(time),
      event: { id, kind: 'event', category: ['file'], type: ['change'], action: 'modification' },
      host: { id: 'host-1', os: { type: 'macos' } },
      file,
    },
  };
}

export function processEvent(id: string, time = start + 1000): Event {
  return {
    id,
    time,
    nanos: 0,
    sequence: 2,
    doc: {
      '@timestamp': formatMicros(time),
      event: { id, kind: 'event', category: ['process'], type: ['start'], action: 'exec' },
      host: { id: 'host-1', os: { type: 'macos' } },
      process: { pid: 7, name: 'launchctl', executable: '/bin/launchctl', args: ['launchctl', 'load', 'x'] },
    },
  };
}

export function candidate(event: Event, named = true): Candidate {
  return { event, named, link: named ? 'path' : 'window' };
}

export function detection(name: string, extra: Partial<Detection> = {}): Detection {
  const events = extra.events ?? [fileEvent(`f-${name}`), processEvent(`p-${name}`)];
  const rule = extra.rule ?? sampleRule();
  return {
    id: alertId(
      rule.id,
      events.map((event) => event?.id ?? null),
    ),
    rule,
    kind: 'match',
    time: start + 1000,
    events,
    joinKeys: ['alice'],
    candidates: [],
    repeats: 0,
    suppressed: 0,
    ...extra,
  };
}

export const context: AlertContext = {
  version: '0.1.0',
  agentId: 'agent-1',
  created: start + 2000,
  sensors: ['file-watch', 'process-scan'],
  simulated: false,
};
