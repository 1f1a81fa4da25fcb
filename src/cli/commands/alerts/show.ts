import { ExitCode } from '../../../base/errors.js';
import { homeOf } from '../../../base/launch-paths.js';
import type { Alert } from '../../../event/alert.js';
import type { InventoryEntry } from '../../../event/inventory.js';
import type { Story } from '../../../event/story.js';
import type { LaunchdJob } from '../../../inventory/index.js';
import type { CommandContext } from '../../context.js';
import { defineCommand, flag } from '../../define-command.js';
import { at } from '../../output/read.js';
import { launchdJobFields, launchdJobOf } from '../inventory/launchd-job.js';
import { alertFields, alertSchema } from './alert-document.js';
import { findAlert } from './find.js';
import { showAlert } from './show-alert.js';

interface Read {
  readonly alert: Alert;
  readonly story: Story | undefined;
  readonly entries: readonly InventoryEntry[];
}

async function readAlert(context: CommandContext, id: string): Promise<Read> {
  return context.withStore((store) => {
    const alert = findAlert(store, id);
    const rows = store.inventory.list().filter(({ gone }) => gone === undefined);
    return {
      alert,
      story: alert.item === undefined ? undefined : store.stories.get(alert.item),
      entries: rows.map(({ entry }) => entry),
    };
  });
}

/** Of the alert's launch item as it is now; the documents of an alert may hold anything. */
async function jobOf(
  context: CommandContext,
  { alert, story, entries }: Read,
): Promise<LaunchdJob | undefined> {
  const { doc } = alert;
  const text = (name: string) => {
    const value = at(doc, `launchwarden.persistence.${name}`);
    return typeof value === 'string' ? value.slice(0, 4_096) : undefined;
  };
  const path = text('path') ?? story?.path;
  const mechanism = text('mechanism') ?? story?.mechanism;
  if (path?.startsWith('/') !== true || mechanism === undefined) return undefined;
  const home = entries.find((entry) => entry.path === path)?.home ?? homeOf(path);
  return launchdJobOf(context, { path, mechanism, ...(home === undefined ? {} : { home }) }, entries);
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
    const read = await readAlert(context, id);
    const { alert, story } = read;
    const job = await jobOf(context, read);
    if (options.json)
      context.out.document(alertSchema, { ...alertFields(alert), launchd_job: launchdJobFields(job) });
    else showAlert(alert, { out: context.out, now: context.clock.now(), story, job });
    return ExitCode.ok;
  },
});
