import { things } from '../../../base/count.js';
import { ExitCode, UserError } from '../../../base/errors.js';
import { quote } from '../../../base/escape.js';
import type { Version } from '../../../event/version.js';
import { differenceOf, type VersionDifference } from '../../../respond/difference/index.js';
import type { Store } from '../../../store/index.js';
import { defineCommand, flag } from '../../define-command.js';
import { type Output, safe } from '../../output/output.js';
import { Sheet } from '../../output/sheet.js';
import { findVersion, whatNames } from './find.js';

/** The two versions that are meant, the older one first. */
function pairOf(store: Store, what: string, other: string | undefined): readonly [Version, Version] {
  const one = findVersion(store, what);
  if (other !== undefined) {
    const two = findVersion(store, other);
    return one.id <= two.id ? [one, two] : [two, one];
  }
  // That only a time moved is seldom what was meant.
  const older = store.versions.before(one) ?? store.versions.ofPath(one.path).find(({ id }) => id < one.id);
  if (older !== undefined) return [older, one];
  throw new UserError(
    'evidence/first-version',
    `version #${one.id} of ${quote(one.path)} is the first that was seen`,
    {
      hint: 'Name a second version to compare it with: see "launchwarden evidence list".',
    },
  );
}

function printed(difference: VersionDifference, sheet: Sheet, out: Output): void {
  const { facts, content } = difference;
  sheet.section('Facts', (lines) => {
    if (facts.length === 0) lines.line('The same.');
    for (const { fact, before, after } of facts)
      lines.field(safe(fact) ?? '', `${safe(before) ?? '(none)'} → ${safe(after) ?? '(none)'}`);
  });
  sheet.section('Content', (lines) => {
    switch (content.kind) {
      case 'same':
        return lines.line('The same.');
      case 'unknown':
        return lines.line(`Not compared: ${safe(content.why)}.`);
      case 'bytes':
        return lines.line('Other bytes, which are no text.');
      case 'list':
        if (content.changes.length === 0) lines.line('Written in another way; every key has the same value.');
        for (const { key, before, after } of content.changes) {
          lines.line(out.style('bold', safe(key) ?? ''));
          if (before !== undefined) lines.line(out.style('red', `- ${safe(before) ?? ''}`), 4);
          if (after !== undefined) lines.line(out.style('green', `+ ${safe(after) ?? ''}`), 4);
        }
        return;
      case 'text':
        for (const { mark, text } of content.lines) {
          const line = mark === 'gap' ? `… ${things(Number(text), 'line')}` : `${mark} ${safe(text) ?? ''}`;
          const look = mark === '-' ? 'red' : mark === '+' ? 'green' : mark === 'gap' ? 'dim' : undefined;
          lines.verbatim(look === undefined ? line : out.style(look, line));
        }
        return;
      case 'bundle':
        if (content.files.length === 0) lines.line('No file of it differs.');
        for (const { change, path, facts: names } of content.files) {
          const look = change === 'gone' ? 'red' : change === 'added' ? 'green' : 'yellow';
          const which = names.length === 0 ? '' : ` (${names.join(', ')})`;
          lines.line(`${out.style(look, change.padEnd(7))}  ${safe(path) ?? ''}${which}`);
        }
    }
  });
}

export const evidenceDiff = defineCommand({
  description:
    'What differs between two versions: a version and the last one before it with another content, or the two that are named. Property lists are compared by\n' +
    'key, bundles by file, texts by line; of programs their facts. Exit code 0 also when nothing differs.',
  arguments: [
    { name: 'WHAT', summary: whatNames },
    { name: '[OTHER]', summary: 'what it is compared with; the version before it when left out' },
  ],
  options: { json: flag('--json', 'the difference as one JSON document') },
  examples: [
    { line: 'sudo launchwarden evidence diff com.example.agent', says: 'what changed last' },
    { line: "sudo launchwarden evidence diff '#12' '#17'", says: 'between two versions' },
  ],
  needs: 'read access to the data directory (root, when the agent runs as a daemon)',
  async handler({ context, options, args: [what = '', other] }) {
    const { out } = context;
    const { before, after, difference } = await context.withStore((store) => {
      const [older, newer] = pairOf(store, what, other);
      return { before: older, after: newer, difference: differenceOf(older, newer, store.evidence) };
    });
    if (options.json)
      out.document('evidence-diff/1', {
        before: { version: before.id, path: before.path },
        after: { version: after.id, path: after.path },
        facts: difference.facts.map((one) => ({
          fact: one.fact,
          before: one.before ?? null,
          after: one.after ?? null,
        })),
        content: difference.content,
      });
    else {
      const sheet = new Sheet(out);
      sheet.section('Versions', (lines) => {
        for (const [name, version] of [
          ['before', before],
          ['after', after],
        ] as const)
          lines.field(
            name,
            `#${version.id}, first seen ${out.times.at(version.time)} ${out.times.zone}, ${safe(version.path) ?? ''}`,
          );
      });
      printed(difference, sheet, out);
    }
    return ExitCode.ok;
  },
});
