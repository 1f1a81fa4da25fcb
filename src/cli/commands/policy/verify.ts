import { things } from '../../../base/count.js';
import { ExitCode, UserError } from '../../../base/errors.js';
import { together } from '../../../config/index.js';
import { openBundle, requireCurrent } from '../../../policy/index.js';
import { defineCommand, flag, list } from '../../define-command.js';
import { safe } from '../../output/output.js';
import { filePath } from '../../values.js';
import { publicKeyText, readNamed, trustedKeysOf } from './files.js';

export const policyVerify = defineCommand({
  description:
    'Looks at a bundle as a Mac does: signature, size, names, hashes, times, then settings, rules, exceptions and lists. Nothing is\n' +
    'put in force. Exit code 1 when a Mac would refuse it.',
  arguments: [{ name: 'BUNDLE', summary: 'the file that is to be published', check: filePath('BUNDLE') }],
  options: {
    publicKey: list(
      '--public-key KEY',
      'a key that may sign it; else those of the configuration',
      publicKeyText,
    ),
    json: flag('--json', 'one JSON document'),
  },
  examples: [
    {
      line: 'launchwarden policy verify policy-12.bundle --public-key zmbXKCOGbdJtnbSQFeVTTaLGK7wY5dLgpJKHqRzRtw4=',
      says: 'before it is published',
    },
  ],
  async handler({ context, options, args }) {
    const { out } = context;
    const { file, bytes } = readNamed(context, args[0] as string);
    const keys = await trustedKeysOf(context, options.publicKey);
    if (keys.length === 0)
      throw new UserError('cli/missing-option', 'no key is trusted here: --public-key KEY', {
        hint: 'Name the key that "launchwarden policy keygen" printed.',
      });
    const { checkFiles } = await import('../../../agent/policy-check.js');
    try {
      const bundle = openBundle(bytes, keys);
      requireCurrent(bundle.manifest, context.clock.now() / 1000);
      const { problems, remarks } = await checkFiles(bundle.files);
      if (problems.length > 0) throw together(problems);
      const { version, issued, expires, comment } = bundle.manifest;
      const names = bundle.files.map((one) => one.path);
      if (options.json) {
        out.document('policy-verdict/1', {
          file,
          good: true,
          version,
          issued,
          expires,
          comment: comment ?? null,
          signed_by: bundle.keys,
          files: names,
          remarks,
        });
        return ExitCode.ok;
      }
      out.line(
        `${safe(file)}: good. Version ${version}, signed by key ${bundle.keys.join(' and ')}, issued ${issued}, good until ${expires}.`,
      );
      if (comment !== undefined) out.line(`${safe(comment)}`);
      out.line(`${things(names.length, 'file')}: ${names.map((one) => safe(one)).join(', ')}`);
      for (const remark of remarks) out.line(`${out.style('yellow', '!')} ${remark}.`);
      return ExitCode.ok;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const { code, message, hint } = error;
      if (options.json)
        out.document('policy-verdict/1', { file, good: false, code, message, hint: hint ?? null });
      else out.line(`${safe(file)}: refused. ${error.describe().split('\n').map(safe).join('\n')}`);
      return ExitCode.checkFailed;
    }
  },
});
