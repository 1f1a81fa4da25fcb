export { plistToJson } from './json.js';
export { type PlistResult, readPlist } from './plist.js';
export type { PlistFinding, PlistUid, PlistValue, Repeated } from './value.js';
