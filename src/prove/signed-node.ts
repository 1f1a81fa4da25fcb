import { copyFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ProveSystem } from './system.js';

export const codesign = '/usr/bin/codesign';

const entitlements = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict><key>com.apple.security.cs.allow-jit</key><true/></dict></plist>
`;

/**
 * A copy of Node.js in a folder of ours, with the hardened runtime and `allow-jit` alone, signed ad hoc. Rejects when
 * codesign refuses.
 */
export async function signedNode(system: ProveSystem): Promise<string> {
  const folder = system.folder();
  const copy = path.join(folder, 'node');
  const file = path.join(folder, 'entitlements.plist');
  copyFileSync(system.node, copy);
  writeFileSync(file, entitlements);
  const { status, stderr } = await system.run(codesign, [
    ...['--force', '--sign', '-', '--options', 'runtime', '--entitlements', file],
    copy,
  ]);
  if (status !== 0) throw new Error(`codesign ended with ${status}: ${stderr.trim()}`);
  return copy;
}
