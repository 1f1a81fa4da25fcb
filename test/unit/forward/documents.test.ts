import { isIP } from 'node:net';
import { describe, expect, test } from 'vitest';
import { parseTime } from '../../../src/base/time.js';
import { alertDocument } from '../../../src/event/alert.js';
import type { EcsDocument } from '../../../src/event/document.js';
import { allFields } from '../../../src/event/fields.js';
import { elasticAssets, gapDocument, heartbeatDocument, lossDocument } from '../../../src/forward/index.js';
import { slimDocument } from '../../../src/forward/slim.js';
import { hostile } from '../../contract/receivers/items.js';
import {
  candidate,
  context,
  detection,
  fileEvent,
  processEvent,
  sampleRule,
  start,
  temporaryStore,
} from '../store/samples.js';

const status = { version: '0.1.0', agentId: 'agent-1', simulated: false, host: { id: 'h', name: 'mac' } };

/** A document with everything in it that any stage fills. */
function fullAlert(): EcsDocument {
  const file = fileEvent('f', {
    inode: '12',
    mode: '0644',
    uid: '0',
    gid: '0',
    owner: 'root',
    ctime: '2026-11-22T05:40:00.000000Z',
    mtime: '2026-11-22T05:40:00.000000Z',
    created: '2026-11-22T05:40:00.000000Z',
    hash: { sha256: 'ab' },
    Ext: { original: { path: '/x' } },
  });
  file.doc.Persistence = { name: 'x', path: '/x', args: ['a'], runatload: true, keepalive: false };
  file.doc.launchwarden = {
    sensor: { kind: 'file-watch', precision: 'interval', not_before: '2026-11-22T05:40:00.000000Z' },
    findings: ['hidden-name'],
    plist: {
      format: 'xml',
      label: 'x',
      program_arguments: ['a'],
      run_at_load: true,
      triggers: ['WatchPaths'],
      json: '{}',
      code_signature: {
        exists: true,
        trusted: false,
        status: 'ad hoc',
        signing_id: 'x',
        team_id: 'ABCDE12345',
        subject_name: 'Example',
      },
    },
  };
  const load = processEvent('p');
  load.doc.process = {
    ...load.doc.process,
    start: '2026-11-22T05:40:00.000000Z',
    code_signature: { exists: true },
    parent: { pid: 1 },
  };
  load.doc.host = { ...load.doc.host, ip: ['10.0.0.1', 'fe80::1'] };
  const threat = [
    {
      framework: 'MITRE ATT&CK',
      tactic: { id: 'TA0003', name: 'Persistence', reference: 'https://x' },
      technique: [
        {
          id: 'T1543',
          name: 'x',
          reference: 'https://x',
          subtechnique: [{ id: 'T1543.001', name: 'y', reference: 'https://y' }],
        },
      ],
    },
  ];
  const rule = {
    ...sampleRule('high'),
    threat,
    references: ['https://x', 'https://y'],
    note: 'n',
    setup: 's',
  };
  const found = detection('full', {
    rule,
    events: [file, load],
    candidates: [candidate(file), candidate(fileEvent('other'), false)],
  });
  const { alerts } = temporaryStore();
  return alerts.upsert(found, context, []).alert.doc;
}

const gap = {
  sensor: 'file-watch',
  reason: 'dropped',
  from: start,
  to: start + 1,
  lost: 3,
  detail: 'x',
} as const;
const losses = { destination: 'siem', dead: 1, evictedAlerts: 2, evictedEvents: 3, deadIds: ['a'] };
const beat = {
  chain: { id: 'i', length: 3, digest: 'h' },
  next: 0,
  health: { sensors: ['file-watch'], rules: 2, ok: true },
};
const read = ({ body }: { body: string }) => JSON.parse(body) as EcsDocument;
const documents: Record<string, () => EcsDocument> = {
  alert: fullAlert,
  gap: () => read(gapDocument(gap, start, status)),
  loss: () => read(lossDocument(losses, start, status)),
  heartbeat: () => read(heartbeatDocument(beat, start, status)),
};

function leaves(value: unknown, path = ''): [string, unknown][] {
  if (Array.isArray(value)) return value.flatMap((one) => leaves(one, path));
  if (typeof value !== 'object' || value === null) return [[path, value]];
  return Object.entries(value).flatMap(([key, one]) => leaves(one, path === '' ? key : `${path}.${key}`));
}

const isDate = (value: unknown) => typeof value === 'string' && parseTime(value) !== undefined;
const isNumber = (value: unknown) => typeof value === 'number';

/**
 * What Elasticsearch's `ecs@mappings` makes of a field by the look of its name (elastic/elasticsearch,
 * x-pack/plugin/core/template-resources/src/main/resources/ecs@mappings.json): a value of another type is refused with 400.
 */
