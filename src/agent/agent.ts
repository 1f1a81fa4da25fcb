import { randomUUID } from 'node:crypto';
import os from 'node:os';
import { setFlagsFromString } from 'node:v8';
import type { Clock, Timer } from '../base/clock.js';
import { diskAccess } from '../base/disk-access.js';
import { messageOf, UserError } from '../base/errors.js';
import { type AdjustableLogger, createLogger, type LogFormat } from '../base/log.js';
import { RootMap } from '../base/root.js';
import { formatMicros, type Micros } from '../base/time.js';
import { type CanaryPlace, cleanUpCanary } from '../canary/index.js';
import { managedMark, type Settings } from '../config/index.js';
import { Enricher, NamedPaths } from '../enrich/index.js';
import type { Alert } from '../event/alert.js';
import type { HostFields } from '../event/document.js';
import type { Gap } from '../event/event.js';
import { openTargets, type Target } from '../forward/index.js';
import { InstalledLabels, MechanismPlaces, mechanisms } from '../mechanisms/index.js';
import { ruleDigest } from '../rules/index.js';
import { addonCondition, attributesReader, loadAddon } from '../sensors/addon/index.js';
import { observedRootKey, openStore, type Store } from '../store/index.js';
import { AlertScan } from './alert-scan.js';
import { keepAnswers, keepAnswersOp } from './answers.js';
import { applyBaseline, baselineOp } from './baseline.js';
import { readBootId } from './boot.js';
import { Budget } from './budget.js';
import { CanaryKeeper } from './canary.js';
import { type ControlHandlers, ControlServer } from './control.js';
import { DataFolderWatch } from './data-folder.js';
import { diskUse } from './disk.js';
import { applyEscalation, escalateOp } from './escalate.js';
import { EvidenceKeeper } from './evidence.js';
import { ExceptionKeeper, reloadExceptionsOp } from './exceptions.js';
import { Figures } from './figures.js';
import { forwardHandlers } from './forward-control.js';
import { Forwarding } from './forwarding.js';
import { foundChanges } from './found-changes.js';
import { ClockWatch, Continued } from './health.js';
import { HealthWatch } from './health-watch.js';
import { userHomes } from './homes.js';
import { InventoryKeeper } from './inventory.js';
import { KnownItems } from './known-items.js';
import { LikelyWriters } from './likely-writers.js';
import { OwnFiles, ownJob } from './own-files.js';
import { Pipeline } from './pipeline.js';
import { PolicyKeeper, policyFailedStart, settingsAtStart } from './policy.js';
import {
  changedKeys,
  isTakenUp,
  newlyWanted,
  type ReloadAnswer,
  sameForwarding,
  sameRules,
} from './reload.js';
import { Responding } from './responding.js';
import { kindsFor, logParked, logPassedOver, mutedRules, type SelectedRules, selectRules } from './rules.js';
import { rulesGone } from './rules-gone.js';
import { exchangedPrograms, runningItems, trustedLabels } from './running-items.js';
import { SensorSet } from './sensors.js';
import { Settling } from './settling.js';
import { sightLostEvent } from './sight-lost.js';
import { Signatures } from './signatures.js';
import { Top } from './top.js';
import { applyTriage, triageOp } from './triage.js';
import { lineWriter, UnifiedLog } from './unified-log.js';
import { type Judgement, judgeHealth, type Verdict } from './verdict.js';
import { mountedVolumes } from './volumes.js';
import { Watchdog } from './watchdog.js';
import { watchedBy } from './watched.js';

/** How far the agent had seen is written down this often; after a crash it looks back to there. */
const progressEveryMs = 1_000;
/** Nothing may happen and the watermark must still move, for sequences that end without an event. */
const heartbeatMs = 1_000;
/** What the sensors are asked about then, milliseconds ago: each can answer at once. */
const heartbeatLagMs = 200;
const pruneEveryMs = 60_000;
/** Managed preferences are looked at this often. */
const managedEveryMs = 60_000;
/** Destinations get so long to take what is left when the agent stops; launchd allows 20 s in all. */
const drainMs = 5_000;
/** File events of so long ago are looked at again after a start: as long as launchd is asked about an item. */
const recentMicros = 60_000_000;
/** So many of the newest alerts are looked at after a start: the signature of a program may not have been told yet. */
const askedAgain = 100;

/** The agent's own files are listed so long after its start, milliseconds. */
const ownFilesMs = 5_000;
const ownFilesKey = 'own.files';
/** So many rules are named in one line of the log. */
const namedRules = 10;

export interface AgentOptions {
  readonly settings: Settings;
  readonly version: string;
  readonly clock: Clock;
  /** Of standard error; a log file is always JSON. */
  readonly logFormat?: LogFormat;
  /** `--root-scope`: only processes below this one. */
  readonly scopePid?: number;
  /** What runs the agent, paths of this machine: its files are watched. */
  readonly program?: { readonly node: string; readonly script: string };
  /** Starts `launchwarden canary` as a process of its own; without it nothing runs on a schedule. */
  readonly launchCanary?: (ended: (error: Error) => void) => void;
  /** Ends the agent: it drains and `runAgent` resolves. */
  readonly signal: AbortSignal;
  /**
   * Reads the whole configuration again, for a reload; `policy` as in SettingsOptions. Rejects with a UserError when no agent
   * would start with it. Without it the configuration is what it was at the start.
   */
  readonly reread?: (policy?: string) => Promise<Settings>;
}

