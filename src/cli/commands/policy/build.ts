import path from 'node:path';
import { things } from '../../../base/count.js';
import { ExitCode, UserError } from '../../../base/errors.js';
import { parseDuration, parseTime } from '../../../base/time.js';
import { together } from '../../../config/index.js';
import { makeBundle, readPolicyFolder } from '../../../policy/index.js';
import { defineCommand, flag, value } from '../../define-command.js';
import { safe } from '../../output/output.js';
import { filePath, wholeNumber } from '../../values.js';
import { writeNamed } from './files.js';

/** Seconds: a manifest knows no fractions. */
function stamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** `90d` from now, or a point in time; milliseconds since 1970. */
function expiry(text: string): (now: number) => number {
  const long = parseDuration(text);
  if (long !== undefined) return (now) => now + long / 1000;
  const point = parseTime(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text);
  if (point !== undefined) return () => point.time / 1000;
  throw new UserError('cli/invalid-value', '--expires is no time', {
    hint: 'Write how long it is good, "90d", or until when, "2027-06-30".',
  });
}

const check = filePath('DIR');

export const policyBuild = defineCommand({
  description:
    'Makes one file of a folder: config.toml (settings that go over those of each Mac), rules, exceptions, yara, hashes, files\n' +
    '(certificates, named in config.toml as "files/NAME"). Everything is checked as an agent does: nothing is written when a\n' +
    'setting is wrong or a rule does not compile. The bundle is to be signed then.',
  arguments: [{ name: 'DIR', summary: 'the folder with config.toml, rules, exceptions, …', check }],
  options: {
    version: value(
      '--version N',
      'higher than that of every bundle before',
      wholeNumber('--version', 1, 999_999_999_999),
    ),
    expires: value('--expires WHEN', 'for how long it is good (90d), or until when (2027-06-30)', expiry),
    comment: value('--comment TEXT', 'what it changes, for whoever looks at it', (text) =>
      text.slice(0, 500),
    ),
    output: value('--output FILE', 'where it is written; policy-N.bundle when absent', filePath('--output')),
    force: flag('--force', 'replace the file when it is there'),
    json: flag('--json', 'one JSON document'),
  },
  examples: [
    { line: 'launchwarden policy build fleet --version 12 --expires 90d', says: 'writes policy-12.bundle' },
  ],
  async handler({ context, options, args }) {
    const { out } = context;
    const { version, expires, comment } = options;
    if (version === undefined || expires === undefined)
      throw new UserError('cli/missing-option', 'a bundle needs --version and --expires', {
        hint: 'launchwarden policy build DIR --version 1 --expires 90d',
      });
    const now = context.clock.now() / 1000;
    const until = expires(now);
    if (until <= now)
      throw new UserError('cli/invalid-value', '--expires is in the past', { hint: 'Macs would refuse it.' });
    const files = readPolicyFolder(path.resolve(context.io.cwd, args[0] as string));
    const { checkFiles } = await import('../../../agent/policy-check.js');
    const { problems, remarks } = await checkFiles(files);
    if (problems.length > 0) throw together(problems);
    const facts = { version, issued: stamp(now), expires: stamp(until) };
    const bytes = makeBundle({ ...facts, ...(comment === undefined ? {} : { comment }) }, files);
    const name = options.output ?? `policy-${version}.bundle`;
    const file = writeNamed(context, name, { bytes, mode: 0o644, force: options.force });
    if (options.json) {
      out.document('policy-bundle/1', {
        file,
        ...facts,
        bytes: bytes.length,
        signed_by: [],
        files: files.map((one) => one.path),
        remarks,
      });
      return ExitCode.ok;
    }
    out.line(
      `${safe(file)}: version ${version}, ${things(files.length, 'file')}, ${things(bytes.length, 'byte')}, good until ${facts.expires}.`,
    );
    for (const remark of remarks) out.line(`${out.style('yellow', '!')} ${remark}.`);
    out.line(`Sign it: launchwarden policy sign ${safe(name)} --key FILE`);
    return ExitCode.ok;
  },
});
