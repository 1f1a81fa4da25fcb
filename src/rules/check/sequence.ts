import { allFields } from '../../event/fields.js';
import type { Field, SampleQuery, SequenceQuery, Step } from '../ast.js';
import type { EqlConditionCheck } from './eql.js';
import type { Report } from './report.js';

// Stages after `runs` are written out; each holds state for every join key.
const maxStages = 256;
const sampleSteps = 5;
// Every stage reads all of them from every event that it takes.
const maxJoinKeys = 32;

/** What the steps of a sequence or sample need beside correct conditions (Elasticsearch, eql-syntax.md). */
export function checkSequence(query: SequenceQuery, conditions: EqlConditionCheck, report: Report): void {
  const { steps, until, maxspan } = query;
  checkSteps(query, conditions, report);
  const stages = steps.reduce((sum, step) => sum + step.runs, 0);
  if (stages < 2) {
    report.error(
      query.span,
      'eql/sequence',
      'a sequence needs at least two steps',
      'One step alone must be repeated: [ ... ] with runs=2.',
    );
  }
  if (stages > maxStages) {
    report.error(query.span, 'eql/sequence', `a sequence has at most ${maxStages} steps, runs counted`);
  }
  if (steps.every((step) => step.missing)) {
    report.error(query.span, 'eql/missing-event', 'at least one step must not be a missing event');
  }
  const missing = steps.find((step) => step.missing);
  if (missing !== undefined && maxspan === null) {
    report.error(
      missing.span,
      'eql/missing-event',
      'missing events need `with maxspan`',
      'Write sequence with maxspan=1m, before the first step.',
    );
  } else if (maxspan === null) {
    report.warn(
      query.span,
      'eql/no-maxspan',
      'without maxspan a sequence waits for ever; old ones are dropped when memory is full',
    );
  }
  if (until !== null) {
    conditions.step(until, until.span);
    checkKeys(until, query, report);
    if (until.runs > 1 || until.alias !== null)
      report.error(until.span, 'eql/sequence', '`until` takes neither runs nor a name');
  }
}

export function checkSample(query: SampleQuery, conditions: EqlConditionCheck, report: Report): void {
  const { steps, by, pipes } = query;
  checkSteps(query, conditions, report);
  if (steps.length < 2 || steps.length > sampleSteps) {
    report.error(query.span, 'eql/sample', `a sample has 2 to ${sampleSteps} steps, not ${steps.length}`);
  }
  if (by.length === 0 && steps[0]?.by.length === 0) {
    report.error(
      query.span,
      'eql/sample',
      'a sample needs at least one join key',
      'Write sample by host.id.',
    );
  }
  const odd = steps.find((step) => step.missing || step.runs > 1 || step.alias !== null);
  if (odd !== undefined) {
    report.error(odd.span, 'eql/sample', 'a step of a sample can be neither missing, repeated nor named');
  }
  if (pipes[0] !== undefined) report.error(pipes[0].span, 'eql/sample', 'a sample takes no pipes');
}

function checkSteps(query: SequenceQuery | SampleQuery, conditions: EqlConditionCheck, report: Report): void {
  const most = query.by.length + Math.max(0, ...query.steps.map(({ by }) => by.length));
  if (most > maxJoinKeys) {
    report.error(query.span, 'eql/join-keys', `at most ${maxJoinKeys} join keys, not ${most}`);
    return;
  }
  for (const field of query.by) checkKey(field, conditions, report);
  for (const step of query.steps) {
    conditions.step(step, step.span);
    for (const field of step.by) checkKey(field, conditions, report);
    checkKeys(step, query, report);
    checkAlias(step, report);
  }
}

function checkKey(field: Field, conditions: EqlConditionCheck, report: Report): void {
  conditions.field(field);
  if (field.alias !== null) {
    report.error(field.span, 'eql/alias', `a join key cannot be read from ${field.alias}`);
  }
}

function checkKeys(step: Step, query: SequenceQuery | SampleQuery, report: Report): void {
  const first = query.steps[0];
  if (first === undefined || step.by.length === first.by.length) return;
  report.error(
    step.by[0]?.span ?? step.span,
    'eql/join-keys',
    `this step has ${step.by.length} join keys of its own, the first step has ${first.by.length}`,
    'Every step must join by equally many fields.',
  );
}

function checkAlias(step: Step, report: Report): void {
  if (step.alias === null) return;
  if (step.missing) report.error(step.span, 'eql/alias', 'a missing event cannot be named');
  const hidden = allFields().find(({ name }) => name.split('.')[0] === step.alias);
  if (hidden !== undefined) {
    report.error(step.span, 'eql/alias', `the name ${step.alias} hides the field ${hidden.name}`);
  }
}
