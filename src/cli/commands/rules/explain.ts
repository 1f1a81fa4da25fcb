import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { ExitCode, UserError } from '../../../base/errors.js';
import { clip, quote } from '../../../base/escape.js';
import { planConditions, type Rule, type StepCondition, type Verdict } from '../../../rules/index.js';
import { captureEvent, maxLineBytes, readLines } from '../../../sensors/capture/index.js';
import type { CommandContext } from '../../context.js';
import { defineCommand, flag } from '../../define-command.js';
import { type Output, safe } from '../../output/output.js';
import { findRule, loadRuleSet, unknownRule } from '../../rule-set.js';

interface NamedStep extends StepCondition {
  readonly name: string;
}

function stepsOf({ query }: Rule): NamedStep[] {
  if (query.kind === 'event') return [{ ...query, name: 'query' }];
  if (query.kind === 'kql') return [{ category: null, condition: query.condition, name: 'query' }];
  const steps = query.steps.map((step, index) => ({ ...step, name: `step ${index + 1}` }));
  if (query.kind === 'sequence' && query.until !== null) steps.push({ ...query.until, name: 'until' });
  return steps;
}

/** A file that holds one document, over as many lines as it likes. */
function wholeDocument(file: string): object | undefined {
  if (statSync(file).size > maxLineBytes) return undefined;
  const text = readFileSync(file, 'utf8').replace(/^\ufeff/, '');
  return captureEvent(text, 0)?.doc;
}

/** The event of an id in the store, or the first document of a file. */
async function readDocument(context: CommandContext, written: string): Promise<unknown> {
  if (!written.includes('/') && !/\.(nd)?json$/.test(written)) {
    const found = await context.withStore((store) => store.events.get(written));
    if (found !== undefined) return found.doc;
    throw new UserError('events/unknown', `there is no stored event ${quote(written)}`, {
      hint: 'Name an event by its whole id, or a file that holds one as JSON.',
    });
  }
  const file = path.resolve(context.io.cwd, written);
  for (const { number, text } of readLines(file)) {
    const event = text === undefined ? undefined : captureEvent(text, number);
    const doc = event?.doc ?? wholeDocument(file);
    if (doc !== undefined) return doc;
    break;
  }
  throw new UserError('events/not-json', `${file} does not hold a JSON object, nor does its first line`);
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
    'Judges every predicate of the rule on one event, also those that were not needed, and tells what each read. References\n' +
    'to events of earlier steps (as event0) read as missing.',
  arguments: [
    { name: 'RULE', summary: 'id, name or beginning of an id' },
    { name: 'EVENT', summary: 'id of a stored event, or a file with one JSON document' },
  ],
  options: { json: flag('--json', 'one JSON document a step (NDJSON)') },
  examples: [
    { line: 'launchwarden rules explain 84ef ./event.json', says: 'why it matched, or why it did not' },
  ],
  async handler({ context, options, args: [written = '', event = ''] }) {
    const { out } = context;
    const set = await loadRuleSet(context);
    const rule = findRule(set, written);
    if (rule === undefined) throw unknownRule(set, written);
    const doc = await readDocument(context, event);
    const steps = stepsOf(rule);
    const conditions = planConditions(steps);
    for (const [index, { name }] of steps.entries()) {
      const holds = conditions.test(index, doc);
      const verdicts = conditions.explain(index, doc);
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
