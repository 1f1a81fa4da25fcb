import { things } from '../../base/count.js';
import { ExitCode } from '../../base/errors.js';
import type { SensorKind } from '../../event/event.js';
import { type Rule, type StepSight, stepSights } from '../../rules/index.js';
import { type BlindSpot, blindSpots, withBlindSpots } from '../blind-spots.js';
import type { CommandContext } from '../context.js';
import { defineCommand, flag, list } from '../define-command.js';
import { counted, type Output, safe } from '../output/output.js';
import { listAt, objectsAt, textAt } from '../output/read.js';
import { tableLines } from '../output/table.js';
import { pad, wrap } from '../output/width.js';
import { findRule, loadRuleSet, unknownRule } from '../rule-set.js';
import { type Drift, driftOf, type RunningRules, rulesOf, tellDrift } from '../running-rules.js';
import { runningKinds } from '../tiers.js';
import { reportDiagnostics } from './rules/diagnostics.js';

const leastNote = 30;

/** What runs, as the agent says; or what could, tried out here. */
export interface Telemetry {
  readonly from: 'agent' | 'this machine';
  readonly kinds: readonly SensorKind[];
  readonly tier: string | null;
  readonly reason: string | undefined;
  /** One line each: what the sensors cannot see. */
  readonly notes: readonly string[];
  /** Places that a sensor of files cannot see now. */
  readonly blind: readonly BlindSpot[];
  readonly rules: RunningRules;
}

interface StepCoverage extends StepSight {
  /** Sensors that deliver events which can satisfy the step. */
  readonly seenBy: readonly SensorKind[];
}

export interface RuleCoverage {
  readonly rule: Rule;
  /** Undefined when the rule is on. */
  readonly off: string | undefined;
  readonly steps: readonly StepCoverage[];
  readonly coverage: 'full' | 'partial' | 'blind';
  /** It sees less than it was written to see, beyond what every scan can miss. */
  readonly degraded: boolean;
  readonly drift: Drift | undefined;
}

/** Sensors that are told of each process; the scan sees those that live long enough. */
const certain: readonly SensorKind[] = ['endpoint-security', 'eslogger', 'capture'];
const scanned =
  'is scanned: a process that lives shorter than a poll (some 5 ms) can be missed, or seen under another name';

/** What is left of a step's sight when its processes are scanned for. */
function withScan<T extends StepSight>(step: T, kinds: readonly SensorKind[]): T {
  const { requirements, sight } = step;
  const isProcess = requirements.categories?.includes('process') ?? true;
  if (sight === 'none' || !isProcess || kinds.some((kind) => certain.includes(kind))) return step;
  return { ...step, sight: 'partial', reasons: [...step.reasons, scanned] };
}

function notesOf(sensors: readonly object[]): string[] {
  return sensors.flatMap((sensor) =>
    listAt(sensor, 'notes').map((note) => `${textAt(sensor, 'kind') ?? '?'}: ${note}`),
  );
}

export async function telemetry(context: CommandContext): Promise<Telemetry> {
  const reply = await context.askDaemon('status', undefined);
  if (reply !== undefined) {
    return {
      from: 'agent',
      kinds: runningKinds(reply.result),
      tier: textAt(reply.result, 'tier.running') ?? null,
      reason: textAt(reply.result, 'tier.reason'),
      notes: notesOf(objectsAt(reply.result, 'sensors')),
      blind: blindSpots(objectsAt(reply.result, 'sensors')),
      rules: rulesOf(reply.result),
    };
  }
  const { probeSensors } = await import('../../agent/index.js');
  const { kinds, tier, health } = await probeSensors(await context.settings(), context.clock);
  return {
    from: 'this machine',
    kinds,
    tier: tier.running,
    reason: safe(tier.reason),
    notes: notesOf(health),
    blind: [],
    rules: undefined,
  };
}

