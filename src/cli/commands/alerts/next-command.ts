import type { Alert } from '../../../event/alert.js';
import type { Investigation } from '../../../event/investigation.js';
import type { LaunchdJob } from '../../../inventory/index.js';
import type { CommandContext } from '../../context.js';
import { givenFlags } from '../../given-flags.js';
import { shortId } from './alert-line.js';

/** The one command that a person should run next about an alert, as it can be copied. Safe. */
export function nextCommand(
  { flags, io }: Pick<CommandContext, 'flags' | 'io'>,
  {
    alert,
    investigation,
  }: {
    readonly alert: Alert;
    readonly investigation: Investigation | undefined;
    readonly job: LaunchdJob | undefined;
  },
): string {
  const id = shortId(alert.id);
  const sudo = io.platform === 'darwin' && flags.root === undefined ? 'sudo ' : '';
  const command = (words: string, tail = '') => `${sudo}launchwarden ${words}${givenFlags(flags)}${tail}`;
  if (alert.status === 'closed') return command(`alerts report ${id} --html alert.html`);
  if (investigation === undefined) return command(`alerts investigate ${id}`);
  return command(`alerts report ${id} --html alert.html`);
}
