import { createHash } from 'node:crypto';
import { firstItems, itemOf } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem } from './mechanism.js';
import { linesOf, runsOfShell } from './read.js';

const names = ['.ssh/authorized_keys', '.ssh/authorized_keys2'];

/** Keys with which somebody may log in as the user. Source: sshd(8), AUTHORIZED_KEYS FILE FORMAT. */
export const sshAuthorizedKey: Mechanism = {
  id: 'ssh-authorized-key',
  name: 'SSH authorized key',
  techniques: ['T1098.004'],
  confidential: true,
  byLine: true,
  places: names.map((path) => ({ scope: 'home', path, what: 'file' })),
  read: (file) => firstItems(keysIn(file)),
  removal: ({ label }, { path }) => `Delete the line of ${label ?? 'the key'} from ${path}.`,
};

function* keysIn(file: MechanismFile): Generator<PersistentItem> {
  for (const { text } of linesOf(file)) {
    const [, options = '', type, blob = '', comment = ''] = keyLine.exec(text) ?? [];
    if (type === undefined) continue;
    const command = /(?:^|,)command="((?:[^"\\]|\\.)*)"/i.exec(options)?.[1]?.replace(/\\"/g, '"');
    const fingerprint = createHash('sha256')
      .update(Buffer.from(blob, 'base64'))
      .digest('base64')
      .replace(/=+$/, '');
    yield itemOf({
      key: `SHA256:${fingerprint}`,
      label: comment === '' ? `SHA256:${fingerprint}` : comment,
      runs: command === undefined ? [] : [runsOfShell(command)],
      when: ['demand'],
      findings: [
        ...(command === undefined ? [] : ['forced-command']),
        ...(/(?:^|,)environment=/i.test(options) ? ['sets-environment'] : []),
        ...(/(?:^|,)cert-authority\b/i.test(options) ? ['trusts-authority'] : []),
      ],
    });
  }
}

/** Options, without blanks outside of quotes; the kind of key; the key; a comment. */
const keyLine =
  /^(?:((?:[^\s"]|"(?:[^"\\]|\\.)*")+)[ \t]+)??((?:ssh-(?:rsa|dss|ed25519|ed448)|ecdsa-sha2-[\w-]+|sk-[\w@.-]+)(?:-cert-v01@openssh\.com)?)[ \t]+([A-Za-z0-9+/=]+)(?:[ \t]+(.*))?$/;
