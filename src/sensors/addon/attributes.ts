import { type ExtendedAttribute, maxAttributeBytes, maxAttributes } from '../../event/version.js';
import { loadAddon } from './binding.js';

/** Of Linux: what belongs to the system and not to the file's owner (xattr(7)). */
const ofSystem = /^(?:security|system|trusted)\./;

/**
 * Reads the extended attributes of an open file or folder, bounded in number and size. Undefined where there is no addon
 * that can.
 */
export function attributesReader(
  loaded = loadAddon(),
): ((descriptor: number) => readonly ExtendedAttribute[] | undefined) | undefined {
  const calls = loaded.state === 'loaded' ? loaded.addon.fileCalls : undefined;
  if (calls === undefined) return undefined;
  return (descriptor) => {
    try {
      const found = calls.attributes(descriptor, maxAttributeBytes);
      return found.filter(({ name }) => !ofSystem.test(name)).slice(0, maxAttributes);
    } catch {
      return undefined;
    }
  };
}
