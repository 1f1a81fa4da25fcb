import { flat } from '../base/flat.js';
import type { PlistResult, PlistValue } from '../base/plist/index.js';
import type { InventoryEntry } from '../event/inventory.js';

/**
 * Columns of osquery's tables, as texts like there: `1` and `0` for booleans, lists joined with blanks, empty for what is
 * not said. Source: osquery's specs/darwin/launchd.table and specs/macwin/startup_items.table.
 */

type Columns = Readonly<Record<string, string>>;

const keys: readonly (readonly [column: string, key: string])[] = [
  ['label', 'Label'],
  ['program', 'Program'],
  ['run_at_load', 'RunAtLoad'],
  ['keep_alive', 'KeepAlive'],
  ['on_demand', 'OnDemand'],
  ['disabled', 'Disabled'],
  ['username', 'UserName'],
  ['groupname', 'GroupName'],
  ['stdout_path', 'StandardOutPath'],
  ['stderr_path', 'StandardErrorPath'],
  ['start_interval', 'StartInterval'],
  ['program_arguments', 'ProgramArguments'],
  ['watch_paths', 'WatchPaths'],
  ['queue_directories', 'QueueDirectories'],
  ['inetd_compatibility', 'inetdCompatibility'],
  ['start_on_mount', 'StartOnMount'],
  ['root_directory', 'RootDirectory'],
  ['working_directory', 'WorkingDirectory'],
  ['process_type', 'ProcessType'],
];

const maxText = 4_096;

/** Of a launch item. */
export function launchdColumns(path: string, list: PlistResult | undefined): Columns {
  const value: ReadonlyMap<string, PlistValue> =
    list?.ok === true && list.value instanceof Map ? list.value : new Map();
  return {
    path,
    name: nameOf(path),
    ...Object.fromEntries(
      keys.map(([column, key]) => [column, flat(text(value.get(key)).slice(0, maxText))]),
    ),
  };
}

function text(value: PlistValue | undefined): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (Array.isArray(value)) return value.slice(0, 256).map(text).join(' ');
  // A dictionary of conditions counts as true.
  if (value instanceof Map) return '1';
  return typeof value === 'object' ? '' : String(value);
}

/** Mechanisms whose items start with the system or a session, which osquery calls startup items. */
const startUp: Readonly<Record<string, string>> = {
  'login-item': 'Login Item',
  'background-item': 'Background Item',
  'startup-item': 'Startup Item',
  'login-hook': 'Login Hook',
  'reopened-window': 'Reopened Application',
  'launch-agent': 'Launch Agent',
  'launch-daemon': 'Launch Daemon',
  'bundled-launch-item': 'Launch Item',
};

/** Undefined for what does not start by itself. */
export function startupColumns(
  entry: Pick<InventoryEntry, 'mechanism' | 'path' | 'label' | 'program' | 'runs' | 'as' | 'enabled'>,
): Columns | undefined {
  const { mechanism, path, label, program, runs, as, enabled } = entry;
  const type = Object.hasOwn(startUp, mechanism) ? startUp[mechanism] : undefined;
  if (type === undefined) return undefined;
  return {
    name: label ?? nameOf(path),
    path: program ?? '',
    args: runs.filter((one) => one !== program).join(' '),
    type,
    source: path,
    status: enabled === false ? 'disabled' : 'enabled',
    username: as ?? '',
  };
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
