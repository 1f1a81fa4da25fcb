export { Detector, type DetectorOptions, type KnownAlert } from './detector.js';
export { type ExceptionCase, Exceptions, exceptionOf, relevantOf } from './exceptions.js';
export { MemoryTermHistory, type TermHistory } from './history.js';
export type { JoinKey } from './join-keys.js';
export { type DetectorLimits, defaultLimits } from './options.js';
export { Orderer } from './order.js';
export { conditionsOf } from './query-matcher.js';
export { type QueryMatch, QueryRun, type QueryRunOptions } from './query-run.js';
export { userOf } from './user.js';
