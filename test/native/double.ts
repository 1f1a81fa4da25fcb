import { systemClock } from '../../src/base/clock.js';
import { silentLogger } from '../../src/base/log.js';
import { RootMap } from '../../src/base/root.js';
import { type Addon, loadAddon } from '../../src/sensors/addon/index.js';
import {
  EndpointSecuritySensor,
  type EndpointSecuritySensorOptions,
  type EsKind,
  esKinds,
} from '../../src/sensors/endpoint-security/index.js';
import { waitFor } from '../simulation/mac.js';

/** native/src/double/js_double.cc: a libEndpointSecurity that does what a test tells it. */
export interface EsDouble {
  /** Delivers the messages so many times, on a thread of its own. */
  play(messages: readonly ScriptedMessage[], repeat?: number): void;
  playing(): boolean;
  /** What was called, in order. */
  calls(): string[];
  /** A batch as objects made by Node-API calls: the bridge that ours is measured against. */
  objects(batch: Uint8Array): object[];
}

export interface EsScript {
  /** EsResults of the first connections. */
  readonly connect?: readonly number[];
  readonly subscribeFails?: boolean;
  readonly mutingFails?: boolean;
  readonly closeFails?: boolean;
  /** Messages still come after a client was closed. */
  readonly late?: boolean;
  /** A system before macOS 27: what is newer is refused. */
  readonly oldSystem?: boolean;
}

type Text = string | Buffer;

export interface ScriptedProcess {
  readonly pid?: number;
  readonly pidversion?: number;
  readonly parentPid?: number;
  readonly parentPidversion?: number;
  readonly responsiblePid?: number;
  readonly responsiblePidversion?: number;
  readonly ppid?: number;
  readonly ruid?: number;
  readonly euid?: number;
  readonly signingFlags?: number;
  readonly platformBinary?: boolean;
  readonly category?: number;
  readonly startUs?: number;
  readonly signingId?: Text;
  readonly teamId?: Text;
  readonly executable?: Text;
}

export interface ScriptedFile {
  readonly path: Text;
  readonly truncated?: boolean;
  readonly inode?: string;
  readonly size?: number;
  readonly mode?: number;
}

export interface ScriptedMessage {
  readonly kind: number;
  readonly version?: number;
  readonly timeUs?: number;
  readonly timeNs?: number;
  /** So many of its kind are lost before it. */
  readonly skip?: number;
  readonly process?: ScriptedProcess;
  readonly actor?: ScriptedProcess;
  readonly instigator?: ScriptedProcess;
  readonly file?: ScriptedFile;
  readonly other?: ScriptedFile;
  readonly directory?: Text;
  readonly name?: Text;
  readonly denied?: boolean;
  readonly workingDirectory?: Text;
  readonly script?: Text;
  readonly args?: readonly Text[];
  readonly exitStatus?: number;
  readonly modified?: boolean;
  readonly mappedWritable?: boolean;
  readonly attribute?: Text;
  readonly mountFrom?: Text;
  readonly itemType?: number;
  readonly itemUid?: number;
  readonly itemUrl?: Text;
  readonly appUrl?: Text;
  readonly itemExecutable?: Text;
  readonly service?: Text;
  /** A message of a type that nobody knows; nothing else of it is read. */
  readonly unknownType?: number;
}

export const kindNumber = (kind: EsKind): number => esKinds.indexOf(kind);

type DoubleAddon = Addon & { readonly EndpointSecurityDouble: new (script?: EsScript) => EsDouble };

/** The addon with its double, or why there is none. */
export function addonWithDouble(): { readonly addon?: DoubleAddon; readonly reason: string } {
  const loaded = loadAddon();
  if (loaded.state !== 'loaded') return { reason: loaded.reason };
  if (!('EndpointSecurityDouble' in loaded.addon))
    return { reason: 'this build has the real EndpointSecurity' };
  return { addon: loaded.addon as DoubleAddon, reason: '' };
}

export function sensorOn(
  double: EsDouble,
  options: Partial<EndpointSecuritySensorOptions> = {},
): EndpointSecuritySensor {
  return new EndpointSecuritySensor({
    root: new RootMap(),
    clock: systemClock,
    logger: silentLogger,
    boot: 'boot',
    patterns: ['/Library/LaunchAgents/*', '/Library/LaunchDaemons/*'],
    double,
    ...options,
  });
}

export async function played(
  double: EsDouble,
  messages: readonly ScriptedMessage[],
  repeat = 1,
): Promise<void> {
  double.play(messages, repeat);
  await waitFor('the script to end', () => (double.playing() ? undefined : true), 60_000);
}
