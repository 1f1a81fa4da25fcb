/**
 * Does something as a user without rights, in this very process, and takes root's back. A runner that is not root has
 * none anyway: its own folders must then be closed by their mode. Nothing may be loaded meanwhile. access(2), which
 * existsSync calls, goes by the real user and does not notice.
 */
export async function asNobody<T>(run: () => T | Promise<T>): Promise<T> {
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid?.(65534);
  try {
    return await run();
  } finally {
    if (root) process.seteuid?.(0);
  }
}
