export {
  type Bad,
  type Held,
  heldFolder,
  type PolicyState,
  placeVersion,
  policyFolder,
  readPolicyState,
  recoveredState,
  sourceMark,
  sweepVersions,
  withNewer,
  withoutCurrent,
  withProven,
  writePolicyState,
} from './applied.js';
export { readPolicyFolder } from './build.js';
export {
  type Bundle,
  type BundleFile,
  bundleLimits,
  type Manifest,
  makeBundle,
  openBundle,
  requireCurrent,
  signBundle,
} from './bundle.js';
export { ageText, type PolicyCondition, policyCondition } from './condition.js';
export type { Fetched, FetchOptions } from './fetch.js';
export { keyIdOf, makeKeyPair, type PublicKey, readPrivateKey } from './keys.js';
