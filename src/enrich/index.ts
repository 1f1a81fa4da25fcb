export { type CodesignVerification, codeSignatureOf, trustedRequirement } from './code-signature.js';
export { Enricher, type EnricherOptions } from './enricher.js';
export { NamedPaths, type Volume } from './named-paths.js';
export { ProcessTable } from './process-table.js';
export { UserNames } from './users.js';
export { isLocalType, linuxVolumes } from './volumes.js';
