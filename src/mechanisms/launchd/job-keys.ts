import { flat } from '../../base/flat.js';
import type { PlistValue } from '../../base/plist/index.js';
import { booleanOf, LaunchKeys } from '../launch-keys.js';
import { type JobTrigger, triggersOf } from './triggers.js';

/** What a list says about its loading. Texts are copies, bounded, hostile. */
export interface JobKeys {
  readonly label: string | undefined;
  readonly disabled: boolean | undefined;
  /** Of `LimitLoadToSessionType`; empty when the key is not there. */
  readonly sessionTypes: readonly string[];
  readonly toHosts: readonly string[];
  readonly fromHosts: readonly string[];
  /** Values of a hardware property (`model`) that the job is for, and is not for. */
  readonly toHardware: ReadonlyMap<string, readonly string[]>;
  readonly fromHardware: ReadonlyMap<string, readonly string[]>;
  readonly userName: string | undefined;
  /** What launchd executes: `Program`, else the first of `ProgramArguments`. */
  readonly program: string | undefined;
  /** Relative to the bundle that holds the list. */
  readonly bundleProgram: string | undefined;
  readonly triggers: readonly JobTrigger[];
}

const maxText = 4_096;
const maxValues = 64;

/** Undefined for a value that is no dictionary: launchd loads nothing from it. */
export function jobKeysOf(value: PlistValue, { daemon }: { readonly daemon: boolean }): JobKeys | undefined {
  if (!(value instanceof Map)) return undefined;
  const keys = new LaunchKeys(value);
  const args = keys.get('ProgramArguments');
  return {
    label: textOf(keys.get('Label')),
    disabled: booleanOf(keys.get('Disabled')),
    sessionTypes: textsOf(keys.get('LimitLoadToSessionType')),
    toHosts: textsOf(keys.get('LimitLoadToHosts')),
    fromHosts: textsOf(keys.get('LimitLoadFromHosts')),
    toHardware: hardwareOf(keys.get('LimitLoadToHardware')),
    fromHardware: hardwareOf(keys.get('LimitLoadFromHardware')),
    userName: textOf(keys.get('UserName')),
    program: textOf(keys.get('Program')) ?? textOf(Array.isArray(args) ? args[0] : args),
    bundleProgram: textOf(keys.get('BundleProgram')),
    triggers: triggersOf(keys, daemon),
  };
}

function hardwareOf(value: PlistValue | undefined): ReadonlyMap<string, readonly string[]> {
  const entries = value instanceof Map ? [...value].slice(0, maxValues) : [];
  return new Map(entries.map(([key, one]) => [flat(key.slice(0, maxText)), textsOf(one)]));
}

/** A list in the place of a text stands for its first text. */
function textOf(value: PlistValue | undefined): string | undefined {
  const one = Array.isArray(value) ? value.find((item) => typeof item === 'string') : value;
  return typeof one === 'string' ? flat(one.slice(0, maxText)) : undefined;
}

function textsOf(value: PlistValue | undefined): string[] {
  const list = Array.isArray(value) ? value.slice(0, maxValues) : [value];
  return list.flatMap((one) => (typeof one === 'string' ? [flat(one.slice(0, maxText))] : []));
}
