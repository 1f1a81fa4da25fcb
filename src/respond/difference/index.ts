export { type BundleChange, bundleDifference } from './bundles.js';
export { type DiffLine, lineDifference } from './lines.js';
export { attributeText, differenceOf, type FactChange, textOf, type VersionDifference } from './versions.js';
