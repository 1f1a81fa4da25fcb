import { ExitCode } from '../../base/errors.js';
import type { SensorKind } from '../../event/event.js';
import { type Rule, type StepSight, stepSights } from '../../rules/index.js';
import { type BlindSpot, blindSpots, withBlindSpots } from '../blind-spots.js';
import type { CommandContext } from '../context.js';
import { defineCommand, flag } from '../define-command.js';
import { type Output, safe } from '../output/output.js';
import { listAt, objectsAt, textAt } from '../output/read.js';
import { pad, wrap } from '../output/width.js';
import { loadRuleSet } from '../rule-set.js';
import { runningKinds } from '../tiers.js';
import { reportDiagnostics } from './rules/diagnostics.js';

const leastNote = 30;

/** What runs, as the agent says; or what could, tried out here. */
interface Telemetry {
  readonly from: 'agent' | 'this machine';
  readonly kinds: readonly SensorKind[];
  readonly tier: string | null;
  readonly reason: string | undefined;
  /** One line each: what the sensors cannot see. */
  readonly notes: readonly string[];
  /** Places that a sensor of files cannot see now. */
  readonly blind: readonly BlindSpot[];
}

interface StepCoverage extends StepSight {
  /** Sensors that deliver events which can satisfy the step. */
  readonly seenBy: readonly SensorKind[];
}

interface RuleCoverage {
  readonly rule: Rule;
  /** Undefined when the rule is on. */
  readonly off: string | undefined;
  readonly steps: readonly StepCoverage[];
  readonly coverage: 'full' | 'partial' | 'blind';
}

function notesOf(sensors: readonly object[]): string[] {
  return sensors.flatMap((sensor) =>
    listAt(sensor, 'notes').map((note) => `${textAt(sensor, 'kind') ?? '?'}: ${note}`),
  );
}

async function telemetry(context: CommandContext): Promise<Telemetry> {
  const reply = await context.askDaemon('status', undefined);
  if (reply !== undefined) {
    return {
      from: 'agent',
      kinds: runningKinds(reply.result),
      tier: textAt(reply.result, 'tier.running') ?? null,
      reason: textAt(reply.result, 'tier.reason'),
      notes: notesOf(objectsAt(reply.result, 'sensors')),
      blind: blindSpots(objectsAt(reply.result, 'sensors')),
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
  };
}

async function coverageOf(context: CommandContext, { kinds, blind }: Telemetry) {
  const { filePatterns, mutedRules, tierOf } = await import('../../agent/index.js');
  const set = await loadRuleSet(context);
  const settings = await context.settings();
  const { mechanisms } = settings.watch;
  const enabled = set.rules.filter((one) => one.enabled).map(({ rule }) => rule);
  const muted = mutedRules(enabled, settings.rules, kinds, mechanisms);
  const rules = enabled.map((rule): RuleCoverage => {
    const alone = kinds.map((kind) => ({ kind, steps: stepSights(rule, tierOf([kind], rule, mechanisms)) }));
    const steps = stepSights(rule, tierOf(kinds, rule, mechanisms)).map((step, index) => ({
      ...withBlindSpots(step, filePatterns([rule]), blind),
      seenBy: alone.filter(({ steps: own }) => own[index]?.sight !== 'none').map(({ kind }) => kind),
    }));
    const off = muted.has(rule.meta.id) ? 'degraded here' : undefined;
    const coverage = steps.some(({ sight }) => sight === 'none')
      ? 'blind'
      : steps.some(({ sight }) => sight === 'partial')
        ? 'partial'
        : 'full';
    return { rule, off, steps, coverage };
  });
  return { rules, set };
}

function fields({ rule, off, steps, coverage }: RuleCoverage, seen: Telemetry): object {
  return {
    from: seen.from,
    tier: seen.tier,
    tier_reason: seen.reason ?? null,
    notes: seen.notes,
    sensors: seen.kinds,
    rule: { id: rule.meta.id, name: rule.meta.name, file: rule.meta.file },
    active: off === undefined,
    coverage,
    degraded: steps.some(({ sight }) => sight !== 'full'),
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

function print({ rule, off, steps, coverage }: RuleCoverage, out: Output): void {
  const covered =
    coverage === 'full' ? '' : out.style(coverage === 'partial' ? 'yellow' : 'red', `  ${coverage}`);
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

export const coverage = defineCommand({
  description:
    'For every rule that is on and each of its steps: which sensors see it now, and what they cannot see of it. Asks the\n' +
    'running agent; when none runs, tries out what this machine allows the user who asks. "partial": some of it is missed,\n' +
    'or too much is reported; "blind": a step of it is seen by nobody, or everything it looks for lies where nobody looks. Imported rules that are degraded are off unless rules.enabled names them.',
  options: { json: flag('--json', 'one JSON document a rule (NDJSON)') },
  examples: [{ line: 'sudo launchwarden coverage', says: 'what would be seen of an attack now' }],
  needs: 'root, when the agent runs as a daemon; otherwise the rights that the agent would have',
  async handler({ context, options }) {
    const { out } = context;
    const seen = await telemetry(context);
    const { rules, set } = await coverageOf(context, seen);
    if (options.json) for (const one of rules) out.document('coverage/1', fields(one, seen));
    else {
      const whose = seen.from === 'agent' ? 'The agent runs' : 'No agent runs; it could run';
      out.line(`${whose} with tier ${seen.tier ?? 'none'}: ${seen.kinds.join(', ') || 'no sensor'}`);
      const blind = seen.blind.map(({ place, reason }) => safe(`blind in ${place}: ${reason}`) ?? '');
      for (const note of [...(seen.reason === undefined ? [] : [seen.reason]), ...blind, ...seen.notes]) {
        const lines = out.width === undefined ? [note] : wrap(note, Math.max(leastNote, out.width - 4));
        for (const [index, line] of lines.entries()) out.line(`${index === 0 ? '  ' : '    '}${line}`);
      }
      for (const one of rules) {
        out.line();
        print(one, out);
      }
    }
    return reportDiagnostics(context, set) ? ExitCode.checkFailed : ExitCode.ok;
  },
});
