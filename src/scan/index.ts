export { ContentScanner, type ContentScanOptions, type FileScan } from './content-scanner.js';
export {
  type HashList,
  type ListedHash,
  parseHashList,
  type RefusedLine,
  readHashList,
} from './hash-list.js';
export { ItemJudge, type JudgeOptions, type RuleHit } from './judge.js';
export { type ScanParts, type ScanVerdict, type ScanWord, type ScanWork, scanAll } from './run.js';
export { filesBelow, type ItemTargets, inFairOrder, targetsOf } from './targets.js';
export type { YaraMatch } from './yara/engine.js';
export { YaraEngine } from './yara/engine.js';
export { findYaraFiles, type RefusedYara } from './yara/files.js';
