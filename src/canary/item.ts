import { randomBytes } from 'node:crypto';
import { sha256Hex } from '../base/digest.js';
import { canaryLabelPrefix } from '../event/canary.js';
import { launchPlist } from '../prove/launch-job.js';

/** The launch item of one canary run: it exists once, and does nothing. */
export interface CanaryItem {
  /** `com.launchwarden.canary.` and 16 hexadecimal digits. */
  readonly label: string;
  /** macOS path. */
  readonly path: string;
  readonly content: string;
  readonly sha256: string;
  /** `daemon`: of the system, for root; `agent`: of the user who runs us. */
  readonly kind: 'daemon' | 'agent';
}

/** Where it belongs: a daemon for root and in a `--root` tree, else an agent of the user whose home it is. */
export type CanaryPlace = { readonly kind: 'daemon' } | { readonly kind: 'agent'; readonly home: string };

/** A new item: its label and a second word in its arguments were never used before, and are known to nobody else. */
export function makeCanaryItem(place: CanaryPlace): CanaryItem {
  const label = canaryLabelPrefix + randomBytes(8).toString('hex');
  const folder = place.kind === 'daemon' ? '/Library/LaunchDaemons' : `${place.home}/Library/LaunchAgents`;
  const nonce = randomBytes(16).toString('hex');
  const content = launchPlist({
    Label: label,
    ProgramArguments: ['/usr/bin/true', nonce],
    RunAtLoad: true,
  });
  const path = `${folder}/${label}.plist`;
  return { label, path, content, sha256: sha256Hex(content), kind: place.kind };
}
