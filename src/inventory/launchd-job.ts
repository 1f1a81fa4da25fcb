import path from 'node:path';
import type { RootMap } from '../base/root.js';
import { runTool } from '../base/tool.js';
import type { InventoryEntry } from '../event/inventory.js';
import { launchItem } from '../mechanisms/launch-item.js';
import {
  type Disabled,
  type DomainReport,
  disabledOf,
  type JobTrigger,
  jobKeysOf,
  type ListFile,
  type LiveState,
  type Loading,
  liveState,
  loadingOf,
  type Overrides,
  overridesIn,
  overridesPath,
  type ProgramState,
  readPrintDisabled,
  runsSays,
  type Surroundings,
  startsSays,
} from '../mechanisms/launchd/index.js';
import { plistValueOf } from '../mechanisms/read.js';
import { FilesNow, lookAt } from '../sensors/file-watch/index.js';
import {
  consoleUser,
  domainsOfUser,
  homeOwners,
  launchctlAt,
  type RunLaunchctl,
  readService,
} from '../sensors/launchd-state/index.js';

/** What launchd makes of a launch item now. Texts of the list and of launchd in it are hostile. */
export interface LaunchdJob {
  readonly path: string;
  readonly label: string | undefined;
  readonly kind: 'agent' | 'daemon';
  readonly loading: Loading;
  readonly disabled: Disabled;
  readonly live: LiveState;
  readonly triggers: readonly JobTrigger[];
  /** One sentence each. */
  readonly starts: string;
  readonly runs: string;
  /** Programs, scripts and modules that it executes, canonical paths. */
  readonly executes: readonly string[];
  /** User that it runs as; undefined for whoever is logged in. */
  readonly as: string | undefined;
}

export interface LaunchdJobOptions {
  readonly root: RootMap;
  /** Entries of the inventory: other lists with the same label, and background items. */
  readonly entries: readonly InventoryEntry[];
  /** For tests: answers in place of launchctl. */
  readonly run?: RunLaunchctl;
}

const launchctl = '/bin/launchctl';
const limits = { timeoutMs: 5_000, mostBytes: 4 * 1024 * 1024 };
/** Users whose sessions are asked about. */
const mostUsers = 8;
/** What comes with macOS: a tree that stands for a Mac need not have it. */
const systemPath = /^\/(?:bin|sbin|usr\/(?:bin|sbin|libexec|lib)|System)\//;

export function isLaunchItem({ mechanism }: Pick<InventoryEntry, 'mechanism'>): boolean {
  return /^(?:launch-agent|launch-daemon|bundled-launch-item)$/.test(mechanism);
}

/** Reads the list of an item as it is now, what surrounds it, and asks launchd about its job. Changes nothing. Never rejects. */
export async function launchdJob(
  {
    path: listPath,
    mechanism,
    home,
    label: known,
  }: Pick<InventoryEntry, 'path' | 'mechanism' | 'home' | 'label'>,
  options: LaunchdJobOptions,
): Promise<LaunchdJob> {
  const { root } = options;
  const files = new FilesNow(root);
  const daemon = mechanism === 'launch-daemon' || /\/LaunchDaemons\//i.test(listPath);
  const bundled = mechanism === 'bundled-launch-item';
  const found = files.at(listPath);
  const content = found === undefined || found === 'denied' ? undefined : found.content;
  const list = content && plistValueOf({ path: listPath, type: 'file', content })?.value;
  const job = list === undefined ? undefined : jobKeysOf(list, { daemon });
  const item = list === undefined ? undefined : launchItem(list, { path: listPath });
  // A list that is gone may have left its job with launchd.
  const label = job === undefined ? known : job.label;
  const homeOwner = home === undefined ? undefined : ownerAt(files, home);
  const users = daemon ? [] : usersOf(root, homeOwner);
  const ask = asker(options);
  const overrides = await overridesOf({ daemon, users, files, ask });
  const around: Surroundings = {
    ...folderOf(files, path.posix.dirname(listPath)),
    homeOwner,
    override: label === undefined ? undefined : overrideOf(label, overrides.tables),
    background: label === undefined ? undefined : backgroundOf(label, options.entries),
    sameLabel: label === undefined ? [] : sameLabel(label, { listPath, home, daemon }, options.entries),
    program: programOf(job?.program, { files, root, bundleProgram: job?.bundleProgram, listPath }),
    hardware: await hardwareOf(
      [...(job?.toHardware.keys() ?? []), ...(job?.fromHardware.keys() ?? [])],
      root,
    ),
  };
  const seen = lookAt(root.toHost(listPath));
  const loading = loadingOf({
    daemon,
    bundled,
    file: {
      path: listPath,
      type: typeOf(seen),
      ...(seen === undefined || seen === 'denied' ? {} : { uid: seen.uid, mode: seen.mode }),
    },
    job,
    around,
  });
  const triggers = job?.triggers ?? [];
  const as = daemon ? (job?.userName ?? 'root') : undefined;
  const runs = item?.runs ?? [];
  return {
    path: listPath,
    label,
    kind: daemon ? 'daemon' : 'agent',
    ...verdicts({ gone: seen === undefined, unread: content === undefined, loading, overrides }),
    live: await liveOf({ label, daemon, users, ask, triggers, listPath, root }),
    triggers,
    starts:
      job === undefined ? 'What starts it is not known: its list could not be read.' : startsSays(triggers),
    runs: job === undefined ? 'What it runs is not known: its list could not be read.' : runsSays(runs, as),
    executes: [...new Set(runs.flatMap(({ paths }) => paths))],
    as,
  };
}

