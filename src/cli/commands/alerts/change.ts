import {
  applyTriage,
  mostIds,
  type TriageRequest,
  type TriageResult,
  triageOp,
} from '../../../agent/triage.js';
import { things } from '../../../base/count.js';
import { ExitCode, UserError } from '../../../base/errors.js';
import { clip, escapeText } from '../../../base/escape.js';
import type { Alert } from '../../../event/alert.js';
import type { EcsDocument } from '../../../event/document.js';
import { destinationName } from '../../../forward/index.js';
import type { Receivers, Store } from '../../../store/index.js';
import { authorOf } from '../../author.js';
import type { CommandContext } from '../../context.js';
import { writeThroughDaemon } from '../../daemon-write.js';
import { counted } from '../../output/output.js';
import { objectsAt } from '../../output/read.js';
import { alertFields, alertSchema } from './alert-document.js';
import { shortId } from './alert-line.js';
import { findAlert } from './find.js';
import type { Selection } from './select.js';

/** A note is one argument of a command line, and kept for ever. */
const maxText = 16 * 1024;

export interface Change {
  readonly action: TriageRequest['action'];
  readonly text: string;
  readonly value?: string;
  /** What an alert is after it, for people: `closed as benign`. */
  readonly done: string;
}

/** Whom we tell when we write ourselves: as the agent does, what is simulated stays away from the network. */
export async function receivers(context: CommandContext): Promise<Receivers> {
  const { destinations } = await context.settings();
  const names = (of: typeof destinations) => of.map(destinationName);
  const all = names(destinations);
  const local = names(destinations.filter((one) => one.type === 'file' || one.simulated));
  return (doc: EcsDocument) => (doc.labels?.['launchwarden_simulated'] === true ? local : all);
}

async function send(context: CommandContext, request: TriageRequest): Promise<TriageResult[]> {
  const told = await receivers(context);
  const result = await writeThroughDaemon(context, {
    op: triageOp,
    args: request,
    direct: (store: Store) => applyTriage(store, request, told),
  });
  return objectsAt({ result }, 'result.results') as unknown as TriageResult[];
}

function textTooLong(text: string): UserError {
  return new UserError(
    'alerts/long-note',
    `a note has at most ${maxText} characters; this one has ${text.length}`,
  );
}

/** What became of the request for one alert, in words. */
function outcomeText({ outcome }: TriageResult, alert: Alert, change: Change): string {
  const name = clip(escapeText(alert.ruleName), 200);
  if (outcome === 'changed') return `${change.done}  ${name}`;
  if (outcome === 'closed')
    return `is closed: nothing changed ("alerts reopen ${shortId(alert.id)}" opens it)  ${name}`;
  return `is ${change.done} already: nothing changed  ${name}`;
}

/**
 * Does the same to several alerts, in batches that are written whole or not at all. Exit code 1 when one that was named is
 * closed and was left so.
 */
export async function changeAlerts(
  context: CommandContext,
  selection: Selection,
  changes: readonly Change[],
  json: boolean,
): Promise<ExitCode> {
  // A filter that finds none has said so.
  if (selection.ids.length === 0 && !json) return ExitCode.ok;
  const author = authorOf(context.io);
  let refused = 0;
  for (const change of changes) {
    const { action, text, value } = change;
    if (text.length > maxText) throw textTooLong(text);
    const totals = { changed: 0, same: 0, closed: 0, unknown: 0 };
    for (let from = 0; from < selection.ids.length; from += mostIds) {
      const ids = selection.ids.slice(from, from + mostIds);
      const results = await send(context, {
        ids,
        action,
        author,
        text,
        ...(value === undefined ? {} : { value }),
      });
      for (const { outcome } of results) totals[outcome]++;
      if (!selection.byFilter) await tell(context, results, change, json);
    }
    refused += totals.closed;
    if (selection.byFilter) summarise(context, { ...totals, action, done: change.done }, json);
  }
  return refused > 0 && !selection.byFilter ? ExitCode.checkFailed : ExitCode.ok;
}

async function tell(
  context: CommandContext,
  results: readonly TriageResult[],
  change: Change,
  json: boolean,
): Promise<void> {
  await context.withStore((store) => {
    for (const result of results) {
      const alert = findAlert(store, result.id);
      if (json) context.out.document(alertSchema, { outcome: result.outcome, ...alertFields(alert) });
      else context.out.line(`${shortId(alert.id)}  ${outcomeText(result, alert, change)}`);
    }
  });
}

function summarise(
  { out }: CommandContext,
  totals: Readonly<Record<TriageResult['outcome'], number>> & {
    readonly action: string;
    readonly done: string;
  },
  json: boolean,
): void {
  const { changed, same, closed, action, done } = totals;
  if (json) {
    out.document('alerts-change/1', { action, changed, same, closed });
    return;
  }
  const rest = [
    ...(same === 0 ? [] : [things(same, 'was so already', 'were so already')]),
    ...(closed === 0 ? [] : [things(closed, 'is closed and stays so', 'are closed and stay so')]),
  ];
  out.line(`${counted(changed)} ${done}${rest.length === 0 ? '' : `; ${rest.join(', ')}`}.`);
}
