import { things } from '../base/count.js';
import { UserError } from '../base/errors.js';
import { quote } from '../base/escape.js';
import { canonicalMacPath } from '../base/root.js';
import type { Micros } from '../base/time.js';
import type { Alert } from '../event/alert.js';
import type { CodeSignatureFields, EcsDocument } from '../event/document.js';
import type { InventoryRow } from '../event/inventory.js';
import { domainsNamed } from '../event/launchctl.js';
import type { Store } from '../store/index.js';
import { imagesOf, type KnownImage } from './images.js';
import type { Expectation } from './plan.js';

/** What a response is about. Paths are canonical macOS paths. */
export interface Target {
  readonly alert?: string;
  readonly item?: string;
  /** The property list, the bundle, the file. */
  readonly path: string;
  /** Of a launchd job. */
  readonly label?: string;
  /** Domains of launchd in which calls that were recorded have acted. */
  readonly domains?: readonly string[];
  readonly expect: Expectation;
  /** Everything that it executes or loads. */
  readonly runs: readonly string[];
  /** What it executes that is its own: no system program, no interpreter. */
  readonly programs: readonly TargetProgram[];
  readonly signer?: Readonly<CodeSignatureFields>;
}

export interface TargetProgram {
  readonly path: string;
  readonly expect: Expectation;
  /** What it was known to be: so it is recognised when it runs under another name. */
  readonly images?: readonly KnownImage[];
}

type Reading = Pick<Store, 'alerts' | 'inventory' | 'versions'>;

const launchMechanisms: ReadonlySet<string> = new Set(['launch-agent', 'launch-daemon']);
/** Programs of one item that are acted on. */
const maxPrograms = 16;
/** Versions of each by which it is recognised. */
const maxVersions = 8;

/** Of a stored alert. Throws `respond/no-target` when it is about no file. */
export function targetOfAlert(alert: Alert, store: Reading): Target {
  const { doc } = alert;
  const persistence = doc.launchwarden?.persistence;
  const file = doc.file;
  const path = textOf(persistence?.path) ?? textOf(file?.path);
  if (path === undefined)
    throw new UserError(
      'respond/no-target',
      'this alert is about no file: there is nothing that could be acted on',
      {
        hint: 'Name a path or an item instead: "launchwarden inventory list".',
      },
    );
  const plist = doc.launchwarden?.plist;
  const label =
    textOf(plist?.label) ?? textOf(firstOf(persistence?.label)) ?? textOf(doc.launchwarden?.job?.label);
  const isJob = launchMechanisms.has(String(persistence?.mechanism)) || doc.launchwarden?.job !== undefined;
  const own = textsOf(plist?.own_code);
  const runs = [...new Set([...textsOf(persistence?.runs), ...textsOf(plist?.runs), ...own])];
  const programs = (own.length > 0 ? own : runs).filter((one) => one.startsWith('/'));
  return {
    alert: alert.id,
    ...(alert.item === undefined ? {} : { item: alert.item }),
    path,
    ...(label === undefined || !isJob ? {} : { label }),
    domains: domainsNamed(doc),
    // What a bundle's alert saw may be a file in it.
    expect: file?.path === path ? expectationOf(file) : {},
    runs,
    programs: known(programs, path, { store, until: alert.updated }),
    ...(plist?.code_signature === undefined ? {} : { signer: plist.code_signature }),
  };
}

/** Of an item of the inventory, by id, beginning of an id, path or label. Undefined when there is none. */
export function targetOfItem(written: string, store: Reading): Target | undefined {
  const rows = store.inventory
    .list()
    .filter(
      ({ entry: { item_id, path, label } }) =>
        path === written || label === written || (written.length >= 4 && item_id.startsWith(written)),
    );
  const items = new Set(rows.map(({ entry }) => entry.item_id));
  if (items.size > 1)
    throw new UserError(
      'respond/ambiguous',
      `${things(items.size, 'item is', 'items are')} called ${quote(written, 100)}`,
      {
        hint: 'Name it by its id or path: see "launchwarden inventory list --all".',
      },
    );
  const [row] = rows;
  return row === undefined ? undefined : targetOfRows(row, rows, store);
}

function targetOfRows({ entry }: InventoryRow, rows: readonly InventoryRow[], store: Reading): Target {
  const runs = [...new Set(rows.flatMap((one) => [...one.entry.runs, one.entry.program ?? '']))].filter(
    (one) => one !== '',
  );
  const [alert] = store.alerts.list({ item: entry.item_id, limit: 1 });
  const isJob = launchMechanisms.has(entry.mechanism);
  return {
    item: entry.item_id,
    ...(alert === undefined ? {} : { alert: alert.id, domains: domainsNamed(alert.doc) }),
    path: entry.path,
    ...(entry.label === undefined || !isJob ? {} : { label: entry.label }),
    expect: entry.type === 'file' && entry.sha256 !== undefined ? { sha256: entry.sha256 } : {},
    runs,
    programs: known(
      runs.filter((one) => one.startsWith('/')),
      entry.path,
      { store, until: Number.MAX_SAFE_INTEGER },
    ),
    ...(entry.signer === undefined ? {} : { signer: entry.signer }),
  };
}

/** Of a bare path: nothing is known of it but what stands there. */
export function targetOfPath(path: string, store: Reading): Target {
  return targetOfItem(path, store) ?? { path, expect: {}, runs: [], programs: [] };
}

/**
 * Each program with the content that it had, as far as it was kept; of a link also what it led to. What stands in the
 * bundle goes with that.
 */
function known(
  programs: readonly string[],
  path: string,
  { store, until }: { readonly store: Reading; readonly until: Micros },
): Target['programs'] {
  // Documents of a property list say what it says: `/tmp/x`, which is one thing with `/private/tmp/x`.
  const own = [...new Set(programs.map(canonicalMacPath))].filter(
    (one) => one !== path && !one.startsWith(`${path}/`),
  );
  const found = own.slice(0, maxPrograms).flatMap((one): TargetProgram[] => {
    const versions = store.versions.ofPath(one, { until, limit: maxVersions });
    const [version] = versions;
    const content = version?.sha256 === undefined ? {} : { sha256: version.sha256 };
    const images = imagesOf(versions);
    if (version?.type !== 'symlink' || version.link === undefined)
      return [{ path: one, expect: content, images }];
    const behind = linkedPath(one, version.link);
    return [
      { path: one, expect: { link: behind }, images },
      { path: behind, expect: content, images },
    ];
  });
  return found.filter((one, index) => found.findIndex((other) => other.path === one.path) === index);
}

/** Where a link leads, one step, as a canonical macOS path. */
export function linkedPath(macPath: string, link: string): string {
  return canonicalMacPath(
    link.startsWith('/') ? link : `${macPath.slice(0, macPath.lastIndexOf('/'))}/${link}`,
  );
}

function expectationOf(file: NonNullable<EcsDocument['file']>): Expectation {
  const ino = textOf(file.inode);
  const link = file.type === 'symlink' ? textOf(file.target_path) : undefined;
  // The hash of an event about a link is of what it leads to.
  if (file.type === 'symlink')
    return link === undefined || file.path === undefined ? {} : { link: linkedPath(file.path, link) };
  const sha256 = file.type === 'dir' ? undefined : textOf(file.hash?.sha256);
  return { ...(ino === undefined ? {} : { ino }), ...(sha256 === undefined ? {} : { sha256 }) };
}

/** Documents may hold anything. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

function firstOf(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : value;
}
