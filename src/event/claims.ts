import type { SensorKind } from './event.js';

/**
 * What the events of each sensor can carry, by category and action: `test/unit/event/claims.test.ts` holds it against
 * documents that every sensor made. Field names without their common beginning: `process: 'pid name'`.
 */

type Names = readonly string[];

/** Every name below `prefix`. */
function below(prefix: string, names: string): Names {
  return names.split(' ').map((name) => `${prefix}.${name}`);
}

const always: Names = [
  ...['@timestamp', 'message', 'ecs.version', 'labels.launchwarden_simulated'],
  ...below('agent', 'id type version'),
  ...below('data_stream', 'dataset namespace type'),
  ...below('event', 'action category created dataset id kind module outcome sequence type'),
  ...below('host', 'architecture hostname id ip mac name'),
  ...below('host.os', 'Ext.variant family full kernel name platform type version'),
  ...below('launchwarden.sensor', 'kind precision'),
];

const user: Names = ['user.id', 'user.name', 'user.Ext.real.id', 'group.id', 'group.name'];
const signature = 'exists trusted status signing_id team_id';
const started: Names = below('process', 'args args_count command_line working_directory');
const cut: Names = [
  'process.Ext.command_line_truncated',
  ...below('launchwarden.process', 'args_cut args_omitted args_shortened'),
];
const named: Names = below('launchwarden.process.named_files', 'path resolved inode state');
const previous: Names = below('process.previous', 'entity_id executable');
const call: Names = below('launchwarden.launchctl', 'by verb effect labels paths outside missing');
const parent: Names = [
  ...below('process.parent', 'pid entity_id name executable args args_count command_line'),
  ...below('process.parent.previous', 'entity_id executable'),
];

/** A process in a message of EndpointSecurity: who did it, or who began. */
const actor: Names = [
  ...user,
  ...below('process', 'pid entity_id name executable start group_leader.pid session_leader.pid Ext.ancestry'),
  ...below('process.code_signature', signature),
  ...parent,
  ...below('process.parent.code_signature', signature),
];
const effectiveParent: Names = below('process.Ext.effective_parent', 'entity_id executable name pid');
const begun: Names = [...actor, ...started, ...effectiveParent];

/** A process as a scanner reads it. */
const scanned: Names = [
  ...user,
  'group.Ext.real.id',
  ...below('process', 'pid entity_id name executable start group_leader.pid session_leader.pid Ext.ancestry'),
  ...started,
  ...cut,
  ...parent,
  ...below('launchwarden.sensor', 'not_before name_inexact reason'),
];

const written: Names = [
  ...actor,
  ...previous,
  'process.command_line',
  ...below('Effective_process', 'entity_id executable name pid'),
];
const place: Names = below('file', 'path name extension');
const stat: Names = below('file', 'size inode type mode uid gid owner group ctime');
const content: Names = below('file', 'hash.sha256 Ext.header_bytes');
const original: Names = below('file.Ext.original', 'path extension');
/** Of the item that a path belongs to, and of what its file holds. */
const owned: Names = below('launchwarden.persistence', 'mechanism item_id path techniques');
const entries: Names = below('launchwarden.persistence', 'label runs when as enabled entries');
const item: Names = [
  'launchwarden.findings',
  ...below(
    'launchwarden.plist',
    'format label program program_arguments run_at_load keep_alive disabled user_name',
  ),
  ...below('launchwarden.plist', 'triggers json runs own_code will_load obstacles'),
  ...below('launchwarden.plist', 'keep_alive_if session_types watch_paths start_interval'),
  ...owned,
  ...entries,
];
const persistence: Names = below('Persistence', 'name path args runatload keepalive');
const times: Names = below('file', 'created mtime');

type Events = Readonly<Record<string, Names>>;

