export type { Exception, ExceptionSet, RequiredSigner } from './exception.js';
export { type ExceptionFileResult, readExceptionFile } from './file.js';
export { type LoadedExceptions, loadExceptions } from './load.js';
export { type ExceptionPack, exceptionPacks } from './options.js';
