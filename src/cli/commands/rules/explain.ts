import path from 'node:path';
import { things } from '../../../base/count.js';
import { ExitCode, UserError } from '../../../base/errors.js';
import { clip, quote } from '../../../base/escape.js';
import { Detector } from '../../../detect/index.js';
import { compareEvents } from '../../../event/event.js';
import {
  formatDiagnostic,
  loadRules,
  planConditions,
  type Rule,
  type Verdict,
} from '../../../rules/index.js';
import { captureEvent, readLines } from '../../../sensors/capture/index.js';
import { withInput } from '../../capture-input.js';
import type { CommandContext } from '../../context.js';
import { defineCommand, flag } from '../../define-command.js';
import { counted, type Output, safe } from '../../output/output.js';
import { findRule, loadRuleSet, unknownRule } from '../../rule-set.js';
import { type NumberedEvent, stepsOf, whyNot } from '../../why-not.js';

/** More of a file are not looked at. */
const mostEvents = 10_000;

/** The event of an id in the store, or those of a file. */
async function readEvents(context: CommandContext, written: string): Promise<NumberedEvent[]> {
  if (!written.includes('/') && !/\.(nd)?json$/.test(written) && written !== '-') {
    const found = await context.withStore((store) => store.events.find(written));
    if (found !== undefined) return [{ ...found, line: 0 }];
    throw new UserError('events/unknown', `there is no stored event ${quote(written)}`, {
      hint: 'Name an event by its whole id, or a file that holds some as JSON.',
    });
  }
  return withInput(context, { written }, ({ file }) => {
    const events: NumberedEvent[] = [];
    for (const { number, text } of readLines(file)) {
      const event = text === undefined ? undefined : captureEvent(text, number);
      if (event !== undefined) events.push({ ...event, line: events.length });
      if (events.length >= mostEvents) break;
    }
    if (events.length === 0) throw new UserError('events/none', `${quote(written)} holds no event`);
    return events;
  });
}

/** A rule of a file, or a loaded one. */
async function ruleOf(context: CommandContext, written: string): Promise<Rule> {
  if (written.includes('/') || written.endsWith('.toml')) {
    const loaded = loadRules([path.resolve(context.io.cwd, written)]);
    const [rule] = loaded.rules;
    if (rule !== undefined && loaded.rules.length === 1) return rule;
    const [first] = [...loaded.diagnostics, ...loaded.passedOver];
    throw new UserError(
      'rules/invalid',
      first === undefined
        ? `${quote(written)} holds ${things(loaded.rules.length, 'rule')}`
        : formatDiagnostic(first),
      { hint: 'Name a file that holds one rule.' },
    );
  }
  const set = await loadRuleSet(context);
  const rule = findRule(set, written);
  if (rule === undefined) throw unknownRule(set, written);
  return rule;
}

/** How many alerts a rule gives for events, as `rules test` counts. */
function alertsOf(rule: Rule, events: readonly NumberedEvent[]): number {
  const alerts = new Set<string>();
  const detector = new Detector({ rules: [rule], onDetection: ({ id }) => alerts.add(id) });
  for (const event of [...events].sort(compareEvents)) detector.process(event);
  detector.finish();
  return alerts.size;
}

/** What a rule makes of several events together. */
function explainAll(
  context: CommandContext,
  rule: Rule,
  events: readonly NumberedEvent[],
  json: boolean,
): void {
  const { out } = context;
  const alerts = alertsOf(rule, events);
  const reasons = alerts > 0 ? [] : whyNot(rule, events);
  const steps = stepsOf(rule);
  const conditions = planConditions(steps);
  const matching = steps.map(({ name }, index) => ({
    name,
    events: events.filter(({ doc }) => conditions.test(index, doc)).map(({ line }) => line + 1),
  }));
  if (json) {
    out.document('explanation/1', {
      rule: rule.meta.id,
      events: events.length,
      alerts,
      steps: matching,
      reasons,
    });
    return;
  }
  out.line(out.style('bold', `${things(alerts, 'alert')} of ${things(events.length, 'event')}`));
  for (const { name, events: numbers } of matching) {
    const first = numbers.slice(0, 10).join(', ');
    const more = numbers.length > 10 ? `, and ${counted(numbers.length - 10)} more` : '';
    out.line(
      `  ${name}: ${numbers.length === 0 ? 'no event' : `${numbers.length === 1 ? 'event' : 'events'} ${first}${more}`}`,
    );
  }
  for (const line of reasons) out.line(`  ${safe(line) ?? ''}`);
}

const shown = (value: unknown): string =>
  value === undefined ? 'missing' : (safe(clip(JSON.stringify(value) ?? 'null', 300)) ?? '""');

function sourceOf(rule: Rule, { span }: Verdict): string {
  return span.start === span.end ? 'event category' : rule.meta.query.slice(span.start, span.end);
}

function shownSource(rule: Rule, verdict: Verdict): string {
  return safe(clip(sourceOf(rule, verdict).replace(/\s+/g, ' '), 200)) ?? '';
}

function print(rule: Rule, verdicts: readonly Verdict[], out: Output): void {
  for (const verdict of verdicts) {
    const mark = verdict.holds ? out.style('green', 'yes') : out.style('red', 'no ');
    out.line(`  ${mark}  ${shownSource(rule, verdict)}`);
    for (const { field, value } of verdict.values) out.line(`         ${safe(field)} is ${shown(value)}`);
  }
}

export const rulesExplain = defineCommand({
  description:
    'Of one event: judges every predicate of the rule, also those that were not needed, and tells what each read. References\n' +
    'to events of earlier steps (as event0) read as missing. Of a file of events: how many alerts the rule gives, which events\n' +
    'satisfy which step, and what keeps them from matching.',
  arguments: [
    { name: 'RULE', summary: 'id, name or beginning of an id, or a rule file' },
    { name: 'EVENTS', summary: 'id of a stored event, or a file of JSON documents (- is standard input)' },
  ],
  options: { json: flag('--json', 'one JSON document a step (NDJSON), or one for a file of events') },
  examples: [
    { line: 'launchwarden rules explain 84ef ./event.json', says: 'why it matched, or why it did not' },
    { line: 'launchwarden rules explain ./mine.toml ./events.ndjson', says: 'a rule that is being written' },
  ],
  async handler({ context, options, args: [written = '', event = ''] }) {
    const { out } = context;
    const rule = await ruleOf(context, written);
    const events = await readEvents(context, event);
    const [first] = events;
    if (events.length > 1 || first === undefined) {
      explainAll(context, rule, events, options.json);
      return ExitCode.ok;
    }
    const steps = stepsOf(rule);
    const conditions = planConditions(steps);
    for (const [index, { name }] of steps.entries()) {
      const holds = conditions.test(index, first.doc);
      const verdicts = conditions.explain(index, first.doc);
      if (options.json) {
        const predicates = verdicts.map((verdict) => ({
          text: sourceOf(rule, verdict),
          holds: verdict.holds,
          values: verdict.values.map(({ field, value }) => ({ field, value: value ?? null })),
        }));
        out.document('explanation/1', { rule: rule.meta.id, step: name, holds, predicates });
        continue;
      }
      out.line(out.style('bold', `${name}: ${holds ? 'matches' : 'does not match'}`));
      print(rule, verdicts, out);
    }
    return ExitCode.ok;
  },
});
