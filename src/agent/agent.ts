import type { Timer } from '../base/clock.js';
import { messageOf, UserError } from '../base/errors.js';
import { cleanUpCanary } from '../canary/index.js';
import { InstalledLabels } from '../mechanisms/index.js';
import { agentStatus, judgeAgent } from './agent-status.js';
import { type ControlHandlers, ControlServer } from './control.js';
import { DataFolderWatch } from './data-folder.js';
import { reloadExceptionsOp } from './exceptions.js';
import { ClockWatch, Continued } from './health.js';
import { HealthWatch } from './health-watch.js';
import type { AgentOptions } from './options.js';
import { OwnFiles, ownJob } from './own-files.js';
import { runningItems, trustedLabels } from './running-items.js';
import { storeHandlers } from './store-handlers.js';
import { prune, tendStore } from './upkeep.js';
import { type Opened, type Wired, wireAgent } from './wiring.js';

/** How far the agent had seen is written down this often; after a crash it looks back to there. */
const progressEveryMs = 1_000;
/** Nothing may happen and the watermark must still move, for sequences that end without an event. */
const heartbeatMs = 1_000;
/** What the sensors are asked about then, milliseconds ago: each can answer at once. */
const heartbeatLagMs = 200;
const pruneEveryMs = 60_000;
/** Managed preferences are looked at this often. */
const managedEveryMs = 60_000;
/** File events of so long ago are looked at again after a start: as long as launchd is asked about an item. */
const recentMicros = 60_000_000;
/** So many of the newest alerts are looked at after a start: the signature of a program may not have been told yet. */
const askedAgain = 100;
/** The agent's own files are listed so long after its start, milliseconds. */
const ownFilesMs = 5_000;
const ownFilesKey = 'own.files';

/** The life of an agent: in which order its parts start and stop, and what is done every second and every minute. */
export class Agent {
  readonly #options: AgentOptions;
  readonly #opened: Opened;
  readonly #parts: Wired;
  readonly #hup = (): void => void this.#parts.reloading.reload();
  readonly #timers: Timer[] = [];
  readonly #continued = new Continued();
  #control: ControlServer | undefined;
  #clockWatch: ClockWatch | undefined;
  #folderWatch: DataFolderWatch | undefined;
  #healthWatch: HealthWatch | undefined;
  #ownFiles: OwnFiles | undefined;
  #baselineBegun = false;
  #ready = false;
  /** Rejects when the data folder was taken away. */
  readonly lost: Promise<never>;
  #onLost: (error: UserError) => void = () => {};

  constructor(options: AgentOptions, opened: Opened) {
    this.#options = options;
    this.#opened = opened;
    this.lost = new Promise((_, reject) => {
      this.#onLost = reject;
    });
    // It may be lost before anybody waits for it.
    this.lost.catch(() => {});
    this.#parts = wireAgent(options, opened);
  }

  /** Sensors first, then the stored events once more, then live: what happened meanwhile is in the journal. */
  async start(): Promise<void> {
    const { clock, settings, version } = this.#options;
    const { log, store } = this.#opened;
    const { sensors, rules, pipeline, destinations, inventory, lines, started, tellGap } = this.#parts;
    const { before } = this.#parts.progress;
    for (const warning of store.warnings) log.warn({}, warning);
    this.#parts.exceptions.load();
    await sensors.start();
    const seeing = clock.now();
    rules.mute();
    pipeline.open();
    this.#parts.signatures.committed(store.alerts.list({ limit: askedAgain }));
    // Nobody may have looked when they were loaded.
    for (const event of store.events.between(clock.now() - recentMicros, Number.MAX_SAFE_INTEGER))
      sensors.journaled([event]);
    if (before > 0) {
      const detail = 'the agent did not run';
      // Set back meanwhile, the clock has still to come to what it said when we ended.
      const from = before <= seeing ? before : Math.min(pipeline.asSetNow(before), seeing);
      // Since a moment ago every sensor sees.
      tellGap({ sensor: 'agent', reason: 'restart', from, to: seeing, detail });
    }
    rules.tellGone(before || started);
    destinations.start();
    const known = store.inventory.list().filter(({ gone }) => gone === undefined);
    sensors.follow(runningItems(known.map(({ entry }) => entry)));
    this.#parts.trusted.labels = new InstalledLabels(trustedLabels(known));
    inventory.start();
    this.#startTimers();
    try {
      this.#control = await ControlServer.listen(settings.dataDir, this.#handlers(), log);
    } catch (error) {
      log.error(
        { error: messageOf(error) },
        'no control socket: the CLI can read and not write while the agent runs',
      );
    }
    this.#ready = true;
    this.#parts.policy.start();
    this.#parts.responding.start();
    this.#parts.canary.start();
    void this.#cleanUpCanary();
    this.#parts.watchdog.start();
    void this.#parts.scan.load();
    this.#saveProgress();
    log.info(
      {
        version,
        sensors: sensors.kinds,
        rules: rules.all.length,
        simulated: this.#parts.root.simulated,
        data_dir: settings.dataDir,
      },
      'ready',
    );
    lines.ready(version, sensors.kinds);
  }