export async function coverageOf(context: CommandContext, { kinds, blind, rules: running }: Telemetry) {
  const { filePatterns, mutedRules, tierOf } = await import('../../agent/index.js');
  const set = await loadRuleSet(context);
  const settings = await context.settings();
  const { mechanisms } = settings.watch;
  // Those that the agent runs although their files say otherwise by now are what protects at present.
  const listed = set.rules.filter((one) => one.enabled || driftOf(one, running) === 'still running');
  const enabled = listed.map(({ rule }) => rule);
  const muted = mutedRules(enabled, settings.rules, kinds, mechanisms);
  const rules = listed.map((one): RuleCoverage => {
    const { rule } = one;
    const alone = kinds.map((kind) => ({ kind, steps: stepSights(rule, tierOf([kind], rule, mechanisms)) }));
    const seen = stepSights(rule, tierOf(kinds, rule, mechanisms)).map((step) =>
      withBlindSpots(step, filePatterns([rule]), blind),
    );
    const steps = seen.map((step, index) => ({
      ...withScan(step, kinds),
      seenBy: alone.filter(({ steps: own }) => own[index]?.sight !== 'none').map(({ kind }) => kind),
    }));
    const degraded = seen.some(({ sight }) => sight !== 'full');
    const drift = driftOf(one, running);
    const off = muted.has(rule.meta.id)
      ? 'degraded here'
      : drift === 'not running'
        ? 'until the agent is restarted'
        : undefined;
    const coverage = steps.some(({ sight }) => sight === 'none')
      ? 'blind'
      : steps.some(({ sight }) => sight === 'partial')
        ? 'partial'
        : 'full';
    return { rule, off, steps, coverage, degraded, drift };
  });
  return { rules, set };
}

function fields({ rule, off, steps, coverage, degraded, drift }: RuleCoverage, seen: Telemetry): object {
  return {
    from: seen.from,
    tier: seen.tier,
    tier_reason: seen.reason ?? null,
    notes: seen.notes,
    sensors: seen.kinds,
    rule: { id: rule.meta.id, name: rule.meta.name, file: rule.meta.file },
    active: off === undefined,
    coverage,
    degraded,
    agent: drift ?? null,
    steps: steps.map(({ name, requirements, sight, seenBy, reasons }) => ({
      name,
      role: requirements.role,
      categories: requirements.categories,
      actions: requirements.actions,
      sight,
      seen_by: seenBy,
      reasons,
    })),
  };
}

const looks = { full: 'green', partial: 'yellow', blind: 'red' } as const;

/** One line a rule: how much of it is seen, and what is first in its way. */
function ruleLines(rules: readonly RuleCoverage[], out: Output): string[] {
  const columns = [
    { title: 'COVERAGE', style: (text: string) => looks[text as keyof typeof looks] },
    { title: 'ID' },
    { title: 'RULE', flexible: true },
    { title: 'WHY', flexible: true },
  ];
  const rows = rules.map(({ rule, off, steps, coverage: covered }) => {
    const worst =
      steps.find(({ sight }) => sight === 'none') ?? steps.find(({ sight }) => sight === 'partial');
    const why = worst === undefined ? '' : `${worst.name} ${worst.reasons[0] ?? ''}`;
    return [
      covered,
      safe(rule.meta.id.slice(0, 8)) ?? '',
      safe(rule.meta.name) ?? '',
      safe([...(off === undefined ? [] : [`off: ${off}`]), why].filter(Boolean).join('; ')) ?? '',
    ];
  });
  return tableLines(columns, rows, out);
}

/** Every step of a rule. */
function print({ rule, off, steps, coverage }: RuleCoverage, out: Output): void {
  const covered = coverage === 'full' ? '' : out.style(looks[coverage], `  ${coverage}`);
  const state = `${covered}${off === undefined ? '' : out.style('yellow', `  off: ${off}`)}`;
  out.line(`${out.style('bold', safe(rule.meta.name) ?? rule.meta.id)}${state}`);
  for (const { name, requirements, sight, seenBy, reasons } of steps) {
    const style = sight === 'full' ? 'green' : sight === 'partial' ? 'yellow' : 'red';
    const what = `${requirements.role === 'missing' ? 'no ' : ''}${requirements.categories?.join(' or ') ?? 'any'}`;
    const by = seenBy.length === 0 ? 'seen by no sensor' : `seen by ${seenBy.join(', ')}`;
    out.line(`  ${pad(name, 14)}  ${pad(safe(what) ?? '', 16)}  ${out.style(style, pad(sight, 7))}  ${by}`);
    for (const reason of reasons) out.line(`                  ${safe(reason) ?? ''}`);
  }
}