/** EndpointSecurity, whichever way its messages come. */
const system: Events = {
  'process exec': [...begun, ...previous, ...cut, ...named, ...call, 'process.Ext.script.path'],
  'process fork': begun,
  'process end': [...begun, 'process.exit_code'],
  'file modification': [...written, ...place, ...stat, ...content, ...item],
  'file rename': [...written, ...place, ...stat, ...content, ...item, ...original],
  'file clone': [...written, ...place, ...stat, ...content, ...item],
  'file deletion': [...written, ...place, ...stat, ...owned],
  'file extended_attributes_delete': [
    ...written,
    ...place,
    ...stat,
    'file.attributes',
    'launchwarden.findings',
    ...owned,
  ],
  'file mount': [...written, ...below('file', 'path name'), 'file.Ext.original.path'],
  'file launch_daemon': [...written, ...persistence, ...item, 'launchwarden.sensor.reason'],
  // macOS 27 and later.
  'configuration job_runs': [...written, ...below('launchwarden.job', 'service pid')],
};

const target: Names = below('launchwarden.target', 'gid mode type uid');
const watched: Names = [...place, ...stat, ...times];

const job: Names = [
  'launchwarden.sensor.reason',
  ...owned,
  ...below('launchwarden.job', 'label domain plist_path path program state pid runs last_exit type'),
];

const claims: Readonly<Partial<Record<SensorKind, Events>>> = {
  'endpoint-security': {
    ...system,
    // Of the watched folders alone; eslogger would tell of every file that anybody opens.
    'file open': [...written, ...place, ...stat, ...owned, 'launchwarden.findings'],
  },
  eslogger: system,
  'process-scan': {
    'process exec': [...scanned, ...previous, ...named, ...call],
    'process fork': [...scanned],
  },
  'file-watch': {
    'file modification': [
      ...watched,
      ...content,
      ...item,
      ...target,
      'file.target_path',
      'launchwarden.sensor.not_before',
      ...below('launchwarden.program', 'of labels items'),
    ],
    'file rename': [...watched, ...content, ...item, ...original],
    'file deletion': [...watched, ...owned, 'launchwarden.sensor.not_before'],
    'file launch_daemon': [...persistence, ...item, ...target],
  },
  'launchd-state': {
    'configuration loaded': [...job, 'launchwarden.sensor.not_before'],
    'configuration found': job,
  },
  agent: {
    'configuration sight_lost': below('launchwarden.gap', 'sensor reason detail from to'),
    'configuration canary_failed': below('launchwarden.gap', 'sensor reason detail from to'),
  },
};

const types: Readonly<Record<string, readonly string[]>> = {
  'process exec': ['start'],
  'process fork': ['start'],
  'process end': ['end'],
  'file open': ['access'],
  'file deletion': ['deletion'],
  'file extended_attributes_delete': ['deletion'],
  'configuration found': ['info'],
  'configuration job_runs': ['info'],
};

/** `event.type` of the events `category action`. */
export function typesOf(event: string): readonly string[] {
  return types[event] ?? ['change'];
}

const sets = new Map<SensorKind, ReadonlyMap<string, ReadonlySet<string>>>(
  (Object.keys(claims) as SensorKind[]).map((kind) => [
    kind,
    new Map(
      Object.entries(claims[kind] ?? {}).map(([event, names]) => [event, new Set([...always, ...names])]),
    ),
  ]),
);

/** The events of a sensor, `category action`, and the fields that each can carry. Empty for captures. */
export function claimsOf(kind: SensorKind): ReadonlyMap<string, ReadonlySet<string>> {
  return sets.get(kind) ?? new Map();
}

/** The sensors that fill a field, and on which events. */
export function fillersOf(field: string): Readonly<Partial<Record<SensorKind, readonly string[]>>> {
  const found: Partial<Record<SensorKind, readonly string[]>> = {};
  for (const [kind, events] of sets) {
    const names = [...events].filter(([, fields]) => fields.has(field)).map(([event]) => event);
    if (names.length > 0) found[kind] = names;
  }
  return found;
}