  async stop(): Promise<void> {
    const parts = this.#parts;
    parts.lines.stops();
    for (const timer of this.#timers.splice(0)) timer.cancel();
    this.#clockWatch?.stop();
    process.off('SIGCONT', this.#continued.note);
    process.off('SIGHUP', this.#hup);
    await parts.policy.stop();
    await parts.reloading.stop();
    this.#folderWatch?.stop();
    this.#healthWatch?.stop();
    this.#ownFiles?.stop();
    parts.watchdog.stop();
    parts.signatures.stop();
    await parts.scan.stop();
    parts.inventory.stop();
    parts.settling.stop();
    parts.canary.stop();
    await parts.responding.stop();
    parts.known.stop();
    await this.#control?.close();
    await parts.sensors.stop();
    parts.writers.stop();
    await parts.evidence.stop();
    if (!this.#ready) return;
    parts.pipeline.stop();
    this.#keepDeferred();
    parts.exceptions.flush();
    this.#saveProgress();
    await parts.destinations.stop();
  }

  #startTimers(): void {
    const { clock, settings } = this.#options;
    const { log, store } = this.#opened;
    const { reloading, destinations, told, tellGap } = this.#parts;
    this.#timers.push(
      clock.every(heartbeatMs, () => this.#beat()),
      clock.every(progressEveryMs, () => this.#saveProgress()),
      clock.every(pruneEveryMs, () => this.#prune()),
      clock.every(managedEveryMs, () => reloading.lookAtProfiles()),
    );
    this.#clockWatch = new ClockWatch(clock, tellGap, this.#continued);
    process.on('SIGCONT', this.#continued.note);
    process.on('SIGHUP', this.#hup);
    this.#healthWatch = new HealthWatch({
      ...{ clock, log },
      judge: () => judgeAgent(told),
      changed: (change) => destinations.forwarding.health(change),
    });
    // Nobody waits for the files of the program to be listed.
    this.#timers.push(clock.after(ownFilesMs, () => this.#watchOwnFiles()));
    this.#folderWatch = new DataFolderWatch(
      settings.dataDir,
      clock,
      (detail) => this.#dataLost(detail),
      () => store.generation(),
    );
  }

  #beat(): void {
    const { top, figures, budget, sensors, pipeline, exceptions, tellGap } = this.#parts;
    tendStore(this.#opened.store, this.#opened.log, tellGap);
    top.tick();
    this.#opened.tuning?.tick();
    if (figures.tick()) budget.tick();
    sensors.ask(this.#options.clock.now() - heartbeatLagMs * 1000);
    pipeline.flush();
    exceptions.flush();
  }

  #saveProgress(): void {
    const { sensors, known, progress, pipeline } = this.#parts;
    // What an earlier run knew counts until all of it has been compared.
    if (!sensors.compared) return;
    if (!this.#baselineBegun) void known.findBaseline();
    this.#baselineBegun = true;
    progress.save(pipeline.judgedThrough, sensors.fileEventMark);
  }

  #keepDeferred(): void {
    try {
      this.#parts.pipeline.saveDeferred();
    } catch (error) {
      this.#opened.log.error({ error: messageOf(error) }, 'what deferred rules wait for could not be stored');
    }
  }

  #prune(): void {
    const { store, log } = this.#opened;
    const { lines, told, reloading, pipeline } = this.#parts;
    lines.verdict(judgeAgent(told));
    const now = this.#options.clock.now();
    const { retention } = reloading.settings;
    prune(store, log, { retention, now, horizon: now - pipeline.horizon });
    this.#keepDeferred();
  }

  /** Whoever started the agent starts it again, on a new folder; what is in the old one is still delivered. */
  #dataLost(detail: string): void {
    const now = this.#options.clock.now();
    this.#parts.tellGap({ sensor: 'agent', reason: 'data-lost', from: now, to: now, detail });
    this.#onLost(
      new UserError('agent/data-lost', `the data of the running agent were taken away: ${detail}`, {
        hint: 'Find out who did that. Alerts that no destination has got by now are only in the files that were removed.',
      }),
    );
  }

  #watchOwnFiles(): void {
    const { clock, program } = this.#options;
    const { store, log } = this.#opened;
    try {
      this.#ownFiles = new OwnFiles({
        ...{ clock, log, program },
        job: this.#parts.root.toHost(ownJob),
        known: store.meta.get(ownFilesKey),
        remember: (text) => store.meta.set(ownFilesKey, text),
        changed: this.#parts.tellGap,
      });
    } catch (error) {
      log.error({ error: messageOf(error) }, "the agent's own files cannot be watched");
    }
  }

  /** What a canary that was killed has left. */
  async #cleanUpCanary(): Promise<void> {
    const { log } = this.#opened;
    try {
      const { undone, left } = await cleanUpCanary(this.#options.settings.dataDir, this.#parts.root);
      for (const line of undone) log.warn({ line }, 'cleaned up after a canary that was killed');
      for (const line of left) log.warn({ line }, 'what a canary left could not be cleaned up');
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'what a canary left could not be cleaned up');
    }
  }

  #handlers(): ControlHandlers {
    const { store } = this.#opened;
    const { clock, version } = this.#options;
    const { top, sensors, reloading, policy, exceptions, inventory, responding, canary } = this.#parts;
    const { told, agentId, destinations } = this.#parts;
    return {
      status: () => {
        this.#beat();
        return agentStatus(told);
      },
      top: (args) => top.status(mostOf(args)),
      reload: async () => {
        await sensors.retryTiers();
        const config = await reloading.reload();
        policy.checkSoon();
        return { tier: sensors.tier(), exceptions: exceptions.status(), config };
      },
      'inventory.refresh': () => inventory.refresh(),
      [reloadExceptionsOp]: () => exceptions.reload(),
      ...responding.handlers(),
      ...canary.handlers(),
      ...storeHandlers({ store, clock, version, agentId, destinations }),
    };
  }
}

/** `{ most: 20 }`: lines of each list. */
function mostOf(args: unknown): number | undefined {
  const most = (args as { most?: unknown } | null | undefined)?.most;
  return typeof most === 'number' && most > 0 ? Math.floor(most) : undefined;
}
