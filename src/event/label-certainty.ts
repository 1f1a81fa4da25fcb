import type { EcsDocument } from './document.js';

/** Findings after which launchd may read another label than ours, or one where we read none. */
const doubts: ReadonlySet<string> = new Set([
  ...[
    'vanished',
    'unreadable',
    'oversized',
    'symlink',
    'plist-empty',
    'plist-unknown-format',
    'plist-unparsable',
  ],
  ...[
    'plist-too-complex',
    'plist-cycle',
    'plist-doctype',
    'plist-cut',
    'plist-odd-encoding',
    'plist-odd-entity',
  ],
  ...[
    'plist-odd-text',
    'plist-odd-version',
    'plist-old-format',
    'plist-duplicate-key',
    'plist-leading-bytes',
  ],
  ...[
    'plist-trailing-bytes',
    'plist-unknown-element',
    'not-a-dictionary',
    'no-label',
    'wrong-type',
    'key-in-other-case',
  ],
]);
/** Longer than any label that a person would choose; the event may hold a part of it only. */
const maxLabel = 256;

/**
 * Whether the label that an event gives is surely the one under which launchd would know the job: then launchd can be
 * asked about it by name. Otherwise what launchd has loaded is to be compared.
 */
export function hasCertainLabel({ launchwarden }: EcsDocument): boolean {
  const label = launchwarden?.plist?.label;
  if (label === undefined || label === '' || label.length > maxLabel) return false;
  if (/[\p{Cc}\p{Cs}\u2028\u2029\ufffd/]|^\s|\s$/u.test(label)) return false;
  return launchwarden?.findings?.some((one) => doubts.has(one)) !== true;
}
