import type { CliIo } from './io.js';

/** Who acts: the person behind sudo, else the login name. A claim for the record, not a proof. */
export function authorOf(io: CliIo): string {
  const sudoUser = io.env['SUDO_USER'] ?? '';
  return sudoUser === '' ? io.user : sudoUser;
}
