import { realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import { errnoOf, messageOf, UserError } from '../base/errors.js';
import type { LogLevel } from '../base/log.js';
import type { Position } from '../base/position.js';
import { dotted, type KeyPath } from '../base/toml-positions.js';
import type { DestinationOptions, ForwardOptions } from '../forward/options.js';
import type { Held } from '../policy/applied.js';
import type { PolicyOptions } from '../policy/options.js';
import type { ExceptionPack } from '../rules/exceptions/options.js';
import { below, isTable, isWritten, type LayerName, mergeLayers, type WrittenTree } from './layers.js';
import { type Managed, readManaged } from './managed.js';
import { type automaticActions, sensorKinds, type sensorTiers } from './options.js';
import { defaultPaths } from './paths.js';
import { appliedOverlay, filesIn, type Overlay, readOverlay, trustedKeys } from './policy-overlay.js';
import { type ConfigFile, completeTables, readConfigFile, writtenText } from './read.js';
import { type Config, configSchema } from './schema.js';

export type ConfigurableSensor = (typeof sensorKinds)[number];
export type SensorTier = (typeof sensorTiers)[number];

/** What the command line says; it wins over the file. */
export interface SettingsFlags {
  readonly config?: string | undefined;
  readonly dataDir?: string | undefined;
  readonly root?: string | undefined;
  readonly logLevel?: LogLevel | undefined;
  readonly logFile?: string | undefined;
  /** Only these sensors; the others count as disabled. */
  readonly sensors?: readonly ConfigurableSensor[] | undefined;
  readonly tier?: SensorTier | undefined;
}

export interface SettingsOptions {
  readonly flags: SettingsFlags;
  /** What relative paths on the command line are relative to. */
  readonly cwd: string;
  readonly platform: NodeJS.Platform;
  /** The unpacked files of a policy that is only tried out, in the place of the one in force; `none` to leave it out. */
  readonly policy?: string | 'none' | undefined;
}

/** One value and where it came from. */
export interface SettingOrigin {
  /** `log.level`, `destination[0].path`. */
  readonly key: string;
  readonly value: unknown;
  readonly origin: 'default' | LayerName | 'flag';
  /** In the file or in that of the policy, 1-based. */
  readonly at?: Position;
}

/** Where the policy comes from. */
export interface PolicySource {
  readonly url: string;
  /** Base64 of the 32 bytes; one of them must have signed it. */
  readonly keys: readonly string[];
  readonly intervalMs: number;
  readonly network: Pick<PolicyOptions, 'tls' | 'proxy' | 'proxy_password' | 'timeout'>;
}

/** Everything that can be set, checked, with absolute paths of this machine. */
export interface Settings {
  /** The file that was read; undefined when there is none. */
  readonly configFile: string | undefined;
  /** The file of managed preferences; undefined when nothing is managed. */
  readonly managedFile: string | undefined;
  /** Undefined when no policy is fetched. */
  readonly policy: PolicySource | undefined;
  /** The version of the policy that these settings hold, and where its files lie. */
  readonly policyInForce: { readonly held: Held | undefined; readonly folder: string } | undefined;
  /** What of managed preferences and of the policy cannot be used: the agent runs without it, and is degraded. */
  readonly problems: readonly UserError[];
  /** The folder that stands for a Mac's `/`, links resolved; undefined for the machine itself. */
  readonly root: string | undefined;
  readonly dataDir: string;
  readonly log: { readonly level: LogLevel; readonly file: string | undefined };
  readonly sensors: { readonly tier: SensorTier; readonly disabled: readonly ConfigurableSensor[] };
  /** Whether every place in which something can persist is watched, or only what rules name. */
  readonly watch: { readonly mechanisms: boolean };
  readonly rules: {
    readonly builtin: boolean;
    readonly folders: readonly string[];
    /** Rule ids. */
    readonly disabled: readonly string[];
    readonly enabled: readonly string[];
  };
  readonly exceptions: {
    /** Where `exceptions add` writes. */
    readonly folder: string;
    /** All that are read: that one and the policy's. */
    readonly folders: readonly string[];
    readonly packs: readonly ExceptionPack[];
  };
  readonly detect: { readonly closeUpdates: boolean };
  readonly scan: {
    readonly alerts: boolean;
    readonly hashes: readonly string[];
    readonly yara: readonly string[];
    readonly maxFileBytes: number;
    readonly memoryBytes: number;
    /** Milliseconds. */
    readonly fileMs: number;
  };
  readonly destinations: readonly DestinationOptions[];
  readonly forward: ForwardOptions;
  readonly respond: {
    readonly automatic: readonly {
      readonly rule: string;
      readonly action: (typeof automaticActions)[number];
      readonly shadow: boolean;
    }[];
    readonly perHour: number;
    readonly isolation: {
      readonly enabled: boolean;
      readonly allow: readonly string[];
      readonly dns: boolean;
      /** Microseconds. */
      readonly revert: number;
    };
  };
  /** How often the canary runs by itself, milliseconds; undefined: never. */
  readonly canary: { readonly everyMs: number | undefined };
  /** Undefined where there is no limit. */
  readonly budget: {
    /** Shares of one processor: 1 is all of it. */
    readonly cpu: number | undefined;
    readonly workerCpu: number | undefined;
    /** Bytes. */
    readonly memory: number | undefined;
    readonly workerMemory: number | undefined;
  };
  readonly retention: {
    readonly eventBytes: number;
    readonly evidenceBytes: number;
    /** Microseconds. */
    readonly closedAlerts: number;
  };
  readonly origins: readonly SettingOrigin[];
}

function resolveRoot(written: string, cwd: string): string {
  const folder = path.resolve(cwd, written);
  const hint = 'It is the folder that stands for a Mac\'s "/": name an existing one.';
  try {
    if (!statSync(folder).isDirectory())
      throw new UserError('config/bad-root', `the root ${folder} is not a directory`, { hint });
    const real = realpathSync(folder);
    if (real !== '/') return real;
    // Half of what it asks for, simulated events and a tree of its own, would not hold.
    const led = folder === '/' ? '' : `${folder} leads to `;
    throw new UserError('config/bad-root', `the root ${led}/ is this machine itself`, {
      hint: 'Leave --root out to work on this machine.',
    });
  } catch (error) {
    if (error instanceof UserError) throw error;
    const reason =
      errnoOf(error) === 'ENOENT' ? 'there is no root' : `${messageOf(error)}: cannot use the root`;
    throw new UserError('config/bad-root', `${reason} ${folder}`, { hint, cause: error });
  }
}

/** The file to read: the one named, or the one at the default place when something stands there. */
function chooseFile(flag: string | undefined, standard: string, cwd: string): string | undefined {
  if (flag !== undefined) return path.resolve(cwd, flag);
  try {
    return statSync(standard, { throwIfNoEntry: false }) === undefined ? undefined : standard;
  } catch {
    // It may be there: reading it says what keeps us from it.
    return standard;
  }
}

interface TlsFiles {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** The files of a `tls` table with their relative paths made absolute. */
function absoluteTls<T extends TlsFiles>(tls: T, beside: (file: string) => string): T {
  const { ca, cert, key } = tls;
  return {
    ...tls,
    ...(ca === undefined || ca === 'system' ? {} : { ca: beside(ca) }),
    ...(cert === undefined ? {} : { cert: beside(cert) }),
    ...(key === undefined ? {} : { key: beside(key) }),
  };
}

/** A destination with its relative paths made absolute. */
function absolutePaths(one: DestinationOptions, beside: (file: string) => string): DestinationOptions {
  const moved = one.type === 'file' ? { ...one, path: beside(one.path) } : one;
  if (!('tls' in moved) || moved.tls === false) return moved;
  return { ...moved, tls: absoluteTls(moved.tls, beside) } as DestinationOptions;
}

function tlsSettings(tls: TlsFiles, at: string): Settled[] {
  const names = ['ca', 'cert', 'key'] as const;
  return names
    .filter((name) => tls[name] !== undefined)
    .map((name) => ({ key: `${at}.tls.${name}`, value: tls[name], byFlag: false }));
}

function pathSettings(one: DestinationOptions, index: number): Settled[] {
  const at = `destination[${index}]`;
  return [
    ...(one.type === 'file' ? [{ key: `${at}.path`, value: one.path, byFlag: false }] : []),
    ...('tls' in one && one.tls !== false ? tlsSettings(one.tls, at) : []),
  ];
}

/** Every leaf of the checked values, with its origin. Lists of tables are walked, other lists are one value. */
function originsOf(
  value: unknown,
  at: { readonly path: KeyPath; readonly written: WrittenTree | undefined; readonly placeOf: PlaceOf },
): SettingOrigin[] {
  const children: [string | number, unknown][] = isTable(value)
    ? Object.entries(value)
    : Array.isArray(value) && value.length > 0 && value.every(isTable)
      ? [...value.entries()]
      : [];
  if (children.length > 0 || isTable(value))
    return children.flatMap(([key, child]) =>
      originsOf(child, {
        path: [...at.path, key],
        written: below(at.written, key),
        placeOf: at.placeOf,
      }),
    );
  const key = dotted(at.path);
  if (at.written === undefined || !isWritten(at.written)) return [{ key, value, origin: 'default' }];
  const { layer, path } = at.written;
  const place = at.placeOf(layer, path);
  return [{ key, value, origin: layer, ...(place === undefined ? {} : { at: place }) }];
}

type PlaceOf = (layer: LayerName, path: KeyPath) => Position | undefined;

/** The value in force: made absolute, or taken from the command line. */
interface Settled {
  readonly key: string;
  readonly value: unknown;
  readonly byFlag: boolean;
  /** It holds files of the policy, which nothing but their being there names. */
  readonly byPolicy?: boolean;
}

function settle(origins: readonly SettingOrigin[], settled: readonly Settled[]): SettingOrigin[] {
  const byKey = new Map(origins.map((one) => [one.key, one]));
  for (const { key, value, byFlag, byPolicy } of settled) {
    const written = byKey.get(key) ?? { origin: 'default' as const };
    const unwritten = byPolicy === true && written.origin === 'default';
    const origin = byFlag ? { origin: 'flag' as const } : unwritten ? { origin: 'policy' as const } : written;
    byKey.set(key, { ...origin, key, value });
  }
  return [...byKey.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Where a start that fails is to be logged, as far as that can be told of a configuration with errors. */
export function logFileOf({ flags, cwd, platform }: SettingsOptions): string | undefined {
  if (flags.logFile !== undefined) return path.resolve(cwd, flags.logFile);
  try {
    const root = flags.root === undefined ? undefined : resolveRoot(flags.root, cwd);
    const file = chooseFile(flags.config, defaultPaths(platform, root).config, cwd);
    const written = file === undefined ? undefined : writtenText(file, ['log', 'file']);
    return file === undefined || written === undefined
      ? undefined
      : path.resolve(path.dirname(file), written);
  } catch {
    return undefined;
  }
}

/**
 * Where the data stand, as far as that can be told of a configuration with errors: an agent that runs goes on with the one
 * before. Throws a UserError for a root that is no folder.
 */
export function dataDirAnyway({ flags, cwd, platform }: SettingsOptions): string {
  if (flags.dataDir !== undefined) return path.resolve(cwd, flags.dataDir);
  const root = flags.root === undefined ? undefined : resolveRoot(flags.root, cwd);
  const places = defaultPaths(platform, root);
  const file = chooseFile(flags.config, places.config, cwd);
  const managed = readManaged(root, platform)?.tables['data_dir'];
  const written = file === undefined ? undefined : writtenText(file, ['data_dir']);
  const named = typeof managed === 'string' ? managed : written;
  if (named === undefined) return places.dataDir;
  return path.resolve(file === undefined ? cwd : path.dirname(file), named);
}

/** What was read of all layers. */
interface Read {
  readonly file: ConfigFile | undefined;
  readonly managed: Managed | undefined;
  readonly overlay: Overlay | undefined;
  readonly config: Config;
  readonly tables: Record<string, unknown>;
  readonly written: WrittenTree;
  readonly problems: readonly UserError[];
}

type Layers = Pick<Read, 'file' | 'managed' | 'overlay'>;

function merged({ file, managed, overlay }: Layers): Pick<Read, 'config' | 'tables' | 'written'> {
  const { tables, written } = mergeLayers([
    { name: 'file', tables: file?.written ?? {} },
    { name: 'policy', tables: overlay?.tables ?? {} },
    { name: 'managed', tables: managed?.tables ?? {} },
  ]);
  return { tables, written, config: v.parse(configSchema, tables) };
}

/** All layers, or without those that cannot be put over the ones below: that is a problem, and no reason not to start. */
function readLayers(
  configFile: string | undefined,
  { platform, policy }: SettingsOptions,
  at: { readonly root: string | undefined; dataDirOf(config: Config): string },
): Read {
  const file = configFile === undefined ? undefined : readConfigFile(configFile);
  const managed = readManaged(at.root, platform);
  const problems = [...(managed?.problems ?? [])];
  const local = merged({ file, managed, overlay: undefined });
  let overlay: Overlay | undefined;
  try {
    if (policy === undefined) overlay = appliedOverlay(at.dataDirOf(local.config), local.config.policy);
    else if (policy !== 'none') overlay = readOverlay(policy);
    const whole = overlay === undefined ? local : merged({ file, managed, overlay });
    return { file, managed, overlay, problems, ...whole };
  } catch (error) {
    // One that is only tried out is refused.
    if (policy !== undefined || !(error instanceof UserError)) throw error;
    return { file, managed, overlay: undefined, problems: [...problems, error], ...local };
  }
}

/** Servers of fleets are not asked more often, milliseconds. */
const leastIntervalMs = 60_000;

function policySource(
  options: PolicyOptions,
  beside: (file: string) => string,
): PolicySource | UserError | undefined {
  const { url, interval, tls, proxy, proxy_password, timeout } = options;
  if (url === undefined) return undefined;
  const keys = trustedKeys(options);
  if (keys.length === 0)
    return new UserError('policy/no-key', 'a policy is to be fetched and no key is named: none is', {
      hint: 'Set public_key in [policy] to what "launchwarden policy keygen" printed.',
    });
  return {
    url,
    keys,
    intervalMs: Math.max(leastIntervalMs, interval),
    network: {
      tls: absoluteTls(tls, beside),
      timeout,
      ...(proxy === undefined ? {} : { proxy }),
      ...(proxy_password === undefined ? {} : { proxy_password }),
    },
  };
}

/** The layer that wrote a destination. */
function layerOf(written: WrittenTree, index: number): LayerName | undefined {
  const type = below(below(below(written, 'destination'), index), 'type');
  return type !== undefined && isWritten(type) ? type.layer : undefined;
}

/**
 * Reads the configuration and settles every value: the command line first, then managed preferences, the policy, the file,
 * the default. Writes nothing. Throws a UserError for a missing or malformed file, an unknown key or a root that is no
 * folder; what of managed preferences and of the policy cannot be used is left out, and stands in `problems`.
 */
export function loadSettings(options: SettingsOptions): Settings {
  const { flags, cwd, platform } = options;
  const root = flags.root === undefined ? undefined : resolveRoot(flags.root, cwd);
  const places = defaultPaths(platform, root);
  const configFile = chooseFile(flags.config, places.config, cwd);
  const beside = (file: string) =>
    path.resolve(configFile === undefined ? cwd : path.dirname(configFile), file);
  const dataDirOf = (config: Config) =>
    flags.dataDir !== undefined
      ? path.resolve(cwd, flags.dataDir)
      : config.data_dir === undefined
        ? places.dataDir
        : beside(config.data_dir);

  const read = readLayers(configFile, options, { root, dataDirOf });
  const { config, overlay, written } = read;
  const problems = [...read.problems];
  const source = policySource(config.policy, beside);
  if (source instanceof UserError) problems.push(source);
  const dataDir = dataDirOf(config);
  const { sensors } = flags;
  const disabled =
    sensors === undefined ? config.sensors.disabled : sensorKinds.filter((kind) => !sensors.includes(kind));
  const tier = flags.tier ?? config.sensors.tier;
  const logFile =
    flags.logFile !== undefined
      ? path.resolve(cwd, flags.logFile)
      : config.log.file === undefined
        ? undefined
        : beside(config.log.file);
  const level = flags.logLevel ?? config.log.level;
  const ofPolicy = (place: string | undefined) => (place === undefined ? [] : [place]);
  const folders = [...config.rules.folders.map(beside), ...ofPolicy(overlay?.rules)];
  const hashes = [...config.scan.hashes.map(beside), ...filesIn(overlay?.hashes)];
  const yara = [...config.scan.yara.map(beside), ...ofPolicy(overlay?.yara)];
  const exceptions = path.resolve(path.dirname(configFile ?? places.config), config.exceptions.folder);
  const destinations = config.destination.map((one, index) =>
    overlay !== undefined && layerOf(written, index) === 'policy'
      ? absolutePaths(one, (file) => path.resolve(overlay.folder, file))
      : absolutePaths(one, beside),
  );
  const placeOf: PlaceOf = (layer, at) =>
    (layer === 'file' ? read.file?.positions : layer === 'policy' ? overlay?.positions : undefined)?.of(at);

  const origins = settle(originsOf(completeTables(read.tables), { path: [], written, placeOf }), [
    { key: 'data_dir', value: dataDir, byFlag: flags.dataDir !== undefined },
    ...(root === undefined ? [] : [{ key: 'root', value: root, byFlag: true }]),
    ...(logFile === undefined
      ? []
      : [{ key: 'log.file', value: logFile, byFlag: flags.logFile !== undefined }]),
    { key: 'log.level', value: level, byFlag: flags.logLevel !== undefined },
    { key: 'sensors.disabled', value: disabled, byFlag: sensors !== undefined },
    { key: 'sensors.tier', value: tier, byFlag: flags.tier !== undefined },
    { key: 'rules.folders', value: folders, byFlag: false, byPolicy: overlay?.rules !== undefined },
    { key: 'exceptions.folder', value: exceptions, byFlag: false },
    { key: 'scan.hashes', value: hashes, byFlag: false, byPolicy: overlay?.hashes !== undefined },
    { key: 'scan.yara', value: yara, byFlag: false, byPolicy: overlay?.yara !== undefined },
    ...(source === undefined || source instanceof UserError ? [] : tlsSettings(source.network.tls, 'policy')),
    ...destinations.flatMap(pathSettings),
  ]);

  return {
    configFile,
    managedFile: read.managed?.file,
    policy: source instanceof UserError ? undefined : source,
    policyInForce: overlay === undefined ? undefined : { held: overlay.held, folder: overlay.folder },
    problems,
    root,
    dataDir,
    log: { level, file: logFile },
    sensors: { tier, disabled },
    watch: config.watch,
    rules: {
      builtin: config.rules.builtin,
      folders,
      disabled: config.rules.disabled,
      enabled: config.rules.enabled,
    },
    exceptions: {
      folder: exceptions,
      folders: [exceptions, ...ofPolicy(overlay?.exceptions)],
      packs: config.exceptions.packs,
    },
    detect: { closeUpdates: config.detect.close_updates },
    scan: {
      alerts: config.scan.alerts,
      hashes,
      yara,
      maxFileBytes: config.scan.max_file,
      memoryBytes: config.scan.memory,
      fileMs: Math.max(1, Math.round(config.scan.file_time / 1000)),
    },
    destinations,
    forward: config.forward,
    respond: {
      automatic: config.respond.automatic,
      perHour: config.respond.per_hour,
      isolation: config.respond.isolation,
    },
    canary: {
      everyMs:
        config.canary.every === undefined
          ? undefined
          : Math.max(60_000, Math.round(config.canary.every / 1000)),
    },
    budget: {
      cpu: config.budget.cpu,
      workerCpu: config.budget.worker_cpu,
      memory: config.budget.memory,
      workerMemory: config.budget.worker_memory,
    },
    retention: {
      eventBytes: config.retention.events,
      evidenceBytes: config.retention.evidence,
      closedAlerts: config.retention.closed_alerts,
    },
    origins,
  };
}