function typeOf(seen: ReturnType<typeof lookAt>): ListFile['type'] {
  // What the file system does not show is told apart by its content, which is not read either.
  if (seen === undefined || seen === 'denied') return 'file';
  return seen.type === 'file' || seen.type === 'dir' || seen.type === 'symlink' ? seen.type : 'other';
}

/** Of a list that is gone or may not be read nothing is guessed. */
function verdicts(given: {
  readonly gone: boolean;
  readonly unread: boolean;
  readonly loading: Loading;
  readonly overrides: KnownOverrides;
}): Pick<LaunchdJob, 'loading' | 'disabled'> {
  const { gone, unread, loading, overrides } = given;
  const disabled = disabledOf(loading, overrides.unread);
  if (gone)
    return {
      loading: {
        answer: 'no',
        starts: false,
        obstacles: [],
        says: 'launchd does not load it again: its list is gone.',
      },
      disabled: { answer: null, by: null, says: 'Whether it is disabled is not known: its list is gone.' },
    };
  if (!unread) return { loading, disabled };
  const says = 'Whether launchd loads it is not known: its list may not be read, or is no file.';
  return {
    loading: { ...loading, answer: 'unknown', obstacles: [], says },
    disabled:
      disabled.by === null
        ? { ...disabled, answer: null, says: says.replace('launchd loads it', 'it is disabled') }
        : disabled,
  };
}

type Ask = { readonly run: RunLaunchctl } | { readonly unasked: string };

function asker({ root, run }: LaunchdJobOptions): Ask {
  if (run !== undefined) return { run };
  const program = root.toHost(launchctl);
  const seen = lookAt(program);
  if (seen === undefined || seen === 'denied') return { unasked: `there is no ${launchctl} here` };
  return { run: launchctlAt(program, { ...limits, signal: new AbortController().signal }) };
}

function usersOf(root: RootMap, homeOwner: number | undefined): readonly number[] {
  if (homeOwner !== undefined) return [homeOwner];
  const atScreen = consoleUser(root);
  const all = [...(atScreen === undefined ? [] : [atScreen]), ...homeOwners(root, mostUsers)];
  return [...new Set(all)].slice(0, mostUsers);
}

interface KnownOverrides {
  readonly tables: readonly Overrides[];
  /** Why one of them could not be read. */
  readonly unread: string | undefined;
}

/** launchd's answer counts; where it cannot be asked, what its file holds. */
async function overridesOf(given: {
  readonly daemon: boolean;
  readonly users: readonly number[];
  readonly files: FilesNow;
  readonly ask: Ask;
}): Promise<KnownOverrides> {
  const { daemon, users, files, ask } = given;
  const tables: Overrides[] = [];
  let unread: string | undefined;
  for (const uid of daemon ? [undefined] : users) {
    const domain = uid === undefined ? 'system' : `user/${uid}`;
    const told = 'run' in ask ? readPrintDisabled(await ask.run(['print-disabled', domain])) : undefined;
    const file = told === undefined ? files.at(overridesPath(uid)) : undefined;
    const kept = file === undefined || file === 'denied' ? undefined : file.content;
    const table = told ?? (kept && overridesIn(kept.bytes));
    if (table !== undefined) tables.push(table);
    else
      unread ??=
        file === undefined
          ? `launchctl print-disabled ${domain} gives no answer, and ${overridesPath(uid)} is not there`
          : `${overridesPath(uid)} may not be read`;
  }
  if (!daemon && users.length === 0) unread = 'no user has a home or a session here';
  return { tables, unread };
}

/** Disabled for everybody, or enabled for somebody. */
function overrideOf(label: string, tables: readonly Overrides[]): boolean | undefined {
  const known = tables.map((table) => table.get(label));
  if (known.length === 0 || known.every((one) => one === undefined)) return undefined;
  if (known.every((one) => one === true)) return true;
  return known.some((one) => one === false) ? false : undefined;
}

