import { UserError } from '../../../base/errors.js';
import { lastRestored, rehearse, restoredPlan, restorePlan, standsAlready } from '../../../respond/index.js';
import type { Store, Version } from '../../../store/index.js';
import { defineCommand, flag, value } from '../../define-command.js';
import { wholeNumber } from '../../values.js';
import { act, actNeeds, actOptions, type Surroundings } from './act.js';
import { findTarget } from './find.js';

export const respondRestore = defineCommand({
  description:
    'Puts an earlier version of a file or bundle back, as it was kept: bytes, owner, mode, times and extended attributes.\n' +
    'Without --version the one before what stands there now. What stands there goes into the quarantine first. Where the\n' +
    'version stands already nothing is done.',
  arguments: [{ name: 'ITEM', summary: 'an item (id or label), an alert, or an absolute macOS path' }],
  options: {
    version: value(
      '--version N',
      'number of a version, see "launchwarden evidence list"',
      wholeNumber('--version', 1),
    ),
    knownGood: flag(
      '--known-good',
      'the one of the newest baseline; without a baseline the oldest that was seen',
    ),
    ...actOptions,
  },
  examples: [
    {
      line: 'sudo launchwarden respond restore /Library/LaunchDaemons/com.example.x.plist',
      says: 'the version before',
    },
    { line: 'sudo launchwarden respond restore com.example.x --version 17', says: 'a certain one' },
  ],
  needs: actNeeds,
  handler: ({ context, options, args: [written = ''] }) =>
    act(context, options, async (surroundings) => {
      const { machine, store } = surroundings;
      if (options.version !== undefined && options.knownGood)
        throw new UserError('cli/conflicting-options', '--version and --known-good each name a version', {
          hint: 'Leave one of them out.',
        });
      const target = findTarget(written, surroundings);
      const last = lastRestored(target.path, machine);
      const there = last === undefined ? undefined : store.versions.get(last.version);
      // The version before that one is what it was restored from.
      if (options.version === undefined && !options.knownGood && last !== undefined && there !== undefined)
        if (await standsAlready(there, machine)) return restoredPlan(target, there, last.response.id);
      const version = chosen(target.path, surroundings, options);
      if (await standsAlready(version, machine))
        return restoredPlan(target, version, last?.version === version.id ? last.response.id : undefined);
      const plan = restorePlan(target, version);
      // Nothing is taken away for what cannot be put there.
      const [place] = await rehearse({ ...plan, steps: plan.steps.slice(1) }, machine);
      if (place?.state === 'refused')
        throw new UserError('respond/not-kept', place.says, {
          hint: `See "launchwarden evidence list ${target.path}" for versions that are kept whole.`,
        });
      return plan;
    }),
});

function chosen(
  path: string,
  { store }: Surroundings,
  { version, knownGood }: { readonly version: number | undefined; readonly knownGood: boolean },
): Version {
  const hint = `See "launchwarden evidence list ${path}".`;
  if (version !== undefined) {
    const found = store.versions.get(version);
    const items = new Set(store.versions.itemsOf(path).map(({ itemId }) => itemId));
    const isOurs = (one: Version) =>
      one.path === path || store.versions.itemsOf(one.path).some(({ itemId }) => items.has(itemId));
    if (found !== undefined && isOurs(found)) return found;
    throw new UserError('respond/no-version', `there is no version #${version} of ${path}`, { hint });
  }
  const all = store.versions
    .ofPath(path)
    .filter(({ kept, sha256 }) => kept === 'whole' && sha256 !== undefined);
  const [newest] = store.versions.ofPath(path, { limit: 1 });
  const gone = newest?.gone !== undefined;
  const found = knownGood
    ? knownGoodOf(path, all, store)
    : all.find(({ id, sha256 }) => gone || (id !== newest?.id && sha256 !== newest?.sha256));
  if (found !== undefined) return found;
  throw new UserError(
    'respond/no-version',
    `no ${knownGood ? 'known-good ' : 'earlier '}version of ${path} is kept whole`,
    { hint },
  );
}

/** As the newest baseline has it; where none was ever saved, how it was at first sight. `all`: newest first. */
function knownGoodOf(path: string, all: readonly Version[], store: Store): Version | undefined {
  const baseline = store.baselines.newest();
  if (baseline === undefined) return all.at(-1);
  const items = new Set(store.versions.itemsOf(path).map(({ itemId }) => itemId));
  const known = [...items].flatMap((item) => store.baselines.ofItem(baseline.name, item));
  const hashes = new Set(known.flatMap(({ entry }) => [entry.sha256, entry.program_sha256]));
  const until = Math.max(...known.map(({ time }) => time));
  // Of a bundle the baseline has the hash of its description alone.
  return (
    all.find(({ sha256 }) => hashes.has(sha256)) ??
    all.find(({ kind, time }) => kind === 'bundle' && time <= until)
  );
}
