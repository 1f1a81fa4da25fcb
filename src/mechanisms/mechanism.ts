import type { PlistResult } from '../base/plist/index.js';
import type { WhatRuns } from '../base/what-runs/index.js';
import type { FileContent } from '../event/event.js';
import type { TechniqueId } from './techniques.js';

/** One way of making something run again on a Mac: where its items live and how they are read. Data and pure functions. */
export interface Mechanism {
  /** Stable word, part of every item id: `launch-daemon`, `cron`. */
  readonly id: string;
  /** For people, singular: `launch daemon`. */
  readonly name: string;
  /** The category of KnockKnock that shows such items. */
  readonly knockKnock?: string;
  /** MITRE ATT&CK. */
  readonly techniques: readonly TechniqueId[];
  readonly places: readonly Place[];
  /** True where files hold secrets too: what they say is read, and no copy of them is kept. */
  readonly confidential?: true;
  /** True where files are read line by line: a line that is longer than is read is a finding. */
  readonly byLine?: true;
  /** True where programs keep files that become large by themselves: that one is not read in full is no finding. */
  readonly growsLarge?: true;
  /**
   * The items that a file in one of its places describes; none when it describes none. Pure, bounded; a file that cannot
   * be read in full gives what could be read, with findings.
   */
  read(file: MechanismFile): readonly PersistentItem[];
  /** What a person does to remove the item: one sentence. */
  removal(item: PersistentItem, file: Pick<MechanismFile, 'path'>): string;
}

/** Where items of a mechanism live. */
export interface Place {
  /** `system`: `path` is absolute. `home`: below each user's home, root's included. */
  readonly scope: 'system' | 'home';
  /** A canonical macOS path, of a home without a leading slash. `*` stands for any text within one component. */
  readonly path: string;
  /**
   * `file`: the path is a file. `entries`: each file in the folder, not below it. `tree`: each file below the folder.
   * `bundles`: each entry of the folder is a bundle, and one item.
   */
  readonly what: 'file' | 'entries' | 'tree' | 'bundles';
  /** Of `entries` and `bundles`: what the names end in, without the dot, lower case; left out for any name. */
  readonly extensions?: readonly string[];
  /** Of `bundles`: the file inside that describes the item; `Contents/Info.plist` when left out. */
  readonly describedBy?: string;
  /** False where watching would take too many folders: the inventory alone looks there. */
  readonly watched?: false;
}

/** A file, or a bundle with the file that describes it, as it was seen. */
export interface MechanismFile {
  /** Canonical macOS path: of the file, or of the bundle. */
  readonly path: string;
  /** The home that it stands in; undefined for a place of the system. */
  readonly home?: string | undefined;
  /** Owner. */
  readonly uid?: number | undefined;
  /** Permission bits. */
  readonly mode?: number | undefined;
  readonly type: 'file' | 'dir' | 'symlink' | 'other';
  /** What the file holds, of a bundle the file that describes it; undefined when it was not read. Hostile. */
  readonly content?: FileContent | undefined;
  /** The content as a property list, where it was read as one already: that is the most of the work. */
  readonly list?: PlistResult | undefined;
  /** Where a symbolic link points, as it is written. */
  readonly target?: string | undefined;
}

/** One thing that persists. */
export interface PersistentItem {
  /**
   * What tells it apart from the other items of its file, stable while it is the same item: a label, a command. Empty when
   * the file is the item. Bounded.
   */
  readonly key: string;
  /** How it calls itself. */
  readonly label?: string | undefined;
  /** What it executes or loads, in order. */
  readonly runs: readonly WhatRuns[];
  readonly when: readonly When[];
  /** User name that it runs as, where the item says so or the mechanism implies it. */
  readonly as?: string | undefined;
  /** False when it is there but switched off; undefined when that cannot be told from the file. */
  readonly enabled?: boolean | undefined;
  /** What is odd about it, stable words; `enrich/findings.ts` says what each means. */
  readonly findings: readonly string[];
}

/** What starts an item. */
export type When =
  /** The system starts. */
  | 'boot'
  /** A user logs in, or out. */
  | 'login'
  | 'logout'
  /** Whenever the item is loaded (`RunAtLoad`), and again whenever it ends (`KeepAlive`). */
  | 'load'
  | 'always'
  /** Every so many seconds; at given times; once. */
  | 'interval'
  | 'calendar'
  | 'once'
  /** A file or folder changes; a volume is mounted. */
  | 'path'
  | 'mount'
  /** Somebody connects, sends a message, or asks for it by name. */
  | 'socket'
  | 'message'
  | 'demand'
  /** The system reports something else. */
  | 'event'
  /** A shell starts. */
  | 'shell'
  /** A user authenticates: logs in, unlocks, uses sudo. */
  | 'authentication'
  /** Another program that loads it starts. */
  | 'host-program';
