import { nearest } from '../base/nearest.js';
import type { SensorKind } from './event.js';

/** Field types as Elasticsearch maps them; `text` is for people, rules cannot match it there. */
export type FieldType = 'keyword' | 'long' | 'boolean' | 'date' | 'ip' | 'text';

/** The kinds of event that a field can stand on: which fields a document has depends on them (elastic/endpoint-package,
 * custom_documentation/doc/endpoint). */
export type EventGroup = 'file' | 'launch-item' | 'process' | 'job';

export interface FieldInfo {
  /** Dotted ECS name. */
  readonly name: string;
  readonly type: FieldType;
  readonly array: boolean;
  readonly meaning: string;
  /** Which sensors fill it, on which kinds of event. A capture holds whatever was captured and is not listed. */
  readonly filledBy: Supply;
  /** True when no real event or document has shown yet that we fill it as Elastic Defend does. */
  readonly unproven: boolean;
}

type Supply = Readonly<Partial<Record<SensorKind, readonly EventGroup[]>>>;

const all: readonly EventGroup[] = ['file', 'launch-item', 'process'];
const files: readonly EventGroup[] = ['file'];
const items: readonly EventGroup[] = ['launch-item'];
const processes: readonly EventGroup[] = ['process'];
const jobs: readonly EventGroup[] = ['job'];
const system = (groups: readonly EventGroup[]): Supply => ({ 'endpoint-security': groups, eslogger: groups });

/** Every sensor, every event. */
const always: Supply = {
  ...system(all),
  'process-scan': processes,
  'file-watch': ['file', 'launch-item'],
  'launchd-state': jobs,
};
/** The process that an event is about or that caused it: a file watcher does not know who wrote. */
const actor: Supply = { ...system(all), 'process-scan': processes };
/** Facts of a process start that its file events do not carry. */
const started: Supply = { ...system(processes), 'process-scan': processes };
const aboutFile: Supply = { ...system(files), 'file-watch': files };
const aboutItem: Supply = { ...system(items), 'file-watch': items };
/** What launchd says about a job whose launch item changed. */
const aboutJob: Supply = { 'launchd-state': jobs };
/** What a property list says stands on the file's event and on that of the launch item, which has no `file.*`. */
const plistFact: Supply = { ...system(['file', 'launch-item']), 'file-watch': ['file', 'launch-item'] };
/** What only a look at the file itself tells. */
const watched: Supply = { 'file-watch': files };
const codeSignature: Supply = system(all);
const startedSignature: Supply = system(processes);
/** Asked for when an alert exists already: no rule sees it. */
const onAlerts: Supply = {};
/** Known to rules of Elastic, filled by no sensor of ours. */
const never: Supply = {};

type Row = readonly [
  name: string,
  type: FieldType | `${FieldType}[]`,
  supply: Supply,
  meaning: string,
  mark?: '?',
];

