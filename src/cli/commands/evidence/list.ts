import { ExitCode } from '../../../base/errors.js';
import type { Version } from '../../../event/version.js';
import { defineCommand, flag, value } from '../../define-command.js';
import { counted, type Output, safe } from '../../output/output.js';
import { type Column, tableLines } from '../../output/table.js';
import { timePoint, wholeNumber } from '../../values.js';
import { versionFields, versionSchema } from './document.js';
import { findVersions, whatNames } from './find.js';

const defaultLimit = 100;

const columns = ({ times }: Pick<Output, 'times'>): readonly Column[] => [
  { title: 'VERSION', style: () => 'bold' },
  { title: `FIRST SEEN (${times.zone})` },
  { title: 'KIND' },
  { title: 'SIZE', right: true },
  { title: 'MODE' },
  { title: 'UID', right: true },
  { title: 'KEPT', style: (text) => (text === 'whole' ? undefined : 'yellow') },
  { title: 'SHA256' },
  { title: 'PATH', flexible: true, path: true },
];

function cells(version: Version, { times }: Pick<Output, 'times'>): string[] {
  return [
    `#${version.id}`,
    times.at(version.time),
    version.kind,
    counted(version.size),
    version.mode.toString(8).padStart(4, '0'),
    String(version.uid),
    version.kept === 'whole' ? 'whole' : (version.notTaken ?? (version.kept === 'head' ? 'head' : 'no more')),
    version.sha256?.slice(0, 12) ?? '',
    `${safe(version.path) ?? ''}${version.gone === undefined ? '' : ' (gone)'}`,
  ];
}

export const evidenceList = defineCommand({
  description:
    'Every state in which the agent saw a property list, a program or script that an item runs, a plug-in bundle and the files\n' +
    'in it: the newest version of each path, or all versions of what is named. KEPT: "whole" when the bytes are kept, else why\n' +
    'not, or not all of them; "no more" when they were given up for want of room.',
  arguments: [{ name: '[WHAT]', summary: whatNames }],
  options: {
    since: value('--since TIME', 'only what was first seen since then', timePoint('--since')),
    limit: value('--limit N', `at most so many (${defaultLimit})`, wholeNumber('--limit', 1, 100_000)),
    json: flag('--json', 'one JSON document a version (NDJSON)'),
  },
  examples: [
    { line: 'sudo launchwarden evidence list', says: 'the newest version of everything' },
    {
      line: 'sudo launchwarden evidence list com.example.agent',
      says: 'the history of an item and its program',
    },
    { line: 'sudo launchwarden evidence list 3f9a01', says: 'of what an alert is about' },
  ],
  needs: 'read access to the data directory (root, when the agent runs as a daemon)',
  async handler({ context, options, args: [what] }) {
    const { out } = context;
    const limit = options.limit ?? defaultLimit;
    const since = options.since?.(context.clock.now()) ?? 0;
    const found = await context.withStore((store) => {
      const all = what === undefined ? store.versions.current(100_000) : findVersions(store, what);
      return all.filter(({ time }) => time >= since);
    });
    const shown = [...found].sort((a, b) => b.id - a.id).slice(0, limit);
    if (options.json) for (const version of shown) out.document(versionSchema, versionFields(version));
    else if (shown.length === 0) out.line('Nothing is kept.');
    else {
      for (const line of tableLines(
        columns(out),
        shown.map((one) => cells(one, out)),
        out,
      ))
        out.line(line);
      if (found.length > shown.length)
        out.line(`${counted(found.length - shown.length)} more: see --limit and --since.`);
    }
    return ExitCode.ok;
  },
});
