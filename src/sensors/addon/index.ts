export {
  type Addon,
  addonPaths,
  type LoadedAddon,
  loadAddon,
  type NativeEsClient,
  type NativeScanner,
  type NativeScannerOptions,
} from './binding.js';
export { type PackedRecord, unpack } from './unpack.js';
