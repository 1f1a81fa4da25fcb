import type { InventoryEntry } from '../../../event/inventory.js';
import { isLaunchItem, type LaunchdJob, launchdJob } from '../../../inventory/index.js';
import type { CommandContext } from '../../context.js';
import { observedRoot } from '../../observed-root.js';
import { safe } from '../../output/output.js';
import type { Section, Sheet } from '../../output/sheet.js';

/** What launchd makes of the item of an entry now; undefined when it is no launch item. */
export async function launchdJobOf(
  context: CommandContext,
  entry: Pick<InventoryEntry, 'path' | 'mechanism' | 'home' | 'label'>,
  entries: readonly InventoryEntry[],
): Promise<LaunchdJob | undefined> {
  if (!isLaunchItem(entry)) return undefined;
  return launchdJob(entry, { root: await observedRoot(context), entries });
}

/** For `--json`: `null` where there is no launch item. */
export function launchdJobFields(job: LaunchdJob | undefined): object | null {
  if (job === undefined) return null;
  const { loading, disabled, live, triggers } = job;
  return {
    path: job.path,
    label: job.label ?? null,
    kind: job.kind,
    will_load: {
      answer: loading.answer,
      starts: loading.starts,
      says: loading.says,
      obstacles: loading.obstacles.map(({ word, effect, because }) => ({ word, effect, because })),
    },
    disabled,
    live: {
      loaded: live.loaded,
      running: live.running,
      waits_for: live.waits_for,
      says: live.says,
      domains: live.domains.map(({ domain, state, facts }) => ({ domain, state, ...facts })),
    },
    starts: { says: job.starts, triggers },
    runs: { says: job.runs, executes: job.executes, as: job.as ?? null },
  };
}

export function launchdJobSection(sheet: Sheet, job: LaunchdJob | undefined): void {
  if (job === undefined) return;
  sheet.section('What launchd makes of it, now', (section) => lines(job, section));
}

function lines({ loading, disabled, live, triggers, runs, starts }: LaunchdJob, section: Section): void {
  section.field('loads', safe(loading.says));
  const [worst, ...others] = loading.obstacles;
  const named = worst !== undefined && loading.says.includes(worst.because);
  for (const { because } of named || worst === undefined ? others : loading.obstacles)
    section.field('besides', safe(`${because.charAt(0).toUpperCase()}${because.slice(1)}.`));
  section.field('disabled', safe(disabled.says));
  section.field('now', safe(live.says));
  if (triggers.length === 0) section.field('starts', safe(starts));
  section.list(
    'starts',
    triggers.map(({ says }) => safe(says) ?? ''),
    12,
  );
  section.field('runs', safe(runs));
}
