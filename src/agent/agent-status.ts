import { diskAccess } from '../base/disk-access.js';
import type { RootMap } from '../base/root.js';
import { formatMicros, type Micros } from '../base/time.js';
import { ruleDigest } from '../rules/index.js';
import { addonCondition } from '../sensors/addon/index.js';
import type { Store } from '../store/index.js';
import type { AlertScan } from './alert-scan.js';
import type { Budget } from './budget.js';
import type { CanaryKeeper } from './canary.js';
import type { Destinations } from './destinations.js';
import { diskUse } from './disk.js';
import type { EvidenceKeeper } from './evidence.js';
import type { ExceptionKeeper } from './exceptions.js';
import type { Figures } from './figures.js';
import type { InventoryKeeper } from './inventory.js';
import type { LikelyWriters } from './likely-writers.js';
import type { Pipeline } from './pipeline.js';
import type { PolicyKeeper } from './policy.js';
import type { Reloading } from './reloading.js';
import type { Responding } from './responding.js';
import type { RunningRules } from './running-rules.js';
import type { SensorSet } from './sensors.js';
import type { Signatures } from './signatures.js';
import { type Judgement, judgeHealth } from './verdict.js';
import type { Watchdog } from './watchdog.js';

type Tells = { status(): object };

/** What is asked how the agent does. */
export interface JudgedParts {
  readonly sensors: Pick<SensorSet, 'tier' | 'health'>;
  readonly rules: RunningRules;
  readonly reloading: Pick<Reloading, 'reasons' | 'status'>;
  readonly policy: Pick<PolicyKeeper, 'condition'> & Tells;
  readonly exceptions: Pick<ExceptionKeeper, 'refused' | 'current'> & Tells;
  readonly scan: Pick<AlertScan, 'trouble'> & Tells;
  readonly canary: Pick<CanaryKeeper, 'trouble'> & Tells;
  readonly budget: Pick<Budget, 'trouble'> & Tells;
  readonly store: Store;
  readonly destinations: Destinations;
}

/** What `launchwarden status` shows, besides. */
export interface StatusParts extends JudgedParts {
  readonly version: string;
  readonly dataDir: string;
  readonly started: Micros;
  readonly root: RootMap;
  /** `--root`. */
  readonly observed: string | undefined;
  readonly pipeline: Pipeline;
  readonly figures: Pick<Figures, 'status'>;
  readonly watchdog: Pick<Watchdog, 'status'>;
  readonly signatures: Pick<Signatures, 'status'>;
  readonly inventory: Pick<InventoryKeeper, 'status'>;
  readonly evidence: Pick<EvidenceKeeper, 'status'>;
  readonly writers: Pick<LikelyWriters, 'status'>;
  readonly responding: Pick<Responding, 'status'>;
}

/** `withCanary`: false leaves out that the newest canary failed. */
export function judgeAgent(parts: JudgedParts, { withCanary = true } = {}): Judgement {
  const { sensors, rules, reloading, policy, exceptions, scan, canary, budget, store, destinations } = parts;
  return judgeHealth({
    tier: sensors.tier(),
    sensors: sensors.health(),
    rules: {
      passedOver: rules.passedOver,
      parked: rules.selected.parked,
      muted: rules.muted.size,
      switchedOff: rules.switchedOff(exceptions.current.list),
    },
    config: [...reloading.reasons(), ...policy.condition().reasons],
    exceptions: exceptions.refused,
    scan: scan.trouble,
    canary: withCanary ? canary.trouble : undefined,
    budget: budget.trouble,
    store: store.condition(),
    destinations: destinations.forwarding.forwarder.status(),
  });
}

/** The answer to `status` on the control socket. */
export function agentStatus(parts: StatusParts): object {
  const { rules, pipeline, sensors, store, root } = parts;
  const { off, parked } = rules.selected;
  return {
    ...judgeAgent(parts),
    version: parts.version,
    pid: process.pid,
    started: formatMicros(parts.started),
    simulated: root.simulated,
    root: parts.observed ?? null,
    rules: rules.all.length,
    rule_counts: {
      on: rules.all.length - rules.muted.size,
      off,
      degraded: rules.muted.size,
      parked: parked.length,
      passed_over: rules.passedOver,
    },
    rule_digests: Object.fromEntries(rules.all.map((rule) => [rule.meta.id, ruleDigest(rule)])),
    parked_rules: parked,
    alerts: store.alerts.waiting(),
    figures: parts.figures.status(),
    queues: pipeline.depths,
    budget: { ...parts.budget.status(), ...parts.watchdog.status() },
    last_alert: lastAlert(store),
    destinations: parts.destinations.forwarding.forwarder.status(),
    disk: diskUse(parts.dataDir),
    disk_access: diskAccess(root),
    complete_through: pipeline.judgedThrough,
    tier: sensors.tier(),
    addon: addonCondition(),
    sensors: sensors.health(),
    muted_rules: Object.fromEntries(rules.muted),
    signatures: parts.signatures.status(),
    inventory: parts.inventory.status(),
    evidence: parts.evidence.status(),
    likely_writers: parts.writers.status(),
    scan: parts.scan.status(),
    exceptions: parts.exceptions.status(),
    config: parts.reloading.status(),
    policy: parts.policy.status(),
    respond: parts.responding.status(),
    canary: parts.canary.status(),
    store: store.condition(),
    chain: chainStatus(store),
    pipeline: pipeline.counters,
    detect: pipeline.detectorCounters(),
  };
}

function lastAlert({ alerts }: Store): object | null {
  const [last] = alerts.list({ limit: 1 });
  if (last === undefined) return null;
  const { id, time, ruleName, severity } = last;
  return { id, at: formatMicros(time), rule: ruleName, severity };
}

/** What the newest alert carries in `launchwarden.chain`, for `verify --head`. */
function chainStatus({ alerts }: Store): object {
  return alerts.chain();
}
