import { homeOf } from '../../../base/launch-paths.js';
import type { Alert } from '../../../event/alert.js';
import type { Story } from '../../../event/story.js';
import type { LaunchdJob } from '../../../inventory/index.js';
import type { Store } from '../../../store/index.js';
import type { CommandContext } from '../../context.js';
import { at } from '../../output/read.js';
import { launchdJobOf } from '../inventory/launchd-job.js';

/** What launchd makes now of the launch item that an alert is about; the documents of an alert may hold anything. */
export async function jobOfAlert(
  context: CommandContext,
  store: Store,
  { alert, story }: { readonly alert: Alert; readonly story: Story | undefined },
): Promise<LaunchdJob | undefined> {
  const text = (name: string) => {
    const value = at(alert.doc, `launchwarden.persistence.${name}`);
    return typeof value === 'string' ? value.slice(0, 4_096) : undefined;
  };
  const path = text('path') ?? story?.path;
  const mechanism = text('mechanism') ?? story?.mechanism;
  if (path?.startsWith('/') !== true || mechanism === undefined) return undefined;
  const rows = store.inventory.list().filter(({ gone }) => gone === undefined);
  const entries = rows.map(({ entry }) => entry);
  const home = entries.find((entry) => entry.path === path)?.home ?? homeOf(path);
  const told = at(alert.doc, 'launchwarden.plist.label');
  const label = typeof told === 'string' ? told.slice(0, 4_096) : story?.label;
  const item = {
    ...{ path, mechanism },
    ...(home === undefined ? {} : { home }),
    ...(label === undefined || label === '' ? {} : { label }),
  };
  return launchdJobOf(context, item, entries);
}
