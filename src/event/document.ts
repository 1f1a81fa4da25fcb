import type { ProcessCutFields } from './arguments.js';

/**
 * The nested ECS document of an event, with the fields that we fill. Types and meanings stand in `fields.ts`; which
 * fields a macOS sensor knows follows elastic/endpoint-package (custom_documentation/doc/endpoint/{file,process}/macos).
 * Documents from elsewhere (captures) may hold anything under any name: read them as `unknown`.
 */
export interface EcsDocument {
  '@timestamp'?: string;
  message?: string;
  ecs?: { version: string };
  agent?: { id?: string; type?: string; version?: string };
  event?: EventFields;
  host?: HostFields;
  user?: UserFields;
  group?: { id?: string; name?: string };
  process?: ProcessFields;
  Effective_process?: { entity_id?: string; executable?: string; name?: string; pid?: number };
  file?: FileFields;
  Persistence?: PersistenceFields;
  labels?: Record<string, string | boolean>;
  launchwarden?: LaunchwardenFields;
  [field: string]: unknown;
}

export interface EventFields {
  id?: string;
  kind?: 'event' | 'alert' | 'state' | 'metric';
  category?: string[];
  type?: string[];
  action?: string;
  module?: string;
  dataset?: string;
  created?: string;
  sequence?: number;
  outcome?: string;
  [field: string]: unknown;
}

export interface HostFields {
  id?: string;
  name?: string;
  hostname?: string;
  architecture?: string;
  ip?: string[];
  mac?: string[];
  os?: {
    type?: string;
    family?: string;
    platform?: string;
    name?: string;
    version?: string;
    full?: string;
    kernel?: string;
    Ext?: { variant?: string };
  };
}

export interface UserFields {
  /** Numeric id as text. */
  id?: string;
  name?: string;
  Ext?: { real?: { id?: string; name?: string } };
}

export interface CodeSignatureFields {
  exists?: boolean;
  trusted?: boolean;
  status?: string;
  signing_id?: string;
  team_id?: string;
  subject_name?: string;
}

export interface ProcessFields {
  pid?: number;
  entity_id?: string;
  /** Base name of the image that runs, never argv[0]. */
  name?: string;
  executable?: string;
  args?: string[];
  args_count?: number;
  command_line?: string;
  working_directory?: string;
  env_vars?: string[];
  start?: string;
  exit_code?: number;
  hash?: { md5?: string; sha1?: string; sha256?: string };
  code_signature?: CodeSignatureFields;
  parent?: ProcessFields;
  /** Of an exec: the images that the process ran before, the one that it was forked with first. */
  previous?: { entity_id?: string; executable?: string }[];
  group_leader?: { pid?: number };
  session_leader?: { pid?: number };
  Ext?: {
    ancestry?: string[];
    effective_parent?: { entity_id?: string; executable?: string; name?: string; pid?: number };
    script?: { path?: string; content?: string };
    [field: string]: unknown;
  };
  [field: string]: unknown;
}

export interface FileFields {
  path?: string;
  name?: string;
  /** Without the dot, lower case. */
  extension?: string;
  size?: number;
  /** As text: macOS inode numbers exceed 2^53. */
  inode?: string;
  /** `file`, `dir`, `symlink`, `fifo`, `socket`, `device`. */
  type?: string;
  /** Octal permission bits as text, `0644`. */
  mode?: string;
  /** Numeric ids as text. */
  uid?: string;
  gid?: string;
  owner?: string;
  group?: string;
  ctime?: string;
  mtime?: string;
  created?: string;
  target_path?: string;
  hash?: { sha256?: string };
  Ext?: { original?: { path?: string; extension?: string }; header_bytes?: string; [field: string]: unknown };
  [field: string]: unknown;
}

/** Elastic Defend's own fields of a `launch_daemon` event (reference: field list of endpoint-package). */
export interface PersistenceFields {
  name?: string;
  path?: string;
  args?: string[];
  runatload?: boolean;
  keepalive?: boolean;
}