// `?` marks what was seen neither in a real event nor in a document.
const rows: readonly Row[] = [
  ['@timestamp', 'date', always, 'When it happened'],
  ['message', 'text', always, 'What kind of event it is, in words'],
  ['ecs.version', 'keyword', always, 'Version of the Elastic Common Schema'],
  ['agent.id', 'keyword', always, 'This installation'],
  ['agent.type', 'keyword', always, 'The program that made the event'],
  ['agent.version', 'keyword', always, 'Its version'],
  ['data_stream.dataset', 'keyword', always, 'Data stream: data set'],
  ['data_stream.namespace', 'keyword', always, 'Data stream: name space'],
  ['data_stream.type', 'keyword', always, 'Data stream: kind'],

  [
    'event.action',
    'keyword',
    always,
    'What happened: modification, rename, deletion, launch_daemon, exec, loaded, ...',
  ],
  ['event.category', 'keyword[]', always, 'file, process or configuration'],
  ['event.code', 'keyword', never, "The source's own code of the event"],
  ['event.created', 'date', always, 'When it was observed'],
  ['event.dataset', 'keyword', always, 'Data set of the event'],
  ['event.id', 'keyword', always, 'Identity of the event, the same at every look'],
  ['event.kind', 'keyword', always, 'event or alert'],
  ['event.module', 'keyword', always, 'Module that made it'],
  ['event.outcome', 'keyword', always, 'success, failure or unknown'],
  ['event.sequence', 'long', always, 'Order of events with equal time'],
  ['event.severity', 'long', never, 'Severity that the source gave'],
  ['event.type', 'keyword[]', always, 'change, deletion, start, end, info'],

  ['host.architecture', 'keyword', always, 'Processor architecture'],
  ['host.hostname', 'keyword', always, 'Host name'],
  ['host.id', 'keyword', always, 'Identity of the machine'],
  ['host.ip', 'ip[]', always, 'Addresses of the machine'],
  ['host.mac', 'keyword[]', always, 'Hardware addresses of the machine'],
  ['host.name', 'keyword', always, 'Name of the machine'],
  ['host.os.Ext.variant', 'keyword', always, 'macOS'],
  ['host.os.family', 'keyword', always, 'macos'],
  ['host.os.full', 'keyword', always, 'Name and version of the system'],
  ['host.os.kernel', 'keyword', always, 'Kernel version'],
  ['host.os.name', 'keyword', always, 'macOS'],
  ['host.os.platform', 'keyword', always, 'macos'],
  ['host.os.type', 'keyword', always, 'macos'],
  ['host.os.version', 'keyword', always, 'Version of the system'],

  ['user.id', 'keyword', actor, 'Effective user id, as text'],
  ['user.name', 'keyword', actor, 'Effective user'],
  ['user.Ext.real.id', 'keyword', actor, 'Real user id, as text'],
  ['user.Ext.real.name', 'keyword', system(all), 'Real user'],
  ['group.id', 'keyword', actor, 'Effective group id, as text'],
  ['group.name', 'keyword', actor, 'Effective group'],
  ['group.Ext.real.id', 'keyword', actor, 'Real group id, as text'],
  ['group.Ext.real.name', 'keyword', system(all), 'Real group'],

  ['process.pid', 'long', actor, 'Process id'],
  ['process.entity_id', 'keyword', actor, 'One image of one process on one boot'],
  ['process.name', 'keyword', actor, 'Base name of the image that runs'],
  ['process.executable', 'keyword', actor, 'Path of the image that runs'],
  ['process.args', 'keyword[]', started, 'Arguments, the first being argv[0] as given'],
  ['process.args_count', 'long', started, 'How many arguments'],
  [
    'process.command_line',
    'keyword',
    { ...system(['file', 'process']), 'process-scan': processes },
    'Arguments joined with a space',
  ],
  ['process.working_directory', 'keyword', started, 'Working folder'],
  ['process.env_vars', 'keyword[]', system(processes), 'Environment, NAME=value'],
  ['process.start', 'date', started, 'When it was forked'],
  ['process.end', 'date', system(processes), 'When it ended'],
  ['process.exit_code', 'long', system(processes), 'Exit status'],
  ['process.interactive', 'boolean', never, 'Whether it has a terminal'],
  ['process.hash.md5', 'keyword', system(processes), 'MD5 of the image'],
  ['process.hash.sha1', 'keyword', system(processes), 'SHA-1 of the image'],
  ['process.hash.sha256', 'keyword', system(processes), 'SHA-256 of the image'],
  ['process.code_signature.exists', 'boolean', codeSignature, 'Whether the image is signed'],
  ['process.code_signature.trusted', 'boolean', codeSignature, 'Whether the signer is trusted'],
  ['process.code_signature.status', 'keyword', codeSignature, 'Result of the check', '?'],
  ['process.code_signature.signing_id', 'keyword', codeSignature, 'Signing identifier'],
  ['process.code_signature.team_id', 'keyword', codeSignature, "Team of the signer; empty for Apple's own"],
  ['process.code_signature.subject_name', 'keyword', { 'endpoint-security': all }, 'Name of the certificate'],
  ['process.group_leader.pid', 'long', started, 'Process group'],
  ['process.session_leader.pid', 'long', started, 'Session'],
  ['process.previous.executable', 'keyword', never, 'Image before the exec'],
  ['process.Ext.ancestry', 'keyword[]', actor, 'entity_id of the parent, its parent, and so on'],
  ['process.Ext.command_line_truncated', 'boolean', started, 'Whether command_line was cut'],
  ['process.Ext.script.path', 'keyword', system(processes), 'Script that an interpreter was started for'],
  ['process.Ext.script.content', 'keyword', never, 'What that script holds'],
  ['process.Ext.trusted', 'boolean', never, 'On the list of trusted applications'],
  ['process.Ext.trusted_descendant', 'boolean', never, 'Below one that is'],
  ['process.Ext.effective_parent.entity_id', 'keyword', system(processes), 'The responsible process'],
  ['process.Ext.effective_parent.executable', 'keyword', system(processes), 'Its image'],
  ['process.Ext.effective_parent.name', 'keyword', system(processes), 'Its name'],
  ['process.Ext.effective_parent.pid', 'long', system(processes), 'Its process id'],

  ['process.parent.pid', 'long', actor, 'Process id of the parent'],
  ['process.parent.entity_id', 'keyword', started, 'Image of the parent'],
  ['process.parent.name', 'keyword', started, 'Name of the parent'],
  ['process.parent.executable', 'keyword', started, 'Image path of the parent'],
  ['process.parent.args', 'keyword[]', started, 'Arguments of the parent', '?'],
  ['process.parent.args_count', 'long', started, 'How many arguments the parent has'],
  ['process.parent.command_line', 'keyword', started, 'Arguments of the parent joined with a space'],
  ['process.parent.code_signature.exists', 'boolean', startedSignature, 'Whether the parent is signed'],
  [
    'process.parent.code_signature.trusted',
    'boolean',
    startedSignature,
    "Whether the parent's signer is trusted",
  ],
  ['process.parent.code_signature.status', 'keyword', startedSignature, 'Result of the check', '?'],
  [
    'process.parent.code_signature.signing_id',
    'keyword',
    startedSignature,
    "The parent's signing identifier",
  ],
  ['process.parent.code_signature.team_id', 'keyword', startedSignature, "Team of the parent's signer"],
  [
    'process.parent.code_signature.subject_name',
    'keyword',
    { 'endpoint-security': processes },
    "The parent's certificate",
  ],

  [
    'Effective_process.entity_id',
    'keyword',
    system(['file', 'launch-item']),
    'The process responsible for a file event',
  ],
  ['Effective_process.executable', 'keyword', system(['file', 'launch-item']), 'Its image'],
  ['Effective_process.name', 'keyword', system(['file', 'launch-item']), 'Its name'],
  ['Effective_process.pid', 'long', system(all), 'Its process id'],
  ['Target.process.executable', 'keyword', never, 'Image of the process that was acted upon'],
  ['Target.process.name', 'keyword', never, 'Name of the process that was acted upon'],

  ['file.path', 'keyword', aboutFile, 'Canonical macOS path'],
  ['file.name', 'keyword', aboutFile, 'Base name'],
  ['file.extension', 'keyword', aboutFile, 'Extension without the dot, lower case'],
  ['file.size', 'long', aboutFile, 'Size in bytes at the time of the event'],
  ['file.inode', 'keyword', aboutFile, 'Inode, as text'],
  ['file.type', 'keyword', aboutFile, 'file, dir, symlink, fifo, socket or device'],
  ['file.mode', 'keyword', aboutFile, 'Permissions, octal'],
  ['file.uid', 'keyword', aboutFile, 'Owner id, as text'],
  ['file.gid', 'keyword', aboutFile, 'Group id, as text'],
  ['file.owner', 'keyword', aboutFile, 'Owner'],
  ['file.group', 'keyword', aboutFile, 'Group'],
  ['file.ctime', 'date', aboutFile, 'When the inode changed'],
  ['file.mtime', 'date', aboutFile, 'When the content changed'],
  ['file.created', 'date', aboutFile, 'When the inode was made'],
  ['file.target_path', 'keyword', aboutFile, 'Where a symbolic link points'],
  ['file.attributes', 'keyword[]', system(files), 'Name of the extended attribute that was removed'],
  ['file.hash.sha256', 'keyword', aboutFile, 'SHA-256 of the content'],
  ['file.origin_url', 'keyword', never, 'Where it was downloaded from'],
  ['file.origin_referrer_url', 'keyword', never, 'The page that led there'],
  ['file.Ext.original.path', 'keyword', aboutFile, 'Path before a rename'],
  ['file.Ext.original.name', 'keyword', never, 'Base name before a rename'],
  ['file.Ext.original.extension', 'keyword', aboutFile, 'Extension before a rename'],
  ['file.Ext.header_bytes', 'keyword', aboutFile, 'First 16 bytes, lower-case hexadecimal'],
  ['file.Ext.entropy', 'long', never, 'Entropy of the content'],

  ['Persistence.name', 'keyword', aboutItem, 'File name of the property list', '?'],
  ['Persistence.path', 'keyword', aboutItem, 'Path of the property list', '?'],
  ['Persistence.args', 'keyword[]', aboutItem, 'ProgramArguments, or Program alone'],
  ['Persistence.executable', 'keyword', never, 'Program', '?'],
  ['Persistence.runatload', 'boolean', aboutItem, 'RunAtLoad'],
  ['Persistence.keepalive', 'boolean', aboutItem, 'KeepAlive; true for a dictionary too', '?'],

  ['labels.launchwarden_simulated', 'boolean', always, 'Made on a folder tree by --root'],
  ['launchwarden.sensor.kind', 'keyword', always, 'Sensor that saw it'],
  [
    'launchwarden.sensor.precision',
    'keyword',
    always,
    'exact, or interval when it happened between two looks',
  ],
  [
    'launchwarden.sensor.not_before',
    'date',
    { 'process-scan': processes, 'file-watch': files, 'launchd-state': jobs },
    'Start of that interval',
  ],
  [
    'launchwarden.sensor.name_inexact',
    'boolean',
    { 'process-scan': processes },
    'The image could not be read',
  ],
  ['launchwarden.sensor.reason', 'keyword', always, 'Why it is not exact'],
  ['launchwarden.process.args_cut', 'boolean', started, 'Whether process.args is not all there was'],
  ['launchwarden.process.args_omitted', 'long', started, 'Arguments left out between the first and the last'],
  ['launchwarden.process.args_shortened', 'long', started, 'Arguments shortened to beginning and end'],
  ['launchwarden.process.named_files.path', 'keyword[]', started, 'Paths that a launchctl call names'],
  ['launchwarden.process.named_files.resolved', 'keyword[]', started, 'Where they lead, links followed'],
  ['launchwarden.process.named_files.inode', 'keyword[]', started, 'Inodes of those files, as text'],
  [
    'launchwarden.process.named_files.state',
    'keyword[]',
    started,
    'missing, changed after the call began, or unread',
  ],
  ['launchwarden.findings', 'keyword[]', plistFact, 'Facts about the file that are findings in themselves'],
  ['launchwarden.target.type', 'keyword', watched, 'What a symbolic link leads to: file, dir, ...'],
  ['launchwarden.target.mode', 'keyword', watched, 'Its octal permission bits'],
  ['launchwarden.target.uid', 'keyword', watched, 'Its owner, a numeric id'],
  ['launchwarden.target.gid', 'keyword', watched, 'Its group, a numeric id'],
  ['launchwarden.plist.format', 'keyword', plistFact, 'xml, binary, text or unknown'],
  ['launchwarden.plist.label', 'keyword', plistFact, 'Label'],
  [
    'launchwarden.plist.other_labels',
    'keyword[]',
    plistFact,
    'Further labels of a list that has several',
    '?',
  ],
  ['launchwarden.plist.program', 'keyword', plistFact, 'Program'],
  ['launchwarden.plist.program_arguments', 'keyword[]', plistFact, 'ProgramArguments'],
  [
    'launchwarden.plist.runs',
    'keyword[]',
    plistFact,
    'What it executes in the end: programs, scripts and modules, with canonical paths',
  ],
  ['launchwarden.plist.run_at_load', 'boolean', plistFact, 'RunAtLoad'],
  ['launchwarden.plist.keep_alive', 'boolean', plistFact, 'KeepAlive'],
  ['launchwarden.plist.disabled', 'boolean', plistFact, 'Disabled'],
  ['launchwarden.plist.user_name', 'keyword', plistFact, 'UserName'],
  ['launchwarden.plist.triggers', 'keyword[]', plistFact, 'What else starts the job'],
  ['launchwarden.plist.json', 'text', plistFact, 'The whole property list as JSON'],
  [
    'launchwarden.plist.code_signature.exists',
    'boolean',
    onAlerts,
    'On alerts: whether the program that launchd runs is signed',
  ],
  [
    'launchwarden.plist.code_signature.trusted',
    'boolean',
    onAlerts,
    'On alerts: signed by Apple, the Mac App Store or a Developer ID, and unchanged',
  ],
  [
    'launchwarden.plist.code_signature.status',
    'keyword',
    onAlerts,
    'On alerts: trusted, or why not, or why it could not be checked',
    '?',
  ],
  ['launchwarden.plist.code_signature.signing_id', 'keyword', onAlerts, 'On alerts: signing identifier', '?'],
  ['launchwarden.plist.code_signature.team_id', 'keyword', onAlerts, 'On alerts: team of the signer', '?'],
  [
    'launchwarden.plist.code_signature.subject_name',
    'keyword',
    onAlerts,
    'On alerts: name of the certificate',
    '?',
  ],
  ['launchwarden.job.label', 'keyword', aboutJob, 'Label of the job that launchd has loaded'],
  ['launchwarden.job.domain', 'keyword', aboutJob, 'Where: system, or gui/ and a user id'],
  ['launchwarden.job.plist_path', 'keyword', aboutJob, 'The property list that had changed before'],
  ['launchwarden.job.path', 'keyword', aboutJob, 'Where launchd says that it loaded the job from', '?'],
  ['launchwarden.job.program', 'keyword', aboutJob, 'What launchd runs', '?'],
  ['launchwarden.job.state', 'keyword', aboutJob, "launchd's word: running, not running, ...", '?'],
  ['launchwarden.job.pid', 'long', aboutJob, 'Process id of the job, while it runs', '?'],

  ['destination.address', 'keyword', never, 'Peer of a connection, as written'],
  ['destination.domain', 'keyword', never, 'Its domain'],
  ['destination.ip', 'ip', never, 'Its address'],
  ['destination.port', 'long', never, 'Its port'],
  ['source.address', 'keyword', never, 'Our side of a connection, as written'],
  ['source.domain', 'keyword', never, 'Its domain'],
  ['source.ip', 'ip', never, 'Its address'],
  ['source.port', 'long', never, 'Its port'],
  ['network.application', 'keyword', never, 'Application protocol'],
  ['network.direction', 'keyword', never, 'ingress or egress'],
  ['network.protocol', 'keyword', never, 'Protocol'],
  ['network.transport', 'keyword', never, 'tcp or udp'],
  ['dns.question.name', 'keyword', never, 'Name that was asked for'],
  ['dns.resolved_ip', 'ip[]', never, 'Addresses that were answered'],
  ['url.domain', 'keyword', never, 'Domain of an address on the web'],
  ['url.extension', 'keyword', never, 'Extension of an address on the web'],
  ['url.full', 'keyword', never, 'Address on the web'],
  ['url.original', 'keyword', never, 'Address on the web as written'],
  ['url.query', 'keyword', never, 'Its query'],
  ['http.request.body.content', 'keyword', never, 'What was sent'],
  ['http.request.method', 'keyword', never, 'How it was sent'],
  ['http.response.status_code', 'long', never, 'What was answered'],
  ['http.version', 'keyword', never, 'Version of HTTP'],
  ['dll.name', 'keyword', never, 'Base name of a loaded library'],
  ['dll.path', 'keyword', never, 'Path of a loaded library'],
  ['dll.hash.sha256', 'keyword', never, 'SHA-256 of a loaded library'],
  ['dll.code_signature.exists', 'boolean', never, 'Whether a loaded library is signed'],
  ['dll.code_signature.trusted', 'boolean', never, 'Whether its signer is trusted'],
  ['dll.code_signature.subject_name', 'keyword', never, 'Name of its certificate'],
  ['device.serial_number', 'keyword', never, 'Serial number of a device'],
  ['volume.removable', 'boolean', never, 'Whether a volume can be taken out'],
  ['rule.name', 'keyword', never, 'Rule of another product that fired'],
];

function infoOf([name, type, supply, meaning, mark]: Row): FieldInfo {
  const array = type.endsWith('[]');
  return Object.freeze({
    name,
    type: (array ? type.slice(0, -2) : type) as FieldType,
    array,
    meaning,
    filledBy: supply,
    unproven: mark === '?',
  });
}

const registry: ReadonlyMap<string, FieldInfo> = new Map(rows.map((row) => [row[0], infoOf(row)]));

/** The field of a dotted name, or undefined: rules may read fields that nobody has heard of. */
export function lookupField(name: string): FieldInfo | undefined {
  return registry.get(name);
}

/** The known name nearest to one that is not known, when it is near enough to be a slip. */
export function nearestField(name: string): string | undefined {
  return nearest(name, registry.keys());
}

/** Every field, in the order of documentation. */
export function allFields(): readonly FieldInfo[] {
  return [...registry.values()];
}
