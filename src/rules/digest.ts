import { hashParts } from '../base/digest.js';
import type { Rule } from './rule.js';

/** Tells one wording of a rule from another, wherever its file stands. */
export function ruleDigest({ meta: { file: _, ...meta } }: Rule): string {
  return hashParts([JSON.stringify(meta)]).slice(0, 12);
}