function summaryText(rules: readonly RuleCoverage[]): string {
  const count = (of: (one: RuleCoverage) => boolean) => counted(rules.filter(of).length);
  return (
    `${things(rules.length, 'rule')}: ${count(({ coverage: word }) => word === 'full')} full, ` +
    `${count(({ coverage: word }) => word === 'partial')} partial, ` +
    `${count(({ coverage: word }) => word === 'blind')} blind; ${count(({ off }) => off !== undefined)} of them off`
  );
}

function printTelemetry(seen: Telemetry, out: Output): void {
  const whose = seen.from === 'agent' ? 'The agent runs' : 'No agent runs; it could run';
  out.line(`${whose} with tier ${seen.tier ?? 'none'}: ${seen.kinds.join(', ') || 'no sensor'}`);
  const blind = seen.blind.map(({ place, reason }) => safe(`blind in ${place}: ${reason}`) ?? '');
  for (const note of [...(seen.reason === undefined ? [] : [seen.reason]), ...blind, ...seen.notes]) {
    const lines = out.width === undefined ? [note] : wrap(note, Math.max(leastNote, out.width - 4));
    for (const [index, line] of lines.entries()) out.line(`${index === 0 ? '  ' : '    '}${line}`);
  }
}

export const coverage = defineCommand({
  description:
    'For every rule that is on and each of its steps: which sensors see it now, and what they cannot see of it. Asks the\n' +
    'running agent; when none runs, tries out what this machine allows the user who asks. "partial": some of it is missed,\n' +
    'or too much is reported; "blind": a step of it is seen by nobody, or everything it looks for lies where nobody looks. Imported rules that are degraded are off unless rules.enabled names them.',
  options: {
    rule: list('--rule RULE', 'id, name or beginning of an id: with every step', (text) => text),
    degraded: flag(
      '--degraded',
      'only rules that see less here than they were written to see, with every step',
    ),
    summary: flag('--summary', 'how many rules are seen how well'),
    json: flag('--json', 'one JSON document a rule (NDJSON)'),
  },
  examples: [
    { line: 'sudo launchwarden coverage', says: 'what would be seen of an attack now, one line a rule' },
    { line: 'sudo launchwarden coverage --degraded', says: 'what is missing, step by step' },
  ],
  needs: 'root, when the agent runs as a daemon; otherwise the rights that the agent would have',
  async handler({ context, options }) {
    const { out } = context;
    const seen = await telemetry(context);
    const { rules: all, set } = await coverageOf(context, seen);
    const wanted = options.rule.map((text) => {
      const rule = findRule(set, text);
      if (rule === undefined) throw unknownRule(set, text);
      return rule.meta.id;
    });
    const rules = all.filter(
      ({ rule, degraded }) =>
        (wanted.length === 0 || wanted.includes(rule.meta.id)) && (!options.degraded || degraded),
    );
    if (options.json && options.summary) out.document('coverage-summary/1', summaryFields(rules, seen));
    else if (options.json) for (const one of rules) out.document('coverage/1', fields(one, seen));
    else {
      printTelemetry(seen, out);
      out.line();
      if (rules.length === 0) out.line(options.degraded ? 'No rule is degraded.' : 'No rules are on.');
      else if (options.summary) out.line(summaryText(rules));
      else if (wanted.length > 0 || options.degraded)
        for (const [index, one] of rules.entries()) {
          if (index > 0) out.line();
          print(one, out);
        }
      else {
        for (const line of ruleLines(rules, out)) out.line(line);
        out.line();
        out.line(`${summaryText(rules)}.`);
      }
    }
    tellDrift(context, set.rules, seen.rules);
    return reportDiagnostics(context, set) ? ExitCode.checkFailed : ExitCode.ok;
  },
});

function summaryFields(rules: readonly RuleCoverage[], seen: Telemetry): object {
  const count = (of: (one: RuleCoverage) => boolean) => rules.filter(of).length;
  return {
    from: seen.from,
    tier: seen.tier,
    sensors: seen.kinds,
    rules: rules.length,
    full: count(({ coverage: word }) => word === 'full'),
    partial: count(({ coverage: word }) => word === 'partial'),
    blind: count(({ coverage: word }) => word === 'blind'),
    off: count(({ off }) => off !== undefined),
    degraded: count(({ degraded }) => degraded),
  };
}
