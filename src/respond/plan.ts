import type { ObjectFacts } from '../base/file-calls.js';
import type { Micros } from '../base/time.js';

/** What somebody wants to be true of a file before it is touched. Absent parts are not asked about. */
export interface Expectation {
  /** Decimal text, as `file.inode` of events. */
  readonly ino?: string;
  /** Of the content; of a bundle of all that is in it (`digestOf`). */
  readonly sha256?: string;
  /** It was a link, and led there: canonical macOS path. */
  readonly link?: string;
  /** A person said that it may be this as well. */
  readonly orSha256?: string;
}

/** One process on one boot: never a name. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Its start in the platform's own unit. */
  readonly startKey: string;
  /** Path of the image on this machine; absent when it could not be read. */
  readonly executable?: string;
  readonly uid: number;
}

/** One thing that a response does: data alone, written to the journal as it stands. Paths are canonical macOS paths. */
export type Step =
  /** Has launchd forget a job. `domains`: where it was found loaded. */
  | {
      readonly kind: 'boot-out';
      readonly path?: string;
      readonly label: string;
      readonly domains: readonly string[];
    }
  /** Ends processes with all that they started. */
  | { readonly kind: 'stop'; readonly processes: readonly ProcessIdentity[] }
  /** Moves a file, a link or a bundle into the quarantine. */
  | {
      readonly kind: 'quarantine';
      readonly path: string;
      readonly expect: Expectation;
      /** An item only names it: it must be a file or a link. */
      readonly named?: true;
    }
  /** Puts a stored version where nothing stands. */
  | { readonly kind: 'place'; readonly path: string; readonly version: number; readonly sha256?: string }
  | { readonly kind: 'restart-directory-service'; readonly label: string }
  /** Cuts the network off, but for some addresses. */
  | {
      readonly kind: 'isolate';
      readonly allow: readonly string[];
      readonly dns: boolean;
      readonly until: Micros;
    };

export type StepKind = Step['kind'];
export type StepOf<K extends StepKind> = Extract<Step, { readonly kind: K }>;

/** What is known of an object that was moved. Extended attributes are base64, long ones cut; `size` is the whole. */
export interface Metadata extends ObjectFacts {
  readonly sha256?: string;
  readonly xattrs: readonly { readonly name: string; readonly size: number; readonly value: string }[];
  readonly acl?: string;
  /** Of a link. */
  readonly target?: string;
  /** Of a bundle: files and folders in it. */
  readonly entries?: number;
}

/** What a step is about to do, or did: all that undoing it, or finishing it after a crash, needs. */
export type Deed =
  | {
      readonly kind: 'boot-out';
      readonly label: string;
      readonly path?: string;
      readonly domains: readonly string[];
    }
  | { readonly kind: 'stop'; readonly processes: readonly ProcessIdentity[] }
  | {
      readonly kind: 'move';
      /** macOS path of the object's place outside, and the name of its folder in the quarantine. */
      readonly path: string;
      readonly box: string;
      readonly was: Metadata;
      /** `in`: from the place into the quarantine. */
      readonly way: 'in' | 'out';
    }
  | { readonly kind: 'restart-directory-service'; readonly label: string; readonly pid?: number }
  | { readonly kind: 'isolate'; readonly token?: string; readonly until: Micros; readonly rules: string };

export type StepState =
  | 'planned'
  | 'done'
  /** It was so already. */
  | 'nothing'
  /** It may not, or must not, be done: the plan stops. */
  | 'refused'
  | 'failed';

export interface Outcome {
  readonly state: Exclude<StepState, 'planned'>;
  /** One sentence without a full stop. Parts of it may be attacker-written: escape it where it is shown. */
  readonly says: string;
  /** What was done in the end, where that differs from what was journaled before. */
  readonly deed?: Deed;
}

export interface Plan {
  /** `quarantine`, `boot-out`, `all`, ... */
  readonly verb: string;
  /** What it is about, for people: a path, a label. */
  readonly about: string;
  readonly alert?: string;
  readonly item?: string;
  readonly steps: readonly Step[];
  /** What the response watches for afterwards. */
  readonly watch: readonly Watched[];
  /** Why something that belongs to it is not among the steps, one sentence each. */
  readonly remarks: readonly string[];
}

/** A sign that the same thing came back. */
export interface Watched {
  readonly kind: 'path' | 'label' | 'sha256' | 'signer';
  readonly value: string;
}
