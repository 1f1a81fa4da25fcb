import { ExitCode } from '../../../base/errors.js';
import type { Alert } from '../../../event/alert.js';
import type { Story } from '../../../event/story.js';
import type { CommandContext } from '../../context.js';
import { defineCommand, flag } from '../../define-command.js';
import { alertFields, alertSchema } from './alert-document.js';
import { findAlert } from './find.js';
import { showAlert } from './show-alert.js';

interface Read {
  readonly alert: Alert;
  readonly story: Story | undefined;
}

async function readAlert(context: CommandContext, id: string): Promise<Read> {
  return context.withStore((store) => {
    const alert = findAlert(store, id);
    return { alert, story: alert.item === undefined ? undefined : store.stories.get(alert.item) };
  });
}

export const alertsShow = defineCommand({
  arguments: [{ name: 'ID', summary: 'id of an alert, or a beginning that only one has' }],
  options: { json: flag('--json', 'the alert as one JSON document') },
  examples: [
    { line: 'launchwarden alerts show 3f9a01', says: 'a beginning of the id is enough' },
    { line: 'launchwarden alerts show 3f9a01 --json', says: 'with the ECS document as it is forwarded' },
  ],
  needs: 'read access to the data directory (root, when the agent runs as a daemon)',
  async handler({ context, options, args: [id = ''] }) {
    const { alert, story } = await readAlert(context, id);
    if (options.json) context.out.document(alertSchema, alertFields(alert));
    else showAlert(alert, { out: context.out, now: context.clock.now(), story });
    return ExitCode.ok;
  },
});
