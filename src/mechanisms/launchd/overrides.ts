import { flat } from '../../base/flat.js';
import { type PlistValue, readPlist } from '../../base/plist/index.js';
import type { ToolAnswer } from '../../base/tool.js';
import { booleanOf } from '../launch-keys.js';

/** Labels that launchd has been told to disable (true) or to enable (false), whatever their lists say. */
export type Overrides = ReadonlyMap<string, boolean>;

const maxLabels = 20_000;
const maxLabel = 4_096;

/** Where launchd keeps its table: one of the system, and one of each user. Source: launchctl(1), `enable`, `disable`. */
export function overridesPath(uid?: number): string {
  return `/private/var/db/com.apple.xpc.launchd/disabled${uid === undefined ? '' : `.${uid}`}.plist`;
}

/** The table as its file holds it; undefined when it is no dictionary. */
export function overridesIn(bytes: Uint8Array): Overrides | undefined {
  const result = readPlist(bytes);
  if (!result.ok || !(result.value instanceof Map)) return undefined;
  return new Map(
    [...result.value]
      .slice(0, maxLabels)
      .map(
        ([label, value]: [string, PlistValue]) => [flat(label.slice(0, maxLabel)), booleanOf(value)] as const,
      )
      .filter((entry): entry is readonly [string, boolean] => entry[1] !== undefined),
  );
}

/** `"com.x" => disabled` from macOS 13, `"com.x" => true` before; a label may hold quotes. */
const row = /^\s*"(.+)" => (disabled|enabled|true|false)\s*$/;

/**
 * The answer to `launchctl print-disabled DOMAIN`; undefined when it is not understood. Its form is no interface
 * (launchctl(1)) and was not seen on a Mac by the authors.
 */
export function readPrintDisabled(answer: ToolAnswer): Overrides | undefined {
  if (answer.status !== 0) return undefined;
  const lines = answer.stdout.split('\n', maxLabels * 2);
  const begin = lines.findIndex((line) => /^\s*disabled services = \{\s*$/.test(line));
  if (begin === -1) return undefined;
  const found = new Map<string, boolean>();
  for (const line of lines.slice(begin + 1)) {
    if (/^\s*\}\s*$/.test(line) || found.size >= maxLabels) break;
    const [, label, word] = row.exec(line) ?? [];
    if (label !== undefined)
      found.set(flat(label.slice(0, maxLabel)), word === 'disabled' || word === 'true');
  }
  return found;
}
