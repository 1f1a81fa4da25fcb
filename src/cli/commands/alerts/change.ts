import { applyTriage, type TriageRequest, triageOp } from '../../../agent/triage.js';
import { ExitCode, UserError } from '../../../base/errors.js';
import { clip, escapeText } from '../../../base/escape.js';
import { authorOf } from '../../author.js';
import type { CommandContext } from '../../context.js';
import { writeThroughDaemon } from '../../daemon-write.js';
import { alertFields, alertSchema } from './alert-document.js';
import { shortId } from './alert-line.js';
import { findAlert } from './find.js';

/** A note is one argument of a command line, and kept for ever. */
const maxText = 16 * 1024;

async function send(context: CommandContext, request: TriageRequest): Promise<void> {
  await writeThroughDaemon(context, {
    op: triageOp,
    args: request,
    direct: (store) => applyTriage(store, request),
  });
}

/** Does the same to several alerts, all of which must be known before the first is touched. */
export async function changeAlerts(
  context: CommandContext,
  written: readonly string[],
  change: { readonly action: TriageRequest['action']; readonly text: string; readonly json: boolean },
): Promise<ExitCode> {
  const { action, text, json } = change;
  if (text.length > maxText)
    throw new UserError(
      'alerts/long-note',
      `a note has at most ${maxText} characters; this one has ${text.length}`,
    );
  const ids = await context.withStore((store) => written.map((one) => findAlert(store, one).id));
  const author = authorOf(context.io);
  for (const id of new Set(ids)) await send(context, { id, action, author, text });
  await context.withStore((store) => {
    for (const id of new Set(ids)) {
      const alert = findAlert(store, id);
      if (json) context.out.document(alertSchema, alertFields(alert));
      else {
        const what = action === 'note' ? 'note added' : alert.status;
        context.out.line(`${shortId(alert.id)}  ${what}  ${clip(escapeText(alert.ruleName), 200)}`);
      }
    }
  });
  return ExitCode.ok;
}