/**
 * Runs the agent until the signal. Rejects with a UserError when it cannot start; nothing has been written then. Also with
 * `agent/data-lost`, after the destinations were told, when its data folder was taken away from it.
 */
export async function runAgent(options: AgentOptions): Promise<void> {
  // Ten times V8's own budget: what really runs hot is still compiled within milliseconds, and an agent that mostly rests
  // keeps the memory that the compiler and its code would take (some 4 MB). A V8 without this flag says so and goes on.
  setFlagsFromString('--interrupt-budget=1320000');
  // The heap grows by 30 % of what lives between two collections, not by up to four times: a flood of large files leaves
  // garbage that nobody else could use (3,000 lists of 0.6 MB at once: a peak of 288 MB in place of 406, in the same time).
  setFlagsFromString('--heap-growing-percent=30');
  const { level, file } = options.settings.log;
  const { logFormat: format = 'json' } = options;
  const log = createLogger({ level, format, ...(file === undefined ? {} : { file }) });
  const store = openStore({
    dataDir: options.settings.dataDir,
    clock: options.clock,
    evidenceBytes: options.settings.retention.evidenceBytes,
    keepGoing: true,
  });
  let agent: Agent | undefined;
  // A reload that is asked for before the agent listens for it must not end it.
  const passedOver = () => log.info({}, 'asked to reload before the start was over');
  process.on('SIGHUP', passedOver);
  try {
    const settings = await settingsAtStart(options, log);
    const selected = selectRules(settings);
    logPassedOver(selected.passedOver, log);
    logParked(selected.parked, log);
    try {
      const targets = await openTargets(settings.destinations, targetContext(options, log));
      agent = new Agent({ ...options, settings }, { rules: selected, log, store, targets });
      await agent.start();
      process.off('SIGHUP', passedOver);
    } catch (error) {
      policyFailedStart(settings, messageOf(error), log);
      throw error;
    }
    const { lost } = agent;
    await new Promise<void>((resolve, reject) => {
      lost.catch(reject);
      if (options.signal.aborted) resolve();
      else options.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    log.info({}, 'stopping');
  } finally {
    process.off('SIGHUP', passedOver);
    await agent?.stop();
    store.close();
    log.info({}, 'stopped');
  }
}

interface Parts {
  readonly rules: SelectedRules;
  readonly log: AdjustableLogger;
  readonly store: Store;
  readonly targets: readonly Target[];
}

function targetContext({ clock, version, settings }: AgentOptions, log: AdjustableLogger) {
  return { clock, log: log.child({ stage: 'forward' }), version, root: settings.root };
}

class Agent {
  readonly #options: AgentOptions;
  readonly #parts: Parts;
  readonly #pipeline: Pipeline;
  readonly #sensors: SensorSet;
  #forwarding: Forwarding;
  readonly #host: HostFields;
  #targets: readonly Target[];
  readonly #signatures: Signatures;
  readonly #scan: AlertScan;
  readonly #exceptions: ExceptionKeeper;
  readonly #known: KnownItems;
  readonly #settling: Settling;
  readonly #responding: Responding;
  readonly #evidence: EvidenceKeeper;
  readonly #writers: LikelyWriters;
  readonly #inventory: InventoryKeeper;
  readonly #figures: Figures;
  readonly #top: Top;
  readonly #canary: CanaryKeeper;
  readonly #budget: Budget;
  /** The Mac's own log. */
  readonly #lines: UnifiedLog;
  #verdict: Verdict = 'healthy';
  readonly #watchdog: Watchdog;
  /** Labels of launch items that are trusted here. */
  #installed = new InstalledLabels();
  #baselineBegun = false;
  readonly #agentId: string;
  readonly #root: RootMap;
  readonly #started: Micros;
  /** In force now: those of the start, with what could be taken up since. */
  #settings: Settings;
  #rules: SelectedRules;
  #managedMark: string;
  #reloading: Promise<unknown> = Promise.resolve();
  /** Why the configuration on the disk is not the one in force; undefined when it is. */
  #reloadRefused: string | undefined;
  /** Settings that take force at the next start. */
  #needRestart: readonly string[] = [];
  readonly #policy: PolicyKeeper;
  readonly #hup = (): void => void this.#reload();
  readonly #timers: Timer[] = [];
  #control: ControlServer | undefined;
  #clockWatch: ClockWatch | undefined;
  readonly #continued = new Continued();
  #folderWatch: DataFolderWatch | undefined;
  #healthWatch: HealthWatch | undefined;
  #ownFiles: OwnFiles | undefined;
  /** Rejects when the data folder was taken away. */
  readonly lost: Promise<never>;
  #onLost: (error: UserError) => void = () => {};
  /** Imported rules that the running sensors cannot serve. */
  #muted: ReadonlyMap<string, readonly string[]> = new Map();
  #ready = false;
  readonly #boot: string;
  #fileEventMark: string | undefined;

  constructor(options: AgentOptions, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
    const { settings, clock, version, scopePid } = options;
    const { store, log, targets } = parts;
    const { rules } = parts.rules;
    this.#settings = settings;
    this.#rules = parts.rules;
    this.#targets = targets;
    this.#started = clock.now();
    this.lost = new Promise((_, reject) => {
      this.#onLost = reject;
    });
    // It may be lost before anybody waits for it.
    this.lost.catch(() => {});
    this.#root = new RootMap(settings.root);
    this.#managedMark = managedMark(settings.root, process.platform);
    rememberRoot(store, this.#root.root);
    this.#agentId = remembered(store, 'agent.id', randomUUID);
    const boot = readBootId();
    this.#boot = boot;
    const homes = userHomes(this.#root, clock, log.child({ stage: 'file-watch' }));
    const homePaths = () => homes().map(({ path }) => path);
    const places = new MechanismPlaces(settings.watch.mechanisms ? mechanisms : [], homePaths);
    const enricher = new Enricher({
      root: this.#root,
      clock,
      version,
      agentId: this.#agentId,
      hostId: remembered(store, 'host.id', randomUUID),
      boot,
      homes: homePaths,
      installed: () => this.#installed,
      namedPaths: new NamedPaths({ root: this.#root, volumes: mountedVolumes }),
    });
    this.#host = enricher.host;
    this.#forwarding = this.#forwardingTo(settings, targets);
    const agent = this;
    this.#signatures = new Signatures({
      events: store.events,
      log: log.child({ stage: 'signatures' }),
      simulated: this.#root.simulated,
      root: this.#root,
      amend: (event) => this.#pipeline.amend(event),
    });
    this.#scan = new AlertScan({
      events: store.events,
      settings: settings.scan,
      root: this.#root,
      clock,
      log: log.child({ stage: 'scan' }),
      amend: (event) => this.#pipeline.amend(event),
    });
    this.#exceptions = new ExceptionKeeper({
      settings: settings.exceptions,
      store,
      log: log.child({ stage: 'exceptions' }),
      replaced: (exceptions) => this.#pipeline.replaceExceptions(exceptions),
    });
    this.#canary = new CanaryKeeper({
      ...{ store, clock },
      log: log.child({ stage: 'canary' }),
      place: canaryPlace(this.#root),
      get destinations() {
        return agent.#forwarding.destinations;
      },
      ruleTrouble: (id) => this.#ruleTrouble(id),
      destinationTrouble: (name) =>
        this.#forwarding.forwarder.status().find((one) => one.name === name)?.reason ?? undefined,
      // Why the one before failed says nothing of this one.
      sightTrouble: () => this.#judgement({ canary: undefined }).reasons[0],
      everyMs: options.launchCanary === undefined ? undefined : settings.canary.everyMs,
      launch: (ended) => options.launchCanary?.(ended),
      reopen: (id) => this.#settling.reopen(id),
      failed: (gap) => this.#gap(gap),
    });
    this.#known = new KnownItems({
      store,
      enricher,
      root: this.#root,
      boot,
      log: log.child({ stage: 'items' }),
    });
    this.#settling = new Settling({
      store,
      exceptions: this.#exceptions,
      known: this.#known,
      canary: (alert) => this.#canary.settles(alert),
      get closeUpdates() {
        return agent.#settings.detect.closeUpdates;
      },
      revised: () => this.#forwarding.committed([]),
      get destinations() {
        return agent.#forwarding.destinations;
      },
      log,
    });
    this.#budget = new Budget({
      settings: settings.budget,
      clock,
      load: () => this.#figures.load,
      gap: (gap) => this.#gap(gap),
      exceeded: () => this.#scan.relieve(),
      kept: () => this.#inventory.catchUp(),
    });
    const attributes = attributesReader();
    this.#evidence = new EvidenceKeeper({
      ...{ store, clock, attributes },
      root: this.#root,
      log: log.child({ stage: 'evidence' }),
      places: new MechanismPlaces(mechanisms, homePaths),
    });
    this.#responding = new Responding({
      settings,
      store,
      root: this.#root,
      clock,
      log: log.child({ stage: 'respond' }),
      scopePid,
      get destinations() {
        return agent.#forwarding.destinations;
      },
      rules: new Set(rules.flatMap(({ meta }) => [meta.id, meta.name])),
      revised: () => this.#forwarding.committed([]),
      said: (author, text) => this.#forwarding.said(author, text),
    });
    const loaded = loadAddon();
    const addon = loaded.state === 'loaded' ? loaded.addon : undefined;
    this.#lines = new UnifiedLog(
      lineWriter({ root: this.#root, platform: process.platform, unifiedLog: addon?.unifiedLog }),
      clock,
    );
    this.#writers = new LikelyWriters({
      root: this.#root,
      clock,
      log: log.child({ stage: 'writers' }),
      wanted: () => !this.#sensors.knowsWriters,
      find: addon?.findHolders,
      processes: addon?.processes,
      stored: (id) => store.events.get(id),
      amend: (event) => this.#pipeline.amend(event),
    });
    this.#inventory = new InventoryKeeper({
      store,
      root: this.#root,
      clock,
      log: log.child({ stage: 'inventory' }),
      mechanisms,
      places: new MechanismPlaces(mechanisms, homePaths),
      homes: homePaths,
      signer: async (program, item) => {
        const signature = await this.#signatures.signerOf(program, item);
        if (signature !== undefined) this.#evidence.signed(program, signature);
        return signature;
      },
      onRefreshed: () => {
        this.#installed = new InstalledLabels(trustedLabels(store.inventory.list()));
      },
      affords: () => this.#budget.inventory(),
      onScanned: (items) => {
        this.#sensors.follow(runningItems(items.flatMap(({ entries }) => entries)));
        this.#evidence.scanned(items);
      },
      onChanges: (changes, how) => {
        if (!settings.watch.mechanisms) return;
        const found = foundChanges(changes, { places, boot, now: clock.now(), ...how });
        for (const one of found) this.#pipeline.observe(one);
        if (!how.away) return;
        for (const program of exchangedPrograms(changes))
          this.#sensors.programChanged(program, how.since ?? this.#started);
      },
    });
    this.#policy = new PolicyKeeper({
      dataDir: settings.dataDir,
      clock,
      log: log.child({ stage: 'policy' }),
      version,
      settings: () => this.#settings,
      tryOut: async (folder) => void (await options.reread?.(folder)),
      reload: () => this.#reload(),
      told: (action, text) => this.#forwarding.changed(action, text),
    });
    this.#pipeline = new Pipeline({
      store,
      keep: (observation) => this.#evidence.observed(observation),
      completed: (event) => this.#canary.completed(this.#writers.completed(event)),
      settles: (alert) => this.#canary.settles(alert),
      enricher,
      rules,
      clock,
      log,
      get destinations() {
        return agent.#forwarding.destinations;
      },
      muted: (ruleId) => this.#muted.has(ruleId),
      thins: () => this.#budget.over,
      stores: () => this.#budget.stores(),
      ask: (sensor, time) => this.#sensors.ask(time, sensor),
      context: () => ({
        version,
        agentId: this.#agentId,
        created: clock.now(),
        sensors: this.#sensors.kinds,
        simulated: this.#root.simulated,
      }),
      journaled: (events) => this.#forwarding.journaled(events),
      observed: (events) => {
        this.#top.observed(events);
        this.#sensors.journaled(events);
        this.#inventory.noticed(events);
        this.#evidence.noticed(events);
        this.#settling.observed(events);
        this.#responding.observed(events);
        this.#canary.observed(events);
      },
      committed: (alerts) => {
        this.#canary.committed(alerts);
        this.#sayAlerts(alerts);
        this.#settling.committed(alerts);
        this.#responding.committed(alerts);
        this.#forwarding.committed(alerts);
        this.#signatures.committed(alerts);
        this.#scan.committed(this.#budget.affords(alerts));
      },
      amended: (event) => {
        this.#settling.amended(event.id);
        this.#signatures.amended(event);
        this.#scan.amended(event);
      },
      excepted: (exception, time) => this.#exceptions.count(exception, time),
      gap: (gap) => this.#gap(gap),
      boot,
      sinceBoot: Number(process.hrtime.bigint()) / 1e6 - clock.monotonic(),
    });
    const names = new Map(rules.map(({ meta }) => [meta.id, meta.name]));
    this.#top = new Top({
      clock,
      hits: () => this.#pipeline.ruleHits(),
      nameOf: (id) => names.get(id) ?? id,
    });
    this.#figures = new Figures({ clock, sensors: () => this.#sensors.health() });
    this.#watchdog = new Watchdog({
      settings: settings.budget,
      clock,
      log: log.child({ stage: 'budget' }),
      helpers: () => this.#sensors.helpers(),
    });
    const complete = completeBefore(store, this.#started);
    this.#sensors = new SensorSet(
      {
        settings,
        root: this.#root,
        clock,
        log,
        boot,
        watched: watchedBy(rules, settings.watch.mechanisms ? mechanisms : []),
        homes,
        carries: (macPath) => places.find(macPath)?.describes === true,
        attributes,
        more: kindsFor(rules),
        scopePid,
        before:
          complete > 0
            ? {
                items: store.items.load(),
                completeThrough: complete,
                loaded: this.#loadedBefore(boot),
                fileEvents: store.progress.get('file_events'),
              }
            : undefined,
        onChanged: (event) => this.#writers.changed(event),
        onLoaded: (text) => this.#remember('launchd_loaded', `${boot}\n${text}`),
        onContext: (event) => enricher.context(event),
        onItem: (change) => this.#pipeline.remember(change),
        onSwitch: () => this.#muteRules(),
      },
      {
        observe: (observation) => this.#pipeline.observe(observation),
        completeThrough: (sensor, time) => this.#pipeline.completeThrough(sensor, time),
        started: (sensor) => this.#pipeline.watermark.add(sensor),
        ended: (sensor) => this.#pipeline.watermark.remove(sensor),
        gap: (gap) => this.#gap(gap),
      },
    );
  }

  #forwardingTo(settings: Settings, targets: readonly Target[]): Forwarding {
    const { clock, version } = this.#options;
    const { store, log } = this.#parts;
    return new Forwarding({
      settings,
      store,
      targets,
      clock,
      log: log.child({ stage: 'forward' }),
      version,
      agentId: this.#agentId,
      host: this.#host,
      simulated: this.#root.simulated,
      delivered: (destination, ids) => this.#canary.delivered(destination, ids),
      health: () => ({
        ...this.#judgement(),
        sensors: this.#sensors.kinds,
        rules: this.#rules.rules.length,
        ...this.#pipeline.counters,
      }),
    });
  }

  /** Sensors first, then the stored events once more, then live: what happened meanwhile is in the journal. */
  async start(): Promise<void> {
    const { clock, settings } = this.#options;
    const { log, store } = this.#parts;
    for (const warning of store.warnings) log.warn({}, warning);
    const before = completeBefore(store, this.#started);
    this.#exceptions.load();
    await this.#sensors.start();
    const seeing = clock.now();
    this.#muteRules();
    this.#pipeline.open();
    this.#signatures.committed(store.alerts.list({ limit: askedAgain }));
    // Nobody may have looked when they were loaded.
    for (const event of store.events.between(clock.now() - recentMicros, Number.MAX_SAFE_INTEGER))
      this.#sensors.journaled([event]);
    if (before > 0) {
      const detail = 'the agent did not run';
      // Since a moment ago every sensor sees.
      this.#gap({ sensor: 'agent', reason: 'restart', from: before, to: Math.max(before, seeing), detail });
    }
    this.#tellRulesGone(before || this.#started);
    this.#forwarding.start();
    const known = store.inventory.list().filter(({ gone }) => gone === undefined);
    this.#sensors.follow(runningItems(known.map(({ entry }) => entry)));
    this.#installed = new InstalledLabels(trustedLabels(known));
    this.#inventory.start();
    this.#timers.push(
      clock.every(heartbeatMs, () => this.#beat()),
      clock.every(progressEveryMs, () => this.#saveProgress()),
      clock.every(pruneEveryMs, () => this.#prune()),
      clock.every(managedEveryMs, () => this.#readManaged()),
    );
    this.#clockWatch = new ClockWatch(clock, (gap) => this.#gap(gap), this.#continued);
    process.on('SIGCONT', this.#continued.note);
    process.on('SIGHUP', this.#hup);
    this.#healthWatch = new HealthWatch({
      ...{ clock, log },
      judge: () => this.#judgement(),
      changed: (change) => this.#forwarding.health(change),
    });
    // Nobody waits for the files of the program to be listed.
    this.#timers.push(clock.after(ownFilesMs, () => this.#watchOwnFiles()));
    this.#folderWatch = new DataFolderWatch(
      settings.dataDir,
      clock,
      (detail) => this.#dataLost(detail),
      () => store.generation(),
    );
    try {
      this.#control = await ControlServer.listen(settings.dataDir, this.#handlers(), log);
    } catch (error) {
      log.error(
        { error: messageOf(error) },
        'no control socket: the CLI can read and not write while the agent runs',
      );
    }
    this.#ready = true;
    this.#policy.start();
    this.#responding.start();
    this.#canary.start();
    void this.#cleanUpCanary();
    this.#watchdog.start();
    void this.#scan.load();
    this.#saveProgress();
    log.info(
      {
        version: this.#options.version,
        sensors: this.#sensors.kinds,
        rules: this.#rules.rules.length,
        simulated: this.#root.simulated,
        data_dir: settings.dataDir,
      },
      'ready',
    );
    this.#lines.say(
      'agent',
      'notice',
      `version ${this.#options.version} is ready with ${this.#sensors.kinds.join(', ')}`,
    );
  }

  async stop(): Promise<void> {
    this.#lines.say('agent', 'notice', 'stops');
    for (const timer of this.#timers.splice(0)) timer.cancel();
    this.#clockWatch?.stop();
    process.off('SIGCONT', this.#continued.note);
    process.off('SIGHUP', this.#hup);
    await this.#policy.stop();
    await this.#reloading;
    this.#folderWatch?.stop();
    this.#healthWatch?.stop();
    this.#ownFiles?.stop();
    this.#watchdog.stop();
    this.#signatures.stop();
    await this.#scan.stop();
    this.#inventory.stop();
    this.#settling.stop();
    this.#canary.stop();
    await this.#responding.stop();
    this.#known.stop();
    await this.#control?.close();
    await this.#sensors.stop();
    this.#writers.stop();
    await this.#evidence.stop();
    if (!this.#ready) return;
    this.#pipeline.stop();
    this.#keepDeferred();
    this.#exceptions.flush();
    this.#saveProgress();
    await this.#forwarding.stop(drainMs, { last: true });
  }

  #beat(): void {
    this.#tendStore();
    this.#top.tick();
    if (this.#figures.tick()) this.#budget.tick();
    this.#sensors.ask(this.#options.clock.now() - heartbeatLagMs * 1000);
    this.#pipeline.flush();
    this.#exceptions.flush();
  }

  /** What the store had to do to go on is told like a gap: something may be missing. */
  #tendStore(): void {
    const { store, log } = this.#parts;
    try {
      store.tend();
      for (const notice of store.takeNotices()) this.#gap({ sensor: 'agent', ...notice });
    } catch (error) {
      log.error({ error: messageOf(error) }, 'the store could not be tended');
    }
  }

  #muteRules(): void {
    const { log } = this.#parts;
    const { rules } = this.#rules;
    const before = this.#muted;
    this.#muted = mutedRules(
      rules,
      this.#settings.rules,
      this.#sensors.kinds,
      this.#options.settings.watch.mechanisms,
    );
    const names = (of: (id: string) => boolean) =>
      rules.filter(({ meta }) => of(meta.id)).map(({ meta }) => meta.name);
    const off = names((id) => this.#muted.has(id) && !before.has(id));
    const on = names((id) => !this.#muted.has(id) && before.has(id));
    // One line however many they are: `coverage --degraded` has the reasons of each.
    if (off.length > 0)
      log.info(
        { count: off.length, rules: off.slice(0, namedRules) },
        'imported rules are degraded here, and off: see "launchwarden coverage --degraded"',
      );
    if (on.length > 0)
      log.info({ count: on.length, rules: on.slice(0, namedRules) }, 'imported rules are on again');
  }

  #saveProgress(): void {
    // What an earlier run knew counts until all of it has been compared.
    if (!this.#sensors.compared) return;
    if (!this.#baselineBegun) void this.#known.findBaseline();
    this.#baselineBegun = true;
    // Before anything was judged: what the sensors found at their start is all there is.
    this.#remember('complete_through', String(this.#pipeline.judgedThrough || this.#started));
    const { fileEventMark } = this.#sensors;
    if (fileEventMark !== undefined && fileEventMark !== this.#fileEventMark)
      this.#remember('file_events', fileEventMark);
    this.#fileEventMark = fileEventMark;
  }

  #keepDeferred(): void {
    try {
      this.#pipeline.saveDeferred();
    } catch (error) {
      this.#parts.log.error({ error: messageOf(error) }, 'what deferred rules wait for could not be stored');
    }
  }

  #remember(key: string, value: string): void {
    try {
      this.#parts.store.progress.set(key, value);
    } catch (error) {
      this.#parts.log.error({ error: messageOf(error) }, 'progress could not be stored');
    }
  }

  /** After another start of the machine launchd has loaded everything anew. */
  #loadedBefore(boot: string): string | undefined {
    const [of, text] = (this.#parts.store.progress.get('launchd_loaded') ?? '').split('\n', 2);
    return of === boot ? text : undefined;
  }

  #sayAlerts(alerts: readonly Alert[]): void {
    for (const { id, severity, ruleName, revision } of alerts)
      if (revision === 1 && (severity === 'high' || severity === 'critical'))
        this.#lines.say('alert', 'fault', `${severity} alert ${id.slice(0, 8)}: ${ruleName}`);
  }

  /** Says when the agent became blind, and when it sees again. */
  #sayVerdict(): void {
    const { verdict, reasons } = this.#judgement();
    if (verdict === 'blind' && this.#verdict !== 'blind')
      this.#lines.say('agent', 'fault', `BLIND: ${reasons[0]?.split(':')[0] ?? ''}`);
    else if (verdict !== 'blind' && this.#verdict === 'blind')
      this.#lines.say('agent', 'notice', 'sees again');
    this.#verdict = verdict;
  }

  #prune(): void {
    this.#sayVerdict();
    const { clock } = this.#options;
    const settings = this.#settings;
    const { store, log } = this.#parts;
    try {
      store.events.prune(settings.retention.eventBytes, clock.now() - this.#pipeline.horizon);
      store.alerts.prune(clock.now() - settings.retention.closedAlerts);
      store.stories.prune();
    } catch (error) {
      log.error({ error: messageOf(error) }, 'old records could not be removed');
    }
    this.#keepDeferred();
  }

  /** Whoever started the agent starts it again, on a new folder; what is in the old one is still delivered. */
  #dataLost(detail: string): void {
    const now = this.#options.clock.now();
    this.#gap({ sensor: 'agent', reason: 'data-lost', from: now, to: now, detail });
    this.#onLost(
      new UserError('agent/data-lost', `the data of the running agent were taken away: ${detail}`, {
        hint: 'Find out who did that. Alerts that no destination has got by now are only in the files that were removed.',
      }),
    );
  }

  /** Reads the whole configuration again, one reload after the other. Never rejects. */
  #reload(): Promise<ReloadAnswer> {
    const done = this.#reloading.then(() => this.#readAgain());
    this.#reloading = done;
    return done;
  }

  /** A profile came, changed or went. */
  #readManaged(): void {
    const mark = managedMark(this.#options.settings.root, process.platform);
    if (mark === this.#managedMark) return;
    this.#managedMark = mark;
    void this.#reload();
  }

  async #readAgain(): Promise<ReloadAnswer> {
    const { log } = this.#parts;
    try {
      const next = (await this.#options.reread?.()) ?? this.#settings;
      const selected = selectRules(next);
      const changed = changedKeys(this.#settings, next);
      // May refuse: nothing else has been changed then.
      const isSame = sameRules(this.#rules.rules, selected.rules);
      if (!isSame) this.#pipeline.replaceRules(selected.rules);
      await this.#takeUp(next, selected);
      if (!isSame) this.#tellRulesGone(this.#options.clock.now());
      this.#reloadRefused = undefined;
      const now = changed.filter(isTakenUp);
      this.#needRestart = this.#restartKeys();
      log.info(
        { changed: now, restart: this.#needRestart, rules: selected.rules.length },
        'configuration read again',
      );
      return { changed: now, restart: this.#needRestart, refused: null };
    } catch (error) {
      const reason = error instanceof UserError ? error.describe() : messageOf(error);
      if (this.#reloadRefused !== reason) this.#forwarding.changed('config-refused', reason);
      this.#reloadRefused = reason;
      log.error({ error: reason }, 'the configuration is refused: the one before stays in force');
      return { changed: [], restart: this.#needRestart, refused: reason };
    }
  }

  async #takeUp(next: Settings, selected: SelectedRules): Promise<void> {
    const { log } = this.#parts;
    const before = this.#settings;
    this.#settings = next;
    this.#rules = selected;
    this.#tellRulesGone(this.#options.clock.now());
    logParked(selected.parked, log);
    this.#muteRules();
    log.setLevel(next.log.level);
    this.#exceptions.configure(next.exceptions);
    this.#exceptions.load();
    this.#scan.configure(next.scan);
    await this.#scan.load();
    if (!sameForwarding(before, next)) await this.#forwardTo(next);
    this.#policy.reconfigured();
  }

  /** What comes meanwhile is queued for the new destinations. */
  async #forwardTo(next: Settings): Promise<void> {
    const before = this.#forwarding;
    const context = targetContext({ ...this.#options, settings: next }, this.#parts.log);
    this.#targets = await openTargets(next.destinations, context);
    this.#forwarding = this.#forwardingTo(next, this.#targets);
    await before.stop(drainMs);
    this.#forwarding.start();
  }

  /** What differs from what the agent was started with, and is read at a start alone. */
  #restartKeys(): string[] {
    const keys = changedKeys(this.#options.settings, this.#settings).filter((key) => !isTakenUp(key));
    const watched = this.#options.settings.watch.mechanisms ? mechanisms : [];
    const unseen = newlyWanted(this.#parts.rules.rules, this.#rules.rules, watched);
    return [...keys, ...unseen.map((what) => `rules: ${what}`)];
  }

  #configReasons(): string[] {
    const refused = this.#reloadRefused?.split('\n')[0];
    return [
      ...(refused === undefined ? [] : [`the configuration on the disk is refused: ${refused}`]),
      ...this.#settings.problems.map(({ message }) => message),
      ...this.#policy.condition().reasons,
    ];
  }

  #gap(gap: Gap): void {
    const { log, store } = this.#parts;
    log.warn({ ...gap }, 'gap');
    this.#figures.gap(gap);
    const seen = gap.blinded === true ? ', and something may have been missed' : '';
    this.#lines.say('gap', 'error', `gap of ${gap.sensor}: ${gap.reason}${seen}`);
    try {
      store.gaps.add(gap);
      this.#forwarding.gap(gap);
    } catch (error) {
      log.error({ error: messageOf(error) }, 'gap could not be stored');
    }
    const event = sightLostEvent(gap, this.#boot);
    if (event !== undefined) this.#pipeline.observe({ event });
  }

  #watchOwnFiles(): void {
    const { clock, program } = this.#options;
    const { store, log } = this.#parts;
    try {
      this.#ownFiles = new OwnFiles({
        ...{ clock, log, program },
        job: this.#root.toHost(ownJob),
        known: store.meta.get(ownFilesKey),
        remember: (text) => store.meta.set(ownFilesKey, text),
        changed: (gap) => this.#gap(gap),
      });
    } catch (error) {
      log.error({ error: messageOf(error) }, "the agent's own files cannot be watched");
    }
  }

  #tellRulesGone(before: Micros): void {
    const { store, log } = this.#parts;
    try {
      const running = new Map(this.#rules.rules.map(({ meta }) => [meta.id, meta.name]));
      const gap = rulesGone(store, running, { before, now: this.#options.clock.now() });
      if (gap !== undefined) this.#gap(gap);
    } catch (error) {
      log.error({ error: messageOf(error) }, 'which rules run could not be stored');
    }
  }

  /** Why a rule does not alert here; undefined of one that does. */
  #ruleTrouble(id: string): string | undefined {
    if (!this.#rules.rules.some(({ meta }) => meta.id === id)) return 'it is switched off or missing';
    return this.#muted.get(id)?.join('; ');
  }

  /** What a canary that was killed has left. */
  async #cleanUpCanary(): Promise<void> {
    const { log } = this.#parts;
    try {
      const lines = await cleanUpCanary(this.#options.settings.dataDir, this.#root);
      for (const line of lines) log.warn({ line }, 'cleaned up after a canary that was killed');
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'what a canary left could not be cleaned up');
    }
  }

  #handlers(): ControlHandlers {
    const agent = this;
    return {
      status: () => this.#status(),
      top: (args) => this.#top.status(mostOf(args)),
      reload: async () => {
        await this.#sensors.retryTiers();
        const config = await this.#reload();
        this.#policy.checkSoon();
        return { tier: this.#sensors.tier(), exceptions: this.#exceptions.status(), config };
      },
      'inventory.refresh': () => this.#inventory.refresh(),
      [baselineOp]: (args) => applyBaseline(this.#parts.store, args, { now: this.#options.clock.now() }),
      [keepAnswersOp]: (args) => keepAnswers(this.#parts.store, args),
      [triageOp]: (args) => {
        const done = applyTriage(this.#parts.store, args, this.#forwarding.destinations);
        this.#forwarding.forwarder.wake();
        return done;
      },
      [escalateOp]: (args) =>
        applyEscalation(
          {
            store: this.#parts.store,
            version: this.#options.version,
            agentId: this.#agentId,
            now: () => this.#options.clock.now(),
            destinations: this.#forwarding.destinations,
            known: this.#targets
              .filter(({ destination }) => destination.type !== 'notification')
              .map(({ destination }) => destination.name),
            limitOf: (name) =>
              this.#targets.find(({ destination }) => destination.name === name)?.destination.limits.maxBytes,
            added: () => this.#forwarding.forwarder.wake(),
          },
          args,
        ),
      [reloadExceptionsOp]: () => this.#exceptions.reload(),
      ...this.#responding.handlers(),
      ...this.#canary.handlers(),
      ...forwardHandlers({
        outbox: this.#parts.store.outbox,
        get forwarder() {
          return agent.#forwarding.forwarder;
        },
      }),
    };
  }

  #judgement(known: { readonly canary?: string | undefined } = { canary: this.#canary.trouble }): Judgement {
    const { store } = this.#parts;
    const { passedOver, parked } = this.#rules;
    return judgeHealth({
      tier: this.#sensors.tier(),
      sensors: this.#sensors.health(),
      rules: { passedOver: filesOf(passedOver), parked, muted: this.#muted.size },
      config: this.#configReasons(),
      exceptions: this.#exceptions.refused,
      scan: this.#scan.trouble,
      canary: known.canary,
      budget: this.#budget.trouble,
      store: store.condition(),
      destinations: this.#forwarding.forwarder.status(),
    });
  }

  #lastAlert(): object | null {
    const [last] = this.#parts.store.alerts.list({ limit: 1 });
    if (last === undefined) return null;
    const { id, time, ruleName, severity } = last;
    return { id, at: formatMicros(time), rule: ruleName, severity };
  }

  #status(): object {
    this.#beat();
    const { settings, version } = this.#options;
    const { rules, off, parked, passedOver } = this.#rules;
    return {
      ...this.#judgement(),
      version,
      pid: process.pid,
      started: formatMicros(this.#started),
      simulated: this.#root.simulated,
      root: settings.root ?? null,
      rules: rules.length,
      rule_counts: {
        on: rules.length - this.#muted.size,
        off,
        degraded: this.#muted.size,
        parked: parked.length,
        passed_over: filesOf(passedOver),
      },
      rule_digests: Object.fromEntries(rules.map((rule) => [rule.meta.id, ruleDigest(rule)])),
      parked_rules: parked,
      alerts: this.#parts.store.alerts.waiting(),
      figures: this.#figures.status(),
      queues: this.#pipeline.depths,
      budget: { ...this.#budget.status(), ...this.#watchdog.status() },
      last_alert: this.#lastAlert(),
      destinations: this.#forwarding.forwarder.status(),
      disk: diskUse(settings.dataDir),
      disk_access: diskAccess(this.#root),
      complete_through: this.#pipeline.judgedThrough,
      tier: this.#sensors.tier(),
      addon: addonCondition(),
      sensors: this.#sensors.health(),
      muted_rules: Object.fromEntries(this.#muted),
      signatures: this.#signatures.status(),
      inventory: this.#inventory.status(),
      evidence: this.#evidence.status(),
      likely_writers: this.#writers.status(),
      scan: this.#scan.status(),
      exceptions: this.#exceptions.status(),
      config: { refused: this.#reloadRefused ?? null, restart: this.#needRestart },
      policy: this.#policy.status(),
      respond: this.#responding.status(),
      canary: this.#canary.status(),
      store: this.#parts.store.condition(),
      chain: chainStatus(this.#parts.store),
      pipeline: this.#pipeline.counters,
      detect: this.#pipeline.detectorCounters(),
    };
  }
}

/** `{ most: 20 }`: lines of each list. */
function mostOf(args: unknown): number | undefined {
  const most = (args as { most?: unknown } | null | undefined)?.most;
  return typeof most === 'number' && most > 0 ? Math.floor(most) : undefined;
}

/** The system's folder for root and in a tree, else that of the user who runs the agent. */
function canaryPlace({ simulated }: RootMap): CanaryPlace {
  return simulated || process.geteuid?.() === 0 ? { kind: 'daemon' } : { kind: 'agent', home: os.homedir() };
}

/** What the newest alert carries in `launchwarden.chain`, for `verify --head`. */
function chainStatus({ alerts }: Store): object {
  const { id, length, head } = alerts.chain();
  return { id, length, digest: head };
}

function filesOf(passedOver: readonly { readonly file?: string | undefined }[]): number {
  return new Set(passedOver.map(({ file }) => file)).size;
}

/** A time so far beyond the clock is a damaged one, microseconds. */
const farBeyond = 366 * 86_400 * 1e6;

/** Up to when the run before had seen everything; 0 before the first. Where that is damaged, its newest event tells. */
function completeBefore(store: Store, now: Micros): Micros {
  const text = store.progress.get('complete_through');
  const time = Number(text);
  if (text === undefined) return 0;
  if (Number.isSafeInteger(time) && time < now + farBeyond) return time;
  return Math.min(store.events.extent().last ?? 0, now);
}

/** Commands work where the agent looks. */
function rememberRoot(store: Store, root: string): void {
  if ((store.meta.get(observedRootKey) ?? '') !== root) store.meta.set(observedRootKey, root);
}

/** A value made once and kept with the data. */
function remembered(store: Store, key: string, make: () => string): string {
  const known = store.meta.get(key);
  if (known !== undefined) return known;
  const value = make();
  store.meta.set(key, value);
  return value;
}
