import { applyEscalation, type EscalateRequest, escalateOp } from '../../../agent/escalate.js';
import { ExitCode, UserError } from '../../../base/errors.js';
import { isPlainText, quote } from '../../../base/escape.js';
import { destinationName } from '../../../forward/options.js';
import { authorOf } from '../../author.js';
import { writeThroughDaemon } from '../../daemon-write.js';
import { defineCommand, flag, value } from '../../define-command.js';
import { safe } from '../../output/output.js';
import { shortId } from './alert-line.js';
import { findAlert, findAlertId } from './find.js';

const maxText = 4_000;

function text(option: string, mostLines: number) {
  return (written: string): string => {
    const trimmed = written.trim();
    const lines = trimmed.split('\n');
    const isFine =
      lines.length <= mostLines && lines.every((line) => isPlainText(line.replaceAll('\t', ' ')));
    if (trimmed !== '' && trimmed.length <= maxText && isFine) return trimmed;
    throw new UserError(
      'cli/invalid-value',
      `${option} is ${quote(written, 100)}; expected a text of 1 to ${maxText} characters without control characters`,
    );
  };
}

export const alertsEscalate = defineCommand({
  description:
    'Sends one document about the alert through the queue of a destination, with retry like every alert: the alert, a\n' +
    'timeline, the answers of the investigation, what is known of its files and their bytes as far as they fit; what is left\n' +
    'out is said in it. The alert gets a note. For all of it in one file see "launchwarden collect".',
  arguments: [{ name: 'ID', summary: 'id of an alert, or a beginning that only one has (8 characters)' }],
  options: {
    to: value('--to DESTINATION', 'name of a destination of the configuration', (written) => written),
    ticket: value('--ticket TEXT', 'of the ticket that it belongs to', text('--ticket', 1)),
    note: value('--note TEXT', 'why, for whoever gets it', text('--note', 200)),
    yes: flag('--yes', 'a beginning of less than 8 characters will do'),
    json: flag('--json', 'one JSON document'),
  },
  examples: [
    {
      line: 'sudo launchwarden alerts escalate 3f9a01c2 --to siem --ticket INC-4711',
      says: 'the SOC gets the alert with its bundle and the ticket',
    },
  ],
  needs: 'root, when the agent runs as a daemon; without one the document waits for the next start',
  async handler({ context, options, args: [written = ''] }) {
    const { to, ticket, note } = options;
    const settings = await context.settings();
    const takers = settings.destinations.filter(({ type }) => type !== 'notification');
    const known = takers.map(destinationName);
    if (to === undefined)
      throw new UserError('alerts/no-destination', '--to is needed', {
        hint:
          known.length === 0 ? 'The configuration has no [[destination]].' : `There is: ${known.join(', ')}.`,
      });
    const alert = await context.withStore((store) =>
      findAlert(store, findAlertId(store, written, { change: true, yes: options.yes })),
    );
    const request: EscalateRequest = {
      id: alert.id,
      to,
      author: authorOf(context.io),
      ...(ticket === undefined ? {} : { ticket }),
      ...(note === undefined ? {} : { note }),
    };
    const isSimulated = alert.doc.labels?.['launchwarden_simulated'] === true;
    const open = takers.filter((one) => !isSimulated || one.simulated || one.type === 'file');
    const answer = await writeThroughDaemon(context, {
      op: escalateOp,
      args: request,
      direct: (store) =>
        applyEscalation(
          {
            store,
            version: context.version,
            agentId: store.meta.get('agent.id') ?? '',
            now: () => context.clock.now(),
            destinations: open.map(destinationName),
            known,
          },
          request,
        ),
    });
    const { document } = (answer ?? {}) as { document?: string };
    if (options.json)
      context.out.document('escalation/1', {
        alert: alert.id,
        destination: to,
        ticket: ticket ?? null,
        document: document ?? null,
      });
    else
      context.out.line(
        `${shortId(alert.id)}  escalated to ${safe(to)}: document ${safe(document)} waits there to be sent ("launchwarden forward status")`,
      );
    return ExitCode.ok;
  },
});
