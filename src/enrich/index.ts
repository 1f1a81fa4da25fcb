export { type CodesignVerification, codeSignatureOf, trustedRequirement } from './code-signature.js';
export { Enricher, type EnricherOptions } from './enricher.js';
export { findingMeanings } from './findings.js';
export { type LaunchItem, launchItem, persistenceOf } from './launch-item.js';
export { type PlistResult, readPlist } from './plist.js';
export { plistToJson } from './plist-json.js';
export type { PlistFinding, PlistUid, PlistValue } from './plist-value.js';
export { ProcessTable } from './process-table.js';
export { UserNames } from './users.js';
