import { things } from '../../base/count.js';
import { formatMicros } from '../../base/time.js';
import type { InventoryRow } from '../../event/inventory.js';
import type { AnswerPoint } from '../../event/investigation.js';
import type { Story } from '../../event/story.js';
import type { Version } from '../../event/version.js';
import { type KnownGood, knownGoodOf } from '../known-good.js';
import { counted, defineStep, fact, gravest, point, timeText } from './answer.js';
import type { Case } from './case.js';
import { type PlistChange, plistChanges } from './plist-diff.js';
import { textIn } from './read.js';

interface Facts {
  readonly story: Story | undefined;
  readonly rows: readonly InventoryRow[];
  readonly versions: readonly Version[];
  readonly changes: readonly PlistChange[] | undefined;
  readonly noChanges: string | undefined;
  readonly settled: string | undefined;
  readonly good: KnownGood | undefined;
}

const shown = 10;

export const history = defineStep<Facts>({
  name: 'history',
  question: 'How does it compare with what it was, and with what is known to be good?',
  read(from) {
    const { about, store, alert } = from;
    const { item } = about;
    const list = listHistory(from);
    const versions = about.path === undefined ? [] : store.versions.ofPath(about.path, { limit: 50 });
    return {
      story: item === undefined ? undefined : store.stories.get(item),
      rows: item === undefined ? [] : store.inventory.of(item),
      versions,
      changes: list?.changes,
      noChanges: list?.why === undefined ? undefined : `what changed since the version before: ${list.why}`,
      settled: textIn(alert.doc, 'launchwarden.alert.settled.text'),
      good: item === undefined ? undefined : knownGoodOf(store, item),
    };
  },
  says({ story, rows, versions, changes, noChanges, settled, good }, { alert }) {
    const [row] = rows;
    const known = story?.known;
    const before = known === 0 || (story === undefined && row?.baseline === true);
    const isNew = !before && (story?.first ?? row?.firstSeen ?? alert.time) >= alert.time - 600e6;
    const changed = (changes ?? []).length;
    return {
      mark:
        settled !== undefined
          ? 'reassuring'
          : gravest(
              [isNew ? 'notable' : undefined, changed > 0 ? 'notable' : undefined],
              before ? 'neutral' : 'unknown',
            ),
      says:
        settled !== undefined
          ? `It is known: ${settled}.`
          : before
            ? `It was there before the agent first looked${changed > 0 ? `; ${counted(changed, 'key')} of it changed since the version before` : ''}.`
            : isNew
              ? 'It is new: it was not there before, so there is nothing to compare it with.'
              : `It is known since ${timeText(story?.first ?? row?.firstSeen ?? alert.time)}${changed > 0 ? `; ${counted(changed, 'key')} of it changed since the version before` : ''}.`,
      points: [
        good === undefined ? undefined : goodPoint(good),
        ...(changes ?? []).slice(0, shown).map((one) => point('notable', changeSentence(one))),
        story === undefined || story.updates === 0
          ? undefined
          : point(
              'reassuring',
              `${counted(story.updates, 'change')} of it were updates by the same signer or of the same programs.`,
            ),
        story?.stage === 'back' ? point('worrying', 'It came back after it was removed.') : undefined,
      ],
      facts: [
        row === undefined
          ? undefined
          : fact(
              'first seen',
              row.baseline
                ? `${formatMicros(row.firstSeen)} (it was there before)`
                : formatMicros(row.firstSeen),
            ),
        row?.gone === undefined ? undefined : fact('gone', formatMicros(row.gone)),
        ...versions
          .slice(0, shown)
          .map((one) =>
            fact(
              `version #${one.id}`,
              `${formatMicros(one.time).slice(0, 19)}Z, ${things(one.size, 'byte')}, ${one.sha256 ?? 'not read'}`,
            ),
          ),
        versions.length > shown ? fact('more', things(versions.length - shown, 'older version')) : undefined,
      ],
      unknown: [
        noChanges,
        versions.length === 0 ? 'earlier versions: none is kept' : undefined,
        good?.baseline === undefined
          ? 'what is known good: nothing was called so yet ("launchwarden baseline save" does, when all is well)'
          : undefined,
      ],
    };
  },
});

/** How it compares with the newest baseline; undefined without one, or when neither knows the item. */
function goodPoint({ baseline, verdict, entries }: KnownGood): AnswerPoint | undefined {
  if (baseline === undefined || verdict === undefined) return undefined;
  const of = `the baseline "${baseline.name}" of ${timeText(baseline.time)}`;
  const fields = [...new Set(entries.flatMap((one) => one.fields))].join(', ');
  switch (verdict) {
    case 'same':
      return point('reassuring', `It is as ${of} knows it.`);
    case 'updated':
      return point('reassuring', `Against ${of} it was updated by the same signer (${fields}).`);
    case 'changed':
      return point('worrying', `Against ${of} it changed: ${fields}.`);
    case 'new':
      return point('notable', `It is not in ${of}.`);
    case 'gone':
      return point('neutral', `${of} has it, and it is gone.`);
  }
}

function changeSentence({ key, before, after }: PlistChange): string {
  if (before === undefined) return `${key} was added: ${after}.`;
  if (after === undefined) return `${key} was removed; it was ${before}.`;
  return `${key} was ${before}, and is ${after}.`;
}

/** The property list of an alert, and the one before it. */
export interface ListHistory {
  readonly at: Version;
  /** The version before it with another content. */
  readonly before: Version | undefined;
  /** By key; undefined where they could not be compared. */
  readonly changes: readonly PlistChange[] | undefined;
  /** Why they could not be compared. */
  readonly why: string | undefined;
}

/** What changed between the property list of the alert and the one before it. Undefined when no version is kept. */
export function listHistory({
  about,
  store,
  alert,
}: Pick<Case, 'about' | 'store' | 'alert'>): ListHistory | undefined {
  const file = about.isBundle && about.path !== undefined ? `${about.path}/Contents/Info.plist` : about.path;
  if (file === undefined) return undefined;
  const sha256 = textIn(alert.doc, 'file.hash.sha256');
  const versions = store.versions.ofPath(file, { limit: 64 });
  const at = versions.find((one) => one.sha256 === sha256) ?? versions[0];
  if (at === undefined) return undefined;
  const before = store.versions.before(at);
  if (before === undefined || at.kind !== 'list') return { at, before, changes: undefined, why: undefined };
  const bytes = (one: Version) =>
    one.sha256 === undefined ? undefined : store.evidence.get(one.sha256)?.content.bytes;
  const [old, now] = [bytes(before), bytes(at)];
  if (old === undefined || now === undefined)
    return { at, before, changes: undefined, why: 'the bytes of one of them are not kept' };
  const changes = plistChanges(old, now);
  return { at, before, changes, why: changes === undefined ? 'one of them is no property list' : undefined };
}