/** Identifiers of background items: `8.LABEL` of an agent, `16.LABEL` of a daemon, `LABEL` of an application's own. */
function backgroundOf(label: string, entries: readonly InventoryEntry[]): boolean | undefined {
  const known = entries.filter(
    ({ mechanism, key, label: own }) =>
      mechanism === 'background-item' &&
      (own === label || [label, `8.${label}`, `16.${label}`].some((one) => key.endsWith(`/${one}`))),
  );
  const told = known.map(({ enabled }) => enabled).filter((one) => one !== undefined);
  return told.length === 0 ? undefined : told.some((one) => one);
}

/** Lists that would be loaded in the same domain: of the system, or of one home and of everybody. */
function sameLabel(
  label: string,
  own: { readonly listPath: string; readonly home: string | undefined; readonly daemon: boolean },
  entries: readonly InventoryEntry[],
): readonly string[] {
  return entries
    .filter((one) => isLaunchItem(one) && one.label === label && one.path !== own.listPath)
    .filter(({ path: other }) => /\/LaunchDaemons\//i.test(other) === own.daemon)
    .filter(({ home }) => home === undefined || own.home === undefined || home === own.home)
    .map(({ path: other }) => other);
}

function programOf(
  program: string | undefined,
  given: {
    readonly files: FilesNow;
    readonly root: RootMap;
    readonly bundleProgram: string | undefined;
    readonly listPath: string;
  },
): ProgramState | undefined {
  const bundle = /^(.*?\.app)\/Contents\/Library\//i.exec(given.listPath)?.[1];
  const inBundle =
    given.bundleProgram === undefined || bundle === undefined
      ? undefined
      : path.posix.join(bundle, given.bundleProgram);
  const at = program ?? inBundle;
  if (at?.startsWith('/') !== true) return undefined;
  const facts = given.files.facts(at);
  if (facts === undefined) return undefined;
  if (facts === 'missing') {
    const unknown = given.root.simulated && systemPath.test(at);
    return unknown ? undefined : { path: at, state: 'missing' };
  }
  if (facts.type === 'dir') return { path: at, state: 'folder' };
  return { path: at, state: (facts.mode & 0o111) === 0 ? 'not-executable' : 'there' };
}

function ownerAt(files: FilesNow, macPath: string): number | undefined {
  const facts = files.facts(macPath);
  return facts === undefined || facts === 'missing' ? undefined : facts.uid;
}

function folderOf(files: FilesNow, folder: string): Pick<Surroundings, 'folder'> {
  const facts = files.facts(folder);
  if (facts === undefined || facts === 'missing') return {};
  return { folder: { uid: facts.uid, mode: facts.mode } };
}

/** Values of `hw.KEY`; those that cannot be told are left out. */
async function hardwareOf(
  keys: readonly string[],
  root: RootMap,
): Promise<ReadonlyMap<string, string> | undefined> {
  const program = root.toHost('/usr/sbin/sysctl');
  const known = new Map<string, string>();
  const asked = keys.filter((key) => /^[a-z0-9_]{1,40}$/.test(key)).slice(0, 8);
  if (asked.length === 0 || typeof lookAt(program) !== 'object') return known;
  for (const key of asked) {
    const signal = new AbortController().signal;
    const { status, stdout } = await runTool(program, ['-n', `hw.${key}`], { ...limits, signal });
    if (status === 0) known.set(key, stdout.trim().slice(0, 200));
  }
  return known;
}

async function liveOf(given: {
  readonly label: string | undefined;
  readonly daemon: boolean;
  readonly users: readonly number[];
  readonly ask: Ask;
  readonly triggers: readonly JobTrigger[];
  readonly listPath: string;
  readonly root: RootMap;
}): Promise<LiveState> {
  const { label, daemon, users, ask, triggers, listPath, root } = given;
  const about = { triggers, path: listPath };
  if (!('run' in ask)) return liveState([], { ...about, unasked: ask.unasked });
  if (label === undefined || label === '')
    return liveState([], { ...about, unasked: 'its list names no label to ask launchd for' });
  const domains = daemon ? ['system'] : [...users.flatMap(domainsOfUser), 'system'];
  const reports: DomainReport[] = [];
  for (const domain of domains) {
    const target = `${domain}/${label}`;
    const answer = readService(await ask.run(['print', target]), target);
    reports.push(
      answer.state === 'loaded'
        ? { domain, state: 'loaded', facts: { ...answer.facts, ...macPaths(answer.facts, root) } }
        : { domain, state: answer.state },
    );
  }
  return liveState(reports, about);
}

function macPaths(facts: { readonly path?: string; readonly program?: string }, root: RootMap): object {
  const mac = (text: string) => (text.startsWith('/') ? root.toMac(text) : text);
  return {
    ...(facts.path === undefined ? {} : { path: mac(facts.path) }),
    ...(facts.program === undefined ? {} : { program: mac(facts.program) }),
  };
}
