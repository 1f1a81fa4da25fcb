import os from 'node:os';
import { messageOf } from '../base/errors.js';
import type { AdjustableLogger } from '../base/log.js';
import { RootMap } from '../base/root.js';
import type { CanaryPlace } from '../canary/index.js';
import type { Settings } from '../config/index.js';
import { Enricher, NamedPaths } from '../enrich/index.js';
import type { Gap } from '../event/event.js';
import type { Target } from '../forward/index.js';
import { InstalledLabels, MechanismPlaces, mechanisms } from '../mechanisms/index.js';
import { attributesReader, loadAddon } from '../sensors/addon/index.js';
import type { Store } from '../store/index.js';
import { judgeAgent, type StatusParts } from './agent-status.js';
import { AlertScan } from './alert-scan.js';
import { readBootId } from './boot.js';
import { Budget } from './budget.js';
import { CanaryKeeper } from './canary.js';
import { Destinations } from './destinations.js';
import { EvidenceKeeper } from './evidence.js';
import { ExceptionKeeper } from './exceptions.js';
import { Figures } from './figures.js';
import { foundChanges } from './found-changes.js';
import { userHomes } from './homes.js';
import { identityOf, rememberRoot } from './identity.js';
import { InventoryKeeper } from './inventory.js';
import { KnownItems } from './known-items.js';
import { LikelyWriters } from './likely-writers.js';
import { NotableLines } from './notable-lines.js';
import type { AgentOptions } from './options.js';
import { Pipeline } from './pipeline.js';
import { PolicyKeeper } from './policy.js';
import { Progress } from './progress.js';
import { Reloading } from './reloading.js';
import { Responding } from './responding.js';
import { kindsFor, type SelectedRules } from './rules.js';
import { exchangedPrograms, runningItems, trustedLabels } from './running-items.js';
import { RunningRules } from './running-rules.js';
import { SensorSet } from './sensors.js';
import { Settling } from './settling.js';
import { sightLostEvent } from './sight-lost.js';
import { Signatures } from './signatures.js';
import { Top } from './top.js';
import { lineWriter, UnifiedLog } from './unified-log.js';
import type { V8Tuning } from './v8-tuning.js';
import { mountedVolumes } from './volumes.js';
import { Watchdog } from './watchdog.js';
import { watchedBy } from './watched.js';

/** Opened by the caller, who closes the store. */
export interface Opened {
  readonly rules: SelectedRules;
  readonly log: AdjustableLogger;
  readonly store: Store;
  readonly targets: readonly Target[];
  /** Of this process, where the agent is all that it does. */
  readonly tuning?: V8Tuning;
}

/** The parts of an agent, wired to each other: nothing has started yet. */
export type Wired = ReturnType<typeof wireAgent>;

/**
 * Makes the parts of an agent and tells each one what the others want to hear of. Each part does its own work and knows none
 * of the others; the order of starting and stopping them is the agent's.
 */
