import { insidePlugIn, launchItemKind } from '../../base/launch-paths.js';
import type { RootMap } from '../../base/root.js';
import type { FileContent } from '../../event/event.js';
import { linkText, resolveInRoot } from './links.js';
import type { FileWatchLimits } from './options.js';
import { ContentReader } from './reader.js';
import { lookAt, type Snapshot } from './snapshot.js';
import type { Folder } from './tree.js';

/** What was read along with a look. */
export interface Capture {
  readonly content: FileContent | undefined;
  readonly sha256: string | undefined;
  readonly header: string | undefined;
  /** Where a symbolic link leads, as a macOS path; its text when it leads nowhere. */
  readonly link: string | undefined;
  /** The file that a link of a launch item leads to. */
  readonly target: Snapshot | undefined;
  readonly findings: readonly string[];
  /** The file is too large to be hashed at once. */
  readonly large: boolean;
  /** Between the look and the reading the file went away, or another one came to its place. */
  readonly gone: boolean;
}

const headerBytes = 16;

/** Reads at once what may be gone a moment later: never a wait, never more than the limits say. */
export class Capturer {
  readonly #root: RootMap;
  readonly #limits: FileWatchLimits;
  readonly #reader: ContentReader;

  constructor(root: RootMap, limits: FileWatchLimits) {
    this.#root = root;
    this.#limits = limits;
    this.#reader = new ContentReader(limits.maxContent);
  }

  capture(folder: Folder, macPath: string, snapshot: Snapshot): Capture {
    const findings: string[] = folder.viaLink ? ['parent-symlink'] : [];
    const host = `${folder.host === '/' ? '' : folder.host}${macPath.slice(macPath.lastIndexOf('/'))}`;
    switch (snapshot.type) {
      case 'file':
        if (snapshot.links > 1) findings.push('hard-link');
        return this.#file(host, macPath, { snapshot, findings });
      case 'symlink':
        findings.push('symlink');
        return this.#link(host, macPath, findings);
      case 'dir':
        break;
      default:
        findings.push(snapshot.type);
    }
    return { ...nothing, findings };
  }

  /** Where the link of a launch item leads, and to which file, when it leads to one. */
  target(macPath: string): { readonly host?: string; readonly snapshot?: Snapshot } {
    const host = launchItemKind(macPath) === undefined ? undefined : resolveInRoot(this.#root, macPath);
    const snapshot = host === undefined ? undefined : lookAt(host);
    if (host === undefined || snapshot === undefined || snapshot === 'denied') return {};
    return snapshot.type === 'file' ? { host, snapshot } : { host };
  }

  #link(host: string, macPath: string, findings: string[]): Capture {
    const target = this.target(macPath);
    const link = target.host === undefined ? linkText(host) : this.#root.toMac(target.host);
    if (target.host === undefined || target.snapshot === undefined) return { ...nothing, link, findings };
    const read = this.#file(target.host, macPath, { snapshot: target.snapshot, findings });
    return { ...read, link, target: target.snapshot };
  }

  #file(
    host: string,
    macPath: string,
    { snapshot, findings }: { snapshot: Snapshot; findings: string[] },
  ): Capture {
    const limits = this.#limits;
    const large = snapshot.size > limits.maxContent;
    const launchItem = launchItemKind(macPath) !== undefined;
    const carried = launchItem
      ? limits.maxContent
      : insidePlugIn(macPath) && snapshot.size <= limits.maxBundleContent
        ? limits.maxBundleContent
        : 0;
    const result = this.#reader.read(host, snapshot, Math.max(carried, headerBytes));
    if (!result.ok) {
      if (result.reason === 'unreadable') findings.push('unreadable');
      return { ...nothing, findings, gone: result.reason !== 'unreadable' };
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
      findings,
      large,
      gone: false,
    };
  }
}

const nothing: Capture = {
  content: undefined,
  sha256: undefined,
  header: undefined,
  link: undefined,
  target: undefined,
  findings: [],
  large: false,
  gone: false,
};
