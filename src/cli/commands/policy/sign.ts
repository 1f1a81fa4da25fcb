import { ExitCode, UserError } from '../../../base/errors.js';
import { writeConfigFile } from '../../../config/index.js';
import { keyIdOf, openBundle, readPrivateKey, signBundle } from '../../../policy/index.js';
import { defineCommand, flag, value } from '../../define-command.js';
import { safe } from '../../output/output.js';
import { filePath } from '../../values.js';
import { readNamed } from './files.js';

export const policySign = defineCommand({
  description:
    'Adds the signature of a key to a bundle, in its place. While one key replaces another, sign with both: a Mac needs one\n' +
    'signature of a key that it trusts.',
  arguments: [{ name: 'BUNDLE', summary: 'what "policy build" wrote', check: filePath('BUNDLE') }],
  options: {
    key: value('--key FILE', 'the private key, from "policy keygen"', filePath('--key')),
    json: flag('--json', 'one JSON document'),
  },
  examples: [
    { line: 'launchwarden policy sign policy-12.bundle --key policy.key', says: 'ready to be published' },
  ],
  async handler({ context, options, args }) {
    const { out } = context;
    if (options.key === undefined)
      throw new UserError('cli/missing-option', 'a private key is needed: --key FILE', {
        hint: 'Make one with "launchwarden policy keygen FILE".',
      });
    const { file, bytes } = readNamed(context, args[0] as string);
    const named = readNamed(context, options.key);
    const pair = readPrivateKey(named.bytes.toString('utf8'), named.file);
    const signed = signBundle(bytes, pair);
    const { manifest } = openBundle(signed, [pair.publicKey]);
    writeConfigFile(file, signed);
    const id = keyIdOf(pair.publicKey);
    if (options.json)
      out.document('policy-bundle/1', {
        file,
        version: manifest.version,
        issued: manifest.issued,
        expires: manifest.expires,
        bytes: signed.length,
        signed_by: [id],
        files: manifest.files.map((one) => one.path),
      });
    else out.line(`${safe(file)}: version ${manifest.version} is signed by key ${id}.`);
    return ExitCode.ok;
  },
});
