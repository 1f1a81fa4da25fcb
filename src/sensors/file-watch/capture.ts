import { insidePlugIn, launchItemKind } from '../../base/launch-paths.js';
import type { RootMap } from '../../base/root.js';
import type { FileContent } from '../../event/event.js';
import { linkText } from './links.js';
import type { FileWatchLimits } from './options.js';
import { ContentReader, type ReadAttributes } from './reader.js';
import { type Passage, Rights } from './rights.js';
import { lookAt, type Snapshot } from './snapshot.js';
import { childPath, type Folder } from './tree.js';
import { looksUrgent, urgentBytes } from './urgent.js';

/** What was read along with a look. */
export interface Capture {
  readonly content: FileContent | undefined;
  readonly sha256: string | undefined;
  readonly header: string | undefined;
  /** Where a symbolic link leads, as a macOS path; its text when it leads nowhere. */
  readonly link: string | undefined;
  /** The file that a link of a launch item leads to. */
  readonly target: Snapshot | undefined;
  /** What a link of a launch item, or in the place of a watched folder, leads to, whatever it is. */
  readonly leadsTo: Snapshot | undefined;
  readonly findings: readonly string[];
  /** The file is too large to be hashed at once. */
  readonly large: boolean;
  /** Between the look and the reading the file went away, or another one came to its place. */
  readonly gone: boolean;
}

export interface CapturerOptions {
  readonly root: RootMap;
  readonly limits: FileWatchLimits;
  /** Files whose content is carried away besides launch items and directory plug-ins. */
  readonly carries?: ((macPath: string) => boolean) | undefined;
  readonly attributes?: ReadAttributes | undefined;
  /** For tests. */
  readonly rights?: Rights;
}

const headerBytes = 16;
/** The way into a folder is followed again after this, milliseconds: whom its folders belong to may change. */
const freshMs = 100;

/**
 * Reads at once what may be gone a moment later: never a wait, never more than the limits say, and nothing that those
 * who decide where a path leads could not read themselves (`Rights`).
 */
export class Capturer {
  readonly #root: RootMap;
  readonly #rights: Rights;
  readonly #limits: FileWatchLimits;
  readonly #carries: (macPath: string) => boolean;
  readonly #reader: ContentReader;
  readonly #passages = new WeakMap<Folder, { readonly passage: Passage; readonly at: number }>();

  constructor({
    root,
    limits,
    attributes,
    carries = () => false,
    rights = new Rights(root),
  }: CapturerOptions) {
    this.#root = root;
    this.#rights = rights;
    this.#limits = limits;
    this.#carries = carries;
    this.#reader = new ContentReader(limits.maxContent, attributes);
  }

  capture(folder: Folder, macPath: string, snapshot: Snapshot): Capture {
    const findings: string[] = folder.viaLink ? ['parent-symlink'] : [];
    switch (snapshot.type) {
      case 'file': {
        if (snapshot.links > 1) findings.push('hard-link');
        const hostPath = childPath(folder.host, macPath.slice(macPath.lastIndexOf('/') + 1));
        const passage = this.passageInto(folder);
        if (passage === undefined) return { ...nothing, findings, gone: true };
        return this.#file({ hostPath, macPath, passage, snapshot, findings });
      }
      case 'symlink':
        findings.push('symlink');
        return this.#link(folder, macPath, findings);
      case 'dir':
        break;
      default:
        findings.push(snapshot.type);
    }
    return { ...nothing, findings };
  }

  /** A regular file begins with something that is worth to be told before very many others. */
  isUrgent(folder: Folder, macPath: string, snapshot: Snapshot): boolean {
    if (snapshot.type !== 'file') return false;
    const hostPath = childPath(folder.host, macPath.slice(macPath.lastIndexOf('/') + 1));
    const passage = this.passageInto(folder);
    const bytes = passage && this.#reader.glance({ hostPath, seen: snapshot, passage }, urgentBytes);
    return bytes !== undefined && looksUrgent(bytes);
  }

  /** The way into a folder; undefined when its path leads to another one by now. */
  passageInto(folder: Folder): Passage | undefined {
    const now = performance.now();
    const known = this.#passages.get(folder);
    if (known !== undefined && now - known.at < freshMs) return known.passage;
    const passage = this.#rights.into(folder.path);
    if (passage?.host !== folder.host) return undefined;
    this.#passages.set(folder, { passage, at: now });
    return passage;
  }

  /** The file that the link of a launch item leads to. */
  target(folder: Folder, macPath: string): Snapshot | undefined {
    const snapshot = this.#target(folder, macPath)?.snapshot;
    return snapshot?.type === 'file' ? snapshot : undefined;
  }

  #target(folder: Folder, macPath: string): Target | undefined {
    const followed = launchItemKind(macPath) !== undefined || this.#carries(macPath);
    if (!followed && folder.level !== undefined) return undefined;
    const passage = this.#rights.follow(macPath);
    const snapshot = passage === undefined ? undefined : lookAt(passage.host);
    if (passage === undefined || snapshot === undefined || snapshot === 'denied') return undefined;
    return followed || snapshot.type === 'dir' ? { passage, snapshot } : undefined;
  }

  #link(folder: Folder, macPath: string, findings: string[]): Capture {
    const target = this.#target(folder, macPath);
    if (target === undefined) {
      const hostPath = childPath(folder.host, macPath.slice(macPath.lastIndexOf('/') + 1));
      return { ...nothing, link: linkText(hostPath), findings };
    }
    const { passage, snapshot } = target;
    const link = this.#root.toMac(passage.host);
    if (snapshot.type !== 'file') {
      if (snapshot.type === 'dir' && !passage.mayList()) findings.push('content-withheld');
      return { ...nothing, link, leadsTo: snapshot, findings };
    }
    const read = this.#file({ hostPath: passage.host, macPath, passage, snapshot, findings });
    return { ...read, link, target: snapshot, leadsTo: snapshot };
  }

  #file({ hostPath, macPath, passage, snapshot, findings }: Found): Capture {
    const limits = this.#limits;
    const large = snapshot.size > limits.maxContent;
    const launchItem = launchItemKind(macPath) !== undefined;
    const carried =
      launchItem || this.#carries(macPath)
        ? limits.maxContent
        : insidePlugIn(macPath) && snapshot.size <= limits.maxBundleContent
          ? limits.maxBundleContent
          : 0;
    const result = this.#reader.read({ hostPath, seen: snapshot, passage }, Math.max(carried, headerBytes));
    if (!result.ok) {
      const { reason } = result;
      if (reason === 'unreadable') findings.push('unreadable');
      if (reason === 'withheld') findings.push('content-withheld');
      return { ...nothing, findings, gone: reason === 'gone' || reason === 'changed' };
    }
    const { content, sha256 } = result;
    if (content.truncated && launchItem) findings.push('oversized');
    return {
      content: carried === 0 ? undefined : content,
      sha256,
      header:
        content.bytes.length === 0
          ? undefined
          : Buffer.from(content.bytes.subarray(0, headerBytes)).toString('hex'),
      link: undefined,
      target: undefined,
      leadsTo: undefined,
      findings,
      large,
      gone: false,
    };
  }
}

interface Target {
  readonly passage: Passage;
  readonly snapshot: Snapshot;
}

interface Found {
  readonly hostPath: string;
  readonly macPath: string;
  readonly passage: Passage;
  readonly snapshot: Snapshot;
  readonly findings: string[];
}

const nothing: Capture = {
  content: undefined,
  sha256: undefined,
  header: undefined,
  link: undefined,
  target: undefined,
  leadsTo: undefined,
  findings: [],
  large: false,
  gone: false,
};