const traps: [string, RegExp, (value: unknown) => boolean][] = [
  ['an address', /(^|[._])ip$/, (value) => typeof value === 'string' && isIP(value) !== 0],
  ['a point on the map', /(^|\.)location$|geo_point/, () => false],
  [
    'a date',
    /(^|[._@])timestamp$|\.(created|start|end|accessed|ctime|mtime|not_before|not_after|first_seen|last_seen|ingested|modified_at|indexed|creation_date)$/,
    isDate,
  ],
  ['a number', /_score(\.|$)|\.score\.|_score_norm|\.usage$/, isNumber],
  ['a structure', /structured_data$/, () => false],
];

describe.each(Object.entries(documents))('a document of kind %s', (kind, make) => {
  test('falls into none of the traps of Elastic’s mappings', () => {
    const wrong = leaves(make()).flatMap(([path, value]) =>
      traps
        .filter(([, name, fits]) => name.test(path) && !fits(value))
        .map(([trap]) => `${path} would be ${trap}: ${value}`),
    );
    expect(wrong).toEqual([]);
  });

  test('has every field of ours in the template that we ship', () => {
    const template = elasticAssets().find(({ path }) => path.includes('_component_template'))?.body as {
      template: { mappings: { properties: Record<string, unknown> } };
    };
    type Mapping = { enabled?: boolean; properties?: Record<string, Mapping> };
    const known = (keys: readonly string[]): boolean => {
      let mapping: Mapping | undefined = {
        properties: template.template.mappings.properties as Record<string, Mapping>,
      };
      for (const key of keys) {
        if (mapping?.enabled === false) return true;
        mapping = mapping?.properties?.[key];
      }
      return mapping !== undefined;
    };
    const ours = leaves(make())
      .map(([path]) => path)
      .filter((path) => path.startsWith('launchwarden.'));
    expect(ours.length).toBeGreaterThan(2);
    expect([...new Set(ours.filter((path) => !known(path.split('.'))))]).toEqual([]);
  });

  test('is what Elastic’s External Alerts rule reads, or nothing of that kind', () => {
    const doc = make();
    expect(doc.event).toMatchObject({
      module: 'launchwarden',
      dataset: expect.stringMatching(/^launchwarden\.\w+$/),
    });
    expect((doc['data_stream'] as { dataset: string }).dataset).toBe(doc.event?.dataset);
    if (kind !== 'alert') {
      expect(doc.event?.kind).not.toBe('alert');
      return;
    }
    expect(doc).toMatchObject({
      message: 'A high rule',
      event: {
        kind: 'alert',
        severity: 73,
        risk_score: 73,
        id: expect.any(String),
        created: expect.any(String),
      },
      rule: { id: 'rule-high', uuid: 'rule-high', name: 'A high rule', version: '1' },
      threat: {
        tactic: { id: ['TA0003'] },
        technique: { id: ['T1543'], subtechnique: { id: ['T1543.001'] } },
      },
    });
  });
});

test('the registry of event fields falls into no trap either', () => {
  const wrong = allFields().flatMap(({ name, type }) =>
    traps
      .filter(([, pattern]) => pattern.test(name))
      .filter(
        ([trap]) =>
          !(trap === 'a date' && type === 'date') &&
          !(trap === 'an address' && type === 'ip') &&
          !(trap === 'a number' && type === 'long'),
      )
      .map(([trap]) => `${name} (${type}) would be ${trap}`),
  );
  expect(wrong).toEqual([]);
});

test('the pipeline notes the arrival, and the template stands above the built-in one', () => {
  const assets = elasticAssets();
  expect(assets.map(({ path }) => path)).toEqual([
    '/_ingest/pipeline/logs-launchwarden',
    '/_component_template/logs-launchwarden@mappings',
    '/_index_template/logs-launchwarden',
  ]);
  expect(JSON.stringify(assets[0]?.body)).toContain('event.ingested');
  expect(assets[2]?.body['priority']).toBeGreaterThan(100);
});

test('a document is cut down to any size, its bulk first, and says so', () => {
  const file = fileEvent('f', { path: `/${hostile.repeat(50)}`, name: hostile });
  const load = processEvent('p');
  load.doc.process = {
    ...load.doc.process,
    args: Array.from({ length: 500 }, () => hostile),
    command_line: hostile.repeat(500),
  };
  const rule = { ...sampleRule(), note: 'n'.repeat(20_000), query: 'q'.repeat(5_000) };
  const doc = alertDocument(
    detection('big', { rule, events: [file, load], candidates: [candidate(file)] }),
    context,
  );
  const size = (one: EcsDocument) => Buffer.byteLength(JSON.stringify(one));
  expect(slimDocument(doc, size(doc))).toBe(doc);
  for (const limit of [60_000, 16_000, 8_000, 4_000, 2_500]) {
    const small = slimDocument(doc, limit);
    expect(size(small)).toBeLessThanOrEqual(limit);
    expect(small.launchwarden?.['truncated']).toBe(true);
    expect(small.event?.id).toBe(doc.event?.id);
    expect((small['rule'] as { name: string }).name).toBe('A low rule');
  }
  expect(slimDocument(doc, 30_000)['Events']).toBeDefined();
});
