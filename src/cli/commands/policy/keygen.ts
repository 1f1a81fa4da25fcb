import { ExitCode } from '../../../base/errors.js';
import { keyIdOf, makeKeyPair } from '../../../policy/index.js';
import { defineCommand, flag } from '../../define-command.js';
import { safe } from '../../output/output.js';
import { filePath } from '../../values.js';
import { writeNamed } from './files.js';

const check = filePath('FILE');

export const policyKeygen = defineCommand({
  description:
    'Writes the private key, readable by you alone, and prints the public one for [policy] public_key. Whoever has the\n' +
    'private key says what the Macs of the fleet detect: keep it off them, and off the server that hands out the bundle.',
  arguments: [{ name: 'FILE', summary: 'where the private key is written', check }],
  options: {
    force: flag('--force', 'replace the file when it is there'),
    json: flag('--json', 'one JSON document'),
  },
  examples: [{ line: 'launchwarden policy keygen policy.key', says: 'once for a fleet' }],
  async handler({ context, options, args }) {
    const { out } = context;
    const { privatePem, publicKey } = makeKeyPair();
    const file = writeNamed(context, args[0] as string, {
      bytes: privatePem,
      mode: 0o600,
      force: options.force,
    });
    const id = keyIdOf(publicKey);
    if (options.json) {
      out.document('policy-key/1', { file, key: id, public_key: publicKey });
      return ExitCode.ok;
    }
    out.line(
      `The private key is in ${safe(file)}. Its id is ${id}. For the configuration or a profile of each Mac:`,
    );
    out.line();
    out.line(`[policy]\npublic_key = "${publicKey}"`);
    return ExitCode.ok;
  },
});
