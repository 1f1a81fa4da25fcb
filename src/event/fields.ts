import { nearest } from '../base/nearest.js';
import { fillersOf } from './claims.js';
import type { SensorKind } from './event.js';

/** Field types as Elasticsearch maps them; `text` is for people, rules cannot match it there. */
export type FieldType = 'keyword' | 'long' | 'boolean' | 'date' | 'ip' | 'text';

export interface FieldInfo {
  /** Dotted ECS name. */
  readonly name: string;
  readonly type: FieldType;
  readonly array: boolean;
  readonly meaning: string;
  /**
   * Which sensors fill it, on which events (`category action`). Empty when none does: rules of Elastic know it, or it stands
   * on alerts alone. A capture holds whatever was captured and is not listed.
   */
  readonly filledBy: Readonly<Partial<Record<SensorKind, readonly string[]>>>;
  /** True when no real event or document has shown yet that we fill it as Elastic Defend does. */
  readonly unproven: boolean;
}

type Row = readonly [name: string, type: FieldType | `${FieldType}[]`, meaning: string, mark?: '?'];

// `?` marks what was seen neither in a real event nor in a document.
const rows: readonly Row[] = [
  ['@timestamp', 'date', 'When it happened'],
  ['message', 'text', 'What kind of event it is, in words'],
  ['ecs.version', 'keyword', 'Version of the Elastic Common Schema'],
  ['agent.id', 'keyword', 'This installation'],
  ['agent.type', 'keyword', 'The program that made the event'],
  ['agent.version', 'keyword', 'Its version'],
  ['data_stream.dataset', 'keyword', 'Data stream: data set'],
  ['data_stream.namespace', 'keyword', 'Data stream: name space'],
  ['data_stream.type', 'keyword', 'Data stream: kind'],

  [
    'event.action',
    'keyword',
    'What happened: modification, rename, deletion, launch_daemon, exec, loaded, ...',
  ],
  ['event.category', 'keyword[]', 'file, process or configuration'],
  ['event.code', 'keyword', "The source's own code of the event"],
  ['event.created', 'date', 'When it was observed'],
  ['event.dataset', 'keyword', 'Data set of the event'],
  ['event.id', 'keyword', 'Identity of the event, the same at every look'],
  ['event.kind', 'keyword', 'event or alert'],
  ['event.module', 'keyword', 'Module that made it'],
  ['event.outcome', 'keyword', 'success, failure or unknown'],
  ['event.sequence', 'long', 'Order of events with equal time'],
  ['event.severity', 'long', 'Severity that the source gave'],
  ['event.type', 'keyword[]', 'change, creation, deletion, start, end, info'],

  ['host.architecture', 'keyword', 'Processor architecture'],
  ['host.hostname', 'keyword', 'Host name'],
  ['host.id', 'keyword', 'Identity of the machine'],
  ['host.ip', 'ip[]', 'Addresses of the machine'],
  ['host.mac', 'keyword[]', 'Hardware addresses of the machine'],
  ['host.name', 'keyword', 'Name of the machine'],
  ['host.os.Ext.variant', 'keyword', 'macOS'],
  ['host.os.family', 'keyword', 'macos'],
  ['host.os.full', 'keyword', 'Name and version of the system'],
  ['host.os.kernel', 'keyword', 'Kernel version'],
  ['host.os.name', 'keyword', 'macOS'],
  ['host.os.platform', 'keyword', 'macos'],
  ['host.os.type', 'keyword', 'macos'],
  ['host.os.version', 'keyword', 'Version of the system'],

  ['user.id', 'keyword', 'Effective user id, as text'],
  ['user.name', 'keyword', 'Effective user'],
  ['user.Ext.real.id', 'keyword', 'Real user id, as text'],
  ['user.Ext.real.name', 'keyword', 'Real user'],
  ['group.id', 'keyword', 'Effective group id, as text'],
  ['group.name', 'keyword', 'Effective group'],
  ['group.Ext.real.id', 'keyword', 'Real group id, as text'],
  ['group.Ext.real.name', 'keyword', 'Real group'],

  ['process.pid', 'long', 'Process id'],
  ['process.entity_id', 'keyword', 'One image of one process on one boot'],
  ['process.name', 'keyword', 'Base name of the image that runs'],
  ['process.executable', 'keyword', 'Path of the image that runs'],
  ['process.args', 'keyword[]', 'Arguments, the first being argv[0] as given'],
  ['process.args_count', 'long', 'How many arguments'],
  ['process.command_line', 'keyword', 'Arguments joined with a space'],
  ['process.working_directory', 'keyword', 'Working folder'],
  ['process.env_vars', 'keyword[]', 'Environment, NAME=value'],
  ['process.start', 'date', 'When it was forked'],
  ['process.end', 'date', 'When it ended'],
  ['process.exit_code', 'long', 'Exit status'],
  ['process.interactive', 'boolean', 'Whether it has a terminal'],
  ['process.hash.md5', 'keyword', 'MD5 of the image'],
  ['process.hash.sha1', 'keyword', 'SHA-1 of the image'],
  ['process.hash.sha256', 'keyword', 'SHA-256 of the image'],
  ['process.code_signature.exists', 'boolean', 'Whether the image is signed'],
  ['process.code_signature.trusted', 'boolean', 'Whether the signer is trusted'],
  ['process.code_signature.status', 'keyword', 'Result of the check', '?'],
  ['process.code_signature.signing_id', 'keyword', 'Signing identifier'],
  ['process.code_signature.team_id', 'keyword', "Team of the signer; empty for Apple's own"],
  ['process.code_signature.subject_name', 'keyword', 'Name of the certificate'],
  ['process.group_leader.pid', 'long', 'Process group'],
  ['process.session_leader.pid', 'long', 'Session'],
  [
    'process.previous.entity_id',
    'keyword[]',
    'Images that the process ran before this exec; joins know it by them too',
  ],
  ['process.previous.executable', 'keyword[]', 'Their paths'],
  ['process.Ext.ancestry', 'keyword[]', 'entity_id of the parent, its parent, and so on'],
  ['process.Ext.command_line_truncated', 'boolean', 'Whether command_line was cut'],
  ['process.Ext.script.path', 'keyword', 'Script that an interpreter was started for'],
  ['process.Ext.script.content', 'keyword', 'What that script holds'],
  ['process.Ext.trusted', 'boolean', 'On the list of trusted applications'],
  ['process.Ext.trusted_descendant', 'boolean', 'Below one that is'],
  ['process.Ext.effective_parent.entity_id', 'keyword', 'The responsible process'],
  ['process.Ext.effective_parent.executable', 'keyword', 'Its image'],
  ['process.Ext.effective_parent.name', 'keyword', 'Its name'],
  ['process.Ext.effective_parent.pid', 'long', 'Its process id'],

  ['process.parent.pid', 'long', 'Process id of the parent'],
  ['process.parent.entity_id', 'keyword', 'Image of the parent'],
  ['process.parent.name', 'keyword', 'Name of the parent'],
  ['process.parent.executable', 'keyword', 'Image path of the parent'],
  [
    'process.parent.previous.entity_id',
    'keyword[]',
    'Images that the parent ran before; joins know it by them too',
  ],
  ['process.parent.previous.executable', 'keyword[]', 'Their paths'],
  ['process.parent.args', 'keyword[]', 'Arguments of the parent', '?'],
  ['process.parent.args_count', 'long', 'How many arguments the parent has'],
  ['process.parent.command_line', 'keyword', 'Arguments of the parent joined with a space'],
  ['process.parent.code_signature.exists', 'boolean', 'Whether the parent is signed'],
  ['process.parent.code_signature.trusted', 'boolean', "Whether the parent's signer is trusted"],
  ['process.parent.code_signature.status', 'keyword', 'Result of the check', '?'],
  ['process.parent.code_signature.signing_id', 'keyword', "The parent's signing identifier"],
  ['process.parent.code_signature.team_id', 'keyword', "Team of the parent's signer"],
  ['process.parent.code_signature.subject_name', 'keyword', "The parent's certificate"],

  ['Effective_process.entity_id', 'keyword', 'The process responsible for a file event'],
  ['Effective_process.executable', 'keyword', 'Its image'],
  ['Effective_process.name', 'keyword', 'Its name'],
  ['Effective_process.pid', 'long', 'Its process id'],
  ['Target.process.executable', 'keyword', 'Image of the process that was acted upon'],
  ['Target.process.name', 'keyword', 'Name of the process that was acted upon'],

  ['file.path', 'keyword', 'Canonical macOS path'],
  ['file.name', 'keyword', 'Base name'],
  ['file.extension', 'keyword', 'Extension without the dot, lower case'],
  ['file.size', 'long', 'Size in bytes at the time of the event'],
  ['file.inode', 'keyword', 'Inode, as text'],
  ['file.type', 'keyword', 'file, dir, symlink, fifo, socket or device'],
  ['file.mode', 'keyword', 'Permissions, octal'],
  ['file.uid', 'keyword', 'Owner id, as text'],
  ['file.gid', 'keyword', 'Group id, as text'],
  ['file.owner', 'keyword', 'Owner'],
  ['file.group', 'keyword', 'Group'],
  ['file.ctime', 'date', 'When the inode changed'],
  ['file.mtime', 'date', 'When the content changed'],
  ['file.created', 'date', 'When the inode was made'],
  ['file.target_path', 'keyword', 'Where a symbolic link points'],
  ['file.attributes', 'keyword[]', 'Name of the extended attribute that was removed'],
  ['file.hash.sha256', 'keyword', 'SHA-256 of the content'],
  ['file.origin_url', 'keyword', 'Where it was downloaded from'],
  ['file.origin_referrer_url', 'keyword', 'The page that led there'],
  ['file.Ext.original.path', 'keyword', 'Path before a rename'],
  ['file.Ext.original.name', 'keyword', 'Base name before a rename'],
  ['file.Ext.original.extension', 'keyword', 'Extension before a rename'],
  ['file.Ext.header_bytes', 'keyword', 'First 16 bytes, lower-case hexadecimal'],
  ['file.Ext.entropy', 'long', 'Entropy of the content'],

  ['Persistence.name', 'keyword', 'File name of the property list', '?'],
  ['Persistence.path', 'keyword', 'Path of the property list', '?'],
  ['Persistence.args', 'keyword[]', 'ProgramArguments, or Program alone'],
  ['Persistence.executable', 'keyword', 'Program', '?'],
  ['Persistence.runatload', 'boolean', 'RunAtLoad'],
  ['Persistence.keepalive', 'boolean', 'KeepAlive; true for a dictionary too', '?'],

  ['labels.launchwarden_simulated', 'boolean', 'Made on a folder tree by --root'],
  ['launchwarden.sensor.kind', 'keyword', 'Sensor that saw it'],
  ['launchwarden.sensor.precision', 'keyword', 'exact, or interval when it happened between two looks'],
  ['launchwarden.sensor.not_before', 'date', 'Start of that interval'],
  ['launchwarden.sensor.name_inexact', 'boolean', 'The image could not be read'],
  ['launchwarden.sensor.reason', 'keyword', 'Why it is not exact'],
  ['launchwarden.process.args_cut', 'boolean', 'Whether process.args is not all there was'],
  ['launchwarden.process.args_omitted', 'long', 'Arguments left out between the first and the last'],
  ['launchwarden.process.args_shortened', 'long', 'Arguments shortened to beginning and end'],
  ['launchwarden.process.named_files.path', 'keyword[]', 'Paths that a launchctl call names'],
  ['launchwarden.process.named_files.resolved', 'keyword[]', 'Where they lead, links followed'],
  ['launchwarden.process.named_files.inode', 'keyword[]', 'Inodes of those files, as text'],
  ['launchwarden.process.named_files.state', 'keyword[]', 'missing, changed after the call began, or unread'],
  [
    'launchwarden.launchctl.by',
    'keyword',
    'What shows that it is launchctl: name, argv0, signature or shape',
  ],
  ['launchwarden.launchctl.verb', 'keyword', 'Verb of the call, wrappers such as asuser left out'],
  ['launchwarden.launchctl.effect', 'keyword', 'load, remove, read, change, none (no verb) or unknown'],
  ['launchwarden.launchctl.labels', 'keyword[]', 'Labels that the call names'],
  ['launchwarden.launchctl.paths', 'keyword[]', 'Property lists and folders that the call names'],
  ['launchwarden.launchctl.outside', 'boolean', 'Whether one of those is in no launch folder'],
  ['launchwarden.launchctl.missing', 'boolean', 'Whether it is to load one of those at which nothing stood'],
  ['launchwarden.findings', 'keyword[]', 'Facts about the file that are findings in themselves'],
  ['launchwarden.target.type', 'keyword', 'What a symbolic link leads to: file, dir, ...'],
  ['launchwarden.target.mode', 'keyword', 'Its octal permission bits'],
  ['launchwarden.target.uid', 'keyword', 'Its owner, a numeric id'],
  ['launchwarden.target.gid', 'keyword', 'Its group, a numeric id'],
  ['launchwarden.plist.format', 'keyword', 'xml, binary, text or unknown'],
  ['launchwarden.plist.label', 'keyword', 'Label'],
  ['launchwarden.plist.other_labels', 'keyword[]', 'Further labels of a list that has several', '?'],
  ['launchwarden.plist.program', 'keyword', 'Program'],
  ['launchwarden.plist.program_arguments', 'keyword[]', 'ProgramArguments'],
  [
    'launchwarden.plist.runs',
    'keyword[]',
    'What it executes in the end: programs, scripts and modules, with canonical paths',
  ],
  ['launchwarden.plist.own_code', 'keyword[]', 'Programs, scripts and script texts of no system folder'],
  ['launchwarden.plist.run_at_load', 'boolean', 'RunAtLoad'],
  ['launchwarden.plist.keep_alive', 'boolean', 'KeepAlive'],
  ['launchwarden.plist.disabled', 'boolean', 'Disabled'],
  ['launchwarden.plist.user_name', 'keyword', 'UserName'],
  ['launchwarden.plist.triggers', 'keyword[]', 'What else starts the job'],
  [
    'launchwarden.plist.will_load',
    'keyword',
    'Whether launchd loads it by itself, by what the file says: yes, no, by-hand, unknown',
  ],
  [
    'launchwarden.plist.obstacles',
    'keyword[]',
    'Why it does not load or start: writable-by-others, disabled-by-key, other-session, ...',
  ],
  ['launchwarden.plist.keep_alive_if', 'keyword[]', 'Conditions of KeepAlive: SuccessfulExit: false, ...'],
  ['launchwarden.plist.session_types', 'keyword[]', 'LimitLoadToSessionType'],
  ['launchwarden.plist.watch_paths', 'keyword[]', 'WatchPaths and QueueDirectories'],
  ['launchwarden.plist.start_interval', 'long', 'StartInterval, seconds'],
  ['launchwarden.plist.json', 'text', 'The whole property list as JSON'],
  [
    'launchwarden.plist.code_signature.exists',
    'boolean',
    'On alerts: whether the program that launchd runs is signed',
  ],
  [
    'launchwarden.plist.code_signature.trusted',
    'boolean',
    'On alerts: signed by Apple, the Mac App Store or a Developer ID, and unchanged',
  ],
  [
    'launchwarden.plist.code_signature.status',
    'keyword',
    'On alerts: trusted, or why not, or why it could not be checked',
    '?',
  ],
  ['launchwarden.plist.code_signature.signing_id', 'keyword', 'On alerts: signing identifier', '?'],
  ['launchwarden.plist.code_signature.team_id', 'keyword', 'On alerts: team of the signer', '?'],
  ['launchwarden.plist.code_signature.subject_name', 'keyword', 'On alerts: name of the certificate', '?'],
  [
    'launchwarden.persistence.mechanism',
    'keyword',
    'The way in which the file persists: launch-daemon, cron, ...',
  ],
  ['launchwarden.persistence.item_id', 'keyword', 'The persistent item, the same in all its events'],
  ['launchwarden.persistence.path', 'keyword', 'Its file, or its bundle'],
  ['launchwarden.persistence.label', 'keyword[]', 'How its entries call themselves'],
  ['launchwarden.persistence.runs', 'keyword[]', 'What they execute or load, with canonical paths'],
  [
    'launchwarden.persistence.when',
    'keyword[]',
    'What starts them: boot, login, load, interval, calendar, shell, ...',
  ],
  ['launchwarden.persistence.as', 'keyword[]', 'Users that they run as'],
  [
    'launchwarden.persistence.enabled',
    'boolean',
    'Whether one of them is switched on, where that can be told',
    '?',
  ],
  ['launchwarden.persistence.entries', 'long', 'How many entries the file has'],
  ['launchwarden.persistence.techniques', 'keyword[]', 'MITRE ATT&CK techniques of the mechanism'],
  [
    'launchwarden.likely_writers.pid',
    'long[]',
    'Processes that had the file or its folder open the moment it changed: likely writers, none of them certain',
  ],
  ['launchwarden.likely_writers.name', 'keyword[]', 'Base names of their images'],
  ['launchwarden.likely_writers.executable', 'keyword[]', 'Paths of their images'],
  ['launchwarden.likely_writers.command_line', 'keyword[]', 'Their arguments'],
  ['launchwarden.likely_writers.user.id', 'keyword[]', 'Their effective user ids, as text'],
  ['launchwarden.likely_writers.how', 'keyword[]', 'How that is known: open-for-writing or folder-open'],
  ['launchwarden.likely_writers.seen', 'date[]', 'When they were seen so'],
  [
    'launchwarden.program.of',
    'keyword[]',
    'Of a program that changed: files of the persistent items that run it',
  ],
  ['launchwarden.program.labels', 'keyword[]', 'Their labels'],
  ['launchwarden.program.items', 'keyword[]', 'Their ids, as launchwarden.persistence.item_id'],
  ['launchwarden.scan.matched', 'keyword[]', 'On alerts: files that a hash list or YARA rule names'],
  ['launchwarden.scan.sha256', 'keyword[]', 'Their hashes'],
  ['launchwarden.scan.yara', 'keyword[]', 'YARA rules that match'],
  ['launchwarden.scan.listed', 'keyword[]', 'What hash lists call them'],
  ['launchwarden.scan.left_out', 'text', 'What could not be scanned, and why'],
  ['launchwarden.gap.sensor', 'keyword', 'Of an event about the agent itself: what saw nothing'],
  ['launchwarden.gap.reason', 'keyword', 'Why: stopped, tier-switch or ended'],
  ['launchwarden.gap.detail', 'text', 'The same in words'],
  ['launchwarden.gap.from', 'date', 'Since when'],
  ['launchwarden.gap.to', 'date', 'Until when, or until when it was noticed'],
  ['launchwarden.job.label', 'keyword', 'Label of the job that launchd has loaded'],
  ['launchwarden.job.domain', 'keyword', 'Where: system, or gui/ and a user id'],
  ['launchwarden.job.plist_path', 'keyword', 'The property list that had changed before'],
  ['launchwarden.job.path', 'keyword', 'Where launchd says that it loaded the job from', '?'],
  ['launchwarden.job.program', 'keyword', 'What launchd runs', '?'],
  ['launchwarden.job.state', 'keyword', "launchd's word: running, not running, ...", '?'],
  ['launchwarden.job.pid', 'long', 'Process id of the job, while it runs', '?'],
  ['launchwarden.job.runs', 'long', 'How often launchd has started it since it was loaded', '?'],
  ['launchwarden.job.last_exit', 'keyword', 'How it ended last', '?'],
  ['launchwarden.job.type', 'keyword', "launchd's word for its kind: LaunchAgent, Submitted, ...", '?'],
  ['launchwarden.job.service', 'keyword', 'Name of the Mach service that the job begins to serve'],

  ['destination.address', 'keyword', 'Peer of a connection, as written'],
  ['destination.domain', 'keyword', 'Its domain'],
  ['destination.ip', 'ip', 'Its address'],
  ['destination.port', 'long', 'Its port'],
  ['source.address', 'keyword', 'Our side of a connection, as written'],
  ['source.domain', 'keyword', 'Its domain'],
  ['source.ip', 'ip', 'Its address'],
  ['source.port', 'long', 'Its port'],
  ['network.application', 'keyword', 'Application protocol'],
  ['network.direction', 'keyword', 'ingress or egress'],
  ['network.protocol', 'keyword', 'Protocol'],
  ['network.transport', 'keyword', 'tcp or udp'],
  ['dns.question.name', 'keyword', 'Name that was asked for'],
  ['dns.resolved_ip', 'ip[]', 'Addresses that were answered'],
  ['url.domain', 'keyword', 'Domain of an address on the web'],
  ['url.extension', 'keyword', 'Extension of an address on the web'],
  ['url.full', 'keyword', 'Address on the web'],
  ['url.original', 'keyword', 'Address on the web as written'],
  ['url.query', 'keyword', 'Its query'],
  ['http.request.body.content', 'keyword', 'What was sent'],
  ['http.request.method', 'keyword', 'How it was sent'],
  ['http.response.status_code', 'long', 'What was answered'],
  ['http.version', 'keyword', 'Version of HTTP'],
  ['dll.name', 'keyword', 'Base name of a loaded library'],
  ['dll.path', 'keyword', 'Path of a loaded library'],
  ['dll.hash.sha256', 'keyword', 'SHA-256 of a loaded library'],
  ['dll.code_signature.exists', 'boolean', 'Whether a loaded library is signed'],
  ['dll.code_signature.trusted', 'boolean', 'Whether its signer is trusted'],
  ['dll.code_signature.subject_name', 'keyword', 'Name of its certificate'],
  ['device.serial_number', 'keyword', 'Serial number of a device'],
  ['volume.removable', 'boolean', 'Whether a volume can be taken out'],
  ['rule.name', 'keyword', 'Rule of another product that fired'],
];

function infoOf([name, type, meaning, mark]: Row): FieldInfo {
  const array = type.endsWith('[]');
  return Object.freeze({
    name,
    type: (array ? type.slice(0, -2) : type) as FieldType,
    array,
    meaning,
    // Few ask, and of all fields at once it would take as long as the rest of a short command.
    get filledBy() {
      return fillersOf(name);
    },
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