export function wireAgent(options: AgentOptions, { rules: selected, log, store, targets }: Opened) {
  const { settings, clock, version, scopePid } = options;
  const atStart = selected.rules;
  const started = clock.now();
  const root = new RootMap(settings.root);
  rememberRoot(store, root.root);
  const { agentId, hostId } = identityOf(store);
  const boot = readBootId();
  const progress = new Progress({ store, log, boot, started });
  /** Labels of launch items that are trusted here. */
  const trusted = { labels: new InstalledLabels() };
  const tellGap = (gap: Gap): void => {
    log.warn({ ...gap }, 'gap');
    figures.gap(gap);
    lines.gap(gap);
    try {
      store.gaps.add(gap);
      destinations.forwarding.gap(gap);
    } catch (error) {
      log.error({ error: messageOf(error) }, 'gap could not be stored');
    }
    const event = sightLostEvent(gap, boot);
    if (event !== undefined) pipeline.observe({ event });
  };
  const rules: RunningRules = new RunningRules({
    ...{ store, clock, log, selected },
    settings: settings.rules,
    mechanisms: settings.watch.mechanisms,
    kinds: () => sensors.kinds,
    replaced: (next) => pipeline.replaceRules(next),
    gap: (gap) => tellGap(gap),
  });
  const reloading: Reloading = new Reloading({
    ...{ settings, rules: atStart, log },
    reread: options.reread,
    replaceRules: (next, { rules: of }) => rules.replace(next, of),
    takeUp: async (next) => {
      log.setLevel(next.log.level);
      budget.configure(next.budget);
      watchdog.configure(next.budget);
      canary.schedule(canaryEvery(next));
      responding.configure(next.respond);
      store.evidence.resize(next.retention.evidenceBytes);
      exceptions.configure(next.exceptions);
      exceptions.load();
      scan.configure(next.scan);
      await scan.load();
      await destinations.configure(next);
      policy.reconfigured();
    },
    refused: (reason) => destinations.forwarding.changed('config-refused', reason),
  });
  const canaryEvery = ({ canary: { everyMs } }: Settings) =>
    options.launchCanary === undefined ? undefined : everyMs;
  const homes = userHomes(root, clock, log.child({ stage: 'file-watch' }));
  const homePaths = () => homes().map(({ path }) => path);
  const places = new MechanismPlaces(mechanisms, homePaths);
  const enricher = new Enricher({
    root,
    clock,
    version,
    agentId,
    hostId,
    boot,
    places,
    installed: () => trusted.labels,
    namedPaths: new NamedPaths({ root, volumes: mountedVolumes }),
  });
  const destinations: Destinations = new Destinations({
    ...{ settings, targets, store, clock, log, version, agentId },
    host: enricher.host,
    simulated: root.simulated,
    delivered: (destination, ids) => canary.delivered(destination, ids),
    health: () => ({
      ...judgeAgent(told),
      sensors: sensors.kinds,
      rules: rules.all.length,
      exceptions: exceptions.current.size,
      ...pipeline.counters,
    }),
  });
  const signatures: Signatures = new Signatures({
    events: store.events,
    log: log.child({ stage: 'signatures' }),
    simulated: root.simulated,
    root,
    amend: (event) => pipeline.amend(event),
  });
  const scan: AlertScan = new AlertScan({
    events: store.events,
    settings: settings.scan,
    root,
    clock,
    log: log.child({ stage: 'scan' }),
    amend: (event) => pipeline.amend(event),
  });
  const exceptions: ExceptionKeeper = new ExceptionKeeper({
    settings: settings.exceptions,
    store,
    log: log.child({ stage: 'exceptions' }),
    replaced: (exceptions) => pipeline.replaceExceptions(exceptions),
  });
  const canary: CanaryKeeper = new CanaryKeeper({
    ...{ store, clock },
    log: log.child({ stage: 'canary' }),
    place: canaryPlace(root),
    get destinations() {
      return destinations.names;
    },
    ruleTrouble: (id) => rules.trouble(id),
    destinationTrouble: (name) => destinations.trouble(name),
    // Why the one before failed says nothing of this one.
    sightTrouble: () => judgeAgent(told, { withCanary: false }).reasons[0],
    everyMs: canaryEvery(settings),
    launch: (ended) => options.launchCanary?.(ended),
    reopen: (id) => settling.reopen(id),
    failed: (gap) => tellGap(gap),
  });
  const known: KnownItems = new KnownItems({
    store,
    enricher,
    root,
    boot,
    log: log.child({ stage: 'items' }),
  });
  const settling: Settling = new Settling({
    store,
    exceptions,
    known,
    canary: (alert) => canary.settles(alert),
    get closeUpdates() {
      return reloading.settings.detect.closeUpdates;
    },
    revised: () => destinations.forwarding.committed([]),
    get destinations() {
      return destinations.names;
    },
    log,
  });
  const budget: Budget = new Budget({
    settings: settings.budget,
    clock,
    load: () => figures.load,
    gap: (gap) => tellGap(gap),
    exceeded: () => scan.relieve(),
    kept: () => inventory.catchUp(),
  });
  const attributes = attributesReader();
  const evidence: EvidenceKeeper = new EvidenceKeeper({
    ...{ store, clock, attributes },
    root,
    log: log.child({ stage: 'evidence' }),
    places,
  });
  const responding: Responding = new Responding({
    settings,
    store,
    root,
    clock,
    log: log.child({ stage: 'respond' }),
    scopePid,
    get destinations() {
      return destinations.names;
    },
    runs: (rule) => rules.all.some(({ meta }) => meta.id === rule || meta.name === rule),
    revised: () => destinations.forwarding.committed([]),
    said: (author, text) => destinations.forwarding.said(author, text),
  });
  const loaded = loadAddon();
  const addon = loaded.state === 'loaded' ? loaded.addon : undefined;
  const write = lineWriter({ root, platform: process.platform, unifiedLog: addon?.unifiedLog });
  const lines: NotableLines = new NotableLines(new UnifiedLog(write, clock));
  const writers: LikelyWriters = new LikelyWriters({
    root,
    clock,
    log: log.child({ stage: 'writers' }),
    wanted: () => !sensors.knowsWriters,
    find: addon?.findHolders,
    processes: addon?.processes,
    stored: (id) => store.events.get(id),
    amend: (event) => pipeline.amend(event),
  });
  const inventory: InventoryKeeper = new InventoryKeeper({
    store,
    root,
    clock,
    log: log.child({ stage: 'inventory' }),
    mechanisms,
    places,
    homes: homePaths,
    signer: async (program, item) => {
      const signature = await signatures.signerOf(program, item);
      if (signature !== undefined) evidence.signed(program, signature);
      return signature;
    },
    onRefreshed: () => {
      trusted.labels = new InstalledLabels(trustedLabels(store.inventory.list()));
    },
    affords: () => budget.inventory(),
    onScanned: (items) => {
      sensors.follow(runningItems(items.flatMap(({ entries }) => entries)));
      evidence.scanned(items);
    },
    onChanges: (changes, how) => {
      if (!settings.watch.mechanisms) return;
      const found = foundChanges(changes, { places, boot, now: clock.now(), ...how });
      for (const one of found) pipeline.observe(one);
      if (!how.away) return;
      for (const program of exchangedPrograms(changes)) sensors.programChanged(program, how.since ?? started);
    },
  });
  const policy: PolicyKeeper = new PolicyKeeper({
    dataDir: settings.dataDir,
    clock,
    log: log.child({ stage: 'policy' }),
    version,
    settings: () => reloading.settings,
    tryOut: async (folder) => void (await options.reread?.(folder)),
    reload: () => reloading.reload(),
    told: (action, text) => destinations.forwarding.changed(action, text),
  });
  const pipeline: Pipeline = new Pipeline({
    store,
    keep: (observation) => evidence.observed(observation),
    completed: (event) => canary.completed(writers.completed(event)),
    settles: (alert) => canary.settles(alert),
    enricher,
    rules: atStart,
    clock,
    log,
    get destinations() {
      return destinations.names;
    },
    muted: (ruleId) => rules.muted.has(ruleId),
    thins: () => budget.over,
    stores: () => budget.stores(),
    ask: (sensor, time) => sensors.ask(time, sensor),
    context: () => ({
      version,
      agentId,
      created: clock.now(),
      sensors: sensors.kinds,
      simulated: root.simulated,
    }),
    journaled: (events) => destinations.forwarding.journaled(events),
    observed: (events) => {
      top.observed(events);
      sensors.journaled(events);
      inventory.noticed(events);
      evidence.noticed(events);
      settling.observed(events);
      responding.observed(events);
      canary.observed(events);
    },
    committed: (alerts) => {
      canary.committed(alerts);
      lines.alerts(alerts);
      settling.committed(alerts);
      responding.committed(alerts);
      destinations.forwarding.committed(alerts);
      signatures.committed(alerts);
      scan.committed(budget.affords(alerts));
    },
    amended: (event) => {
      settling.amended(event.id);
      signatures.amended(event);
      scan.amended(event);
    },
    excepted: (exception, time) => exceptions.count(exception, time),
    gap: (gap) => tellGap(gap),
    boot,
    sinceBoot: Number(process.hrtime.bigint()) / 1e6 - clock.monotonic(),
  });
  const top: Top = new Top({
    clock,
    hits: () => pipeline.ruleHits(),
    nameOf: (id) => rules.all.find(({ meta }) => meta.id === id)?.meta.name ?? id,
  });
  const figures: Figures = new Figures({ clock, sensors: () => sensors.health() });
  const watchdog: Watchdog = new Watchdog({
    settings: settings.budget,
    clock,
    log: log.child({ stage: 'budget' }),
    helpers: () => sensors.helpers(),
  });
  const sensors: SensorSet = new SensorSet(
    {
      settings,
      root,
      clock,
      log,
      boot,
      watched: watchedBy(atStart, settings.watch.mechanisms ? mechanisms : []),
      homes,
      carries: (macPath) => settings.watch.mechanisms && places.find(macPath)?.describes === true,
      attributes,
      more: kindsFor(atStart),
      scopePid,
      early: options.early,
      before:
        progress.before > 0
          ? {
              items: store.items.load(),
              completeThrough: progress.before,
              loaded: progress.loadedBefore,
              fileEvents: progress.fileEventsBefore,
            }
          : undefined,
      onChanged: (event) => writers.changed(event),
      onLoaded: (text) => progress.loaded(text),
      onContext: (event) => enricher.context(event),
      onItem: (change) => pipeline.remember(change),
      onSwitch: () => rules.mute(),
    },
    {
      observe: (observation) => pipeline.observe(observation),
      completeThrough: (sensor, time) => pipeline.completeThrough(sensor, time),
      started: (sensor) => pipeline.watermark.add(sensor),
      ended: (sensor) => pipeline.watermark.remove(sensor),
      gap: (gap) => tellGap(gap),
    },
  );
  /** All whose condition `status` tells. */
  const parts = {
    ...{ sensors, rules, reloading, policy, exceptions, scan, canary, budget, destinations },
    ...{ pipeline, figures, watchdog, signatures, inventory, evidence, writers, responding },
  };
  const { dataDir } = settings;
  const told: StatusParts = { ...parts, version, store, started, root, dataDir, observed: settings.root };
  return { ...parts, told, tellGap, root, started, progress, trusted, agentId, top, known, lines, settling };
}

/** The system's folder for root and in a tree, else that of the user who runs the agent. */
function canaryPlace({ simulated }: RootMap): CanaryPlace {
  return simulated || process.geteuid?.() === 0 ? { kind: 'daemon' } : { kind: 'agent', home: os.homedir() };
}