/** Our own fields. Names avoid the suffixes that Elastic's `ecs@mappings` turns into dates, addresses and points. */
export interface LaunchwardenFields {
  /** Which sensor saw it and how exact its time is: `exact`, or `interval` when it happened between two looks. */
  sensor?: {
    kind?: string;
    precision?: 'exact' | 'interval';
    not_before?: string;
    name_inexact?: boolean;
    reason?: string;
  };
  /** Facts about a file that are findings in themselves, as stable words: `plist-unparsable`, `symlink`, `fifo`, ... */
  findings?: string[];
  /** What stands at `file.target_path`: type, octal permission bits, numeric owner and group as text. */
  target?: { type?: string; mode?: string; uid?: string; gid?: string };
  /** The launch item that a property list describes. */
  plist?: LaunchItemFields;
  /** The persistent item that a file belongs to. */
  persistence?: PersistentItemFields;
  /** On alerts: what hash lists and YARA rules say about the item and what it runs. */
  scan?: ScanFields;
  /** Of an event about the agent itself: what it did not see. */
  gap?: { sensor?: string; reason?: string; detail?: string; from?: string; to?: string };
  /**
   * Of a file whose certain writer no sensor knows: processes that had it, or its folder, open the moment it changed. Never
   * together with `process`.
   */
  likely_writers?: LikelyWriterFields[];
  /** Of a program or script that changed: the persistent items that run it, their labels, and their ids. */
  program?: { of?: string[]; labels?: string[]; items?: string[] };
  /** What launchd says about a job whose launch item changed. */
  job?: LaunchdJobFields;
  /** What a process event says beyond Elastic's fields. */
  process?: LaunchwardenProcessFields;
  /** What a launchctl call asks for, under whatever name launchctl runs. */
  launchctl?: LaunchctlFields;
  /**
   * How far the wall clock had been set forward since the boot, microseconds; absent when it had not. `not_before_shift`:
   * the same for `sensor.not_before`, when that lies before the last step.
   */
  clock?: { shift?: number; not_before_shift?: number };
  /** Conditions of rules that an earlier document of the same event met and this one does not (`detect/earlier.ts`). */
  met_before?: string[];
  [field: string]: unknown;
}

export interface LikelyWriterFields {
  pid: number;
  name?: string;
  executable?: string;
  command_line?: string;
  user: { id: string };
  /** `open-for-writing`: it had the file open so. `folder-open`: it had the folder open, or worked in it. */
  how: 'open-for-writing' | 'folder-open';
  seen: string;
}

export interface ScanFields {
  /** Canonical paths of the files that a list or rule names, and their hashes. */
  matched?: string[];
  sha256?: string[];
  /** Names of YARA rules that match. */
  yara?: string[];
  /** What hash lists call them; the list where it says nothing. */
  listed?: string[];
  /** What could not be scanned, with the reason. */
  left_out?: string[];
}

export interface LaunchItemFields {
  format?: 'xml' | 'binary' | 'text' | 'unknown';
  label?: string;
  program?: string;
  program_arguments?: string[];
  /** Labels of the same list that readers other than ours may take, when it has more than one. */
  other_labels?: string[];
  /** What it executes in the end: each program, script and module on the way; canonical paths where they are known. */
  runs?: string[];
  /** Of its arguments and of `runs` what does not come with macOS: by these its process is known when it starts. */
  own_code?: string[];
  run_at_load?: boolean;
  keep_alive?: boolean;
  disabled?: boolean;
  user_name?: string;
  /** Everything else that starts the job: `WatchPaths`, `StartInterval`, `MachServices`, ... */
  triggers?: string[];
  /** Whether launchd loads it by itself, as far as the file alone tells. */
  will_load?: 'yes' | 'no' | 'by-hand' | 'unknown';
  /** Why it does not, or what else is worth knowing about its loading; words of `mechanisms/launchd/obstacles.ts`. */
  obstacles?: string[];
  /** Conditions of a KeepAlive that is a dictionary: `SuccessfulExit: false`, `PathState: /x=true`. */
  keep_alive_if?: string[];
  /** `LimitLoadToSessionType`. */
  session_types?: string[];
  /** `WatchPaths` and `QueueDirectories`. */
  watch_paths?: string[];
  /** Seconds. */
  start_interval?: number;
  /** The whole property list as JSON text, bounded. */
  json?: string;
  /** Of the program that launchd runs, as codesign found it once there was an alert. */
  code_signature?: CodeSignatureFields;
}

