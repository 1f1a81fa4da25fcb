export { attributesReader } from './attributes.js';
export {
  type Addon,
  addonCondition,
  addonPaths,
  type LoadedAddon,
  loadAddon,
  type NativeEsClient,
  type NativeFileEventOptions,
  type NativeFileEventSource,
  type NativeHolders,
  type NativeScanner,
  type NativeScannerOptions,
} from './binding.js';
export { type PackedRecord, unpack } from './unpack.js';
