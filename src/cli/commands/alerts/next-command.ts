import type { Alert } from '../../../event/alert.js';
import type { Investigation } from '../../../event/investigation.js';
import type { CommandContext } from '../../context.js';
import { commandLine } from '../../given-flags.js';
import { shortId } from './alert-line.js';

/** From `medium` on something is to be done, or said why not. */
const worthActing = 40;

/** The one command that a person should run next about an alert, as it can be copied. Safe. */
export function nextCommand(
  context: Pick<CommandContext, 'flags' | 'io'>,
  {
    alert,
    investigation,
  }: {
    readonly alert: Alert;
    readonly investigation: Investigation | undefined;
  },
): string {
  const id = shortId(alert.id);
  const command = (words: string) => commandLine(context, words);
  if (alert.status === 'closed') return command(`alerts report ${id} --html alert.html`);
  if (investigation === undefined) return command(`alerts investigate ${id}`);
  if (alert.notes.some(({ kind }) => kind === 'response')) return command(`respond list --alert ${id}`);
  const worrying = investigation.answers.some(({ mark }) => mark === 'worrying');
  if (alert.item !== undefined && (worrying || alert.priority.score >= worthActing))
    return command(`respond all ${id} --dry-run`);
  return command(`alerts close ${id} --reason benign`);
}