/** A persistent item as its mechanism reads it (`src/mechanisms/`); lists hold one value of each entry of the file. */
export interface PersistentItemFields {
  /** `launch-daemon`, `cron`, ... */
  mechanism?: string;
  /** The same for every event of the item (`persistentItemId`). */
  item_id?: string;
  /** The file, or the bundle. */
  path?: string;
  label?: string[];
  /** Programs, scripts and modules that it executes or loads, canonical paths where they are known. */
  runs?: string[];
  /** What starts it: `login`, `boot`, `interval`, ... */
  when?: string[];
  /** User names that it runs as. */
  as?: string[];
  enabled?: boolean;
  /** How many entries the file holds. */
  entries?: number;
  /** MITRE ATT&CK. */
  techniques?: string[];
}

export interface LaunchwardenProcessFields extends Partial<ProcessCutFields> {
  /** The files that a launchctl call names, as they were when the call was seen. */
  named_files?: NamedFileFields[];
}

export interface LaunchctlFields {
  /** What shows that it is launchctl: the image's `name`, `argv0`, Apple's `signature`, or the `shape` of the arguments. */
  by: 'name' | 'argv0' | 'signature' | 'shape';
  /** The verb in the end, wrappers (`asuser`, `bsexec`) left out; absent when there is none. */
  verb?: string;
  /**
   * What the verb does: `load` loads, enables or starts a job; `remove` takes one away; `read` only shows; `change` is any
   * other known one; `none`: it reads its commands from standard input; `unknown`: a verb that is in no list.
   */
  effect: 'load' | 'remove' | 'read' | 'change' | 'none' | 'unknown';
  labels?: string[];
  /** Property lists and folders, canonical; as written where the working folder is not known. */
  paths?: string[];
  /** True when one of the paths, or where it leads, is in no launch folder; absent when it names none. */
  outside?: boolean;
  /** True when it is to load something, and nothing stood at one of the paths when the call was seen. */
  missing?: true;
}

/** A file that stands among the arguments of a process. */
export interface NamedFileFields {
  /** As it was written, made absolute: a canonical macOS path. */
  path?: string;
  /** Where it leads once every link on the way is followed; absent when it leads nowhere. */
  resolved?: string;
  /** As text: macOS inode numbers exceed 2^53. */
  inode?: string;
  /**
   * `missing`: nothing stood there any more. `changed`: a link on the way was made after the process had started.
   * `unread`: on a volume that is not waited for, a circle, or one of too many.
   */
  state?: 'missing' | 'changed' | 'unread';
}

export interface LaunchdJobFields {
  label?: string;
  /** Of `job_runs`: the Mach service that the job begins to serve. */
  service?: string;
  /** `system`, `gui/501`. */
  domain?: string;
  /** The property list whose change made somebody ask. */
  plist_path?: string;
  /** Where launchd says that the job came from: a property list, or other words (`(submitted by ...)`). */
  path?: string;
  program?: string;
  state?: string;
  pid?: number;
  /** How often launchd has started it since it was loaded. */
  runs?: number;
  /** `0`, `78: EX_CONFIG`, `(never exited)`. */
  last_exit?: string;
  /** launchd's word for its kind: `LaunchAgent`, `LaunchDaemon`, `Submitted`. */
  type?: string;
}
