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
  readonly findings: readonly string[];
  /** The file is too large to be hashed at once. */
  readonly large: boolean;
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
        return this.#file(host, macPath, { snapshot, findings, link: undefined });
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

  #link(host: string, macPath: string, findings: string[]): Capture {
    const text = linkText(host);
    const target = launchItemKind(macPath) === undefined ? undefined : resolveInRoot(this.#root, macPath);
    const snapshot = target === undefined ? undefined : lookAt(target);
    const link = target === undefined ? text : this.#root.toMac(target);
    if (target === undefined || snapshot === undefined || snapshot === 'denied' || snapshot.type !== 'file')
      return { ...nothing, link, findings };
    return this.#file(target, macPath, { snapshot, findings, link });
  }

  #file(
    host: string,
    macPath: string,
    { snapshot, findings, link }: { snapshot: Snapshot; findings: string[]; link: string | undefined },
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
      return { ...nothing, link, findings };
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
      link,
      findings,
      large,
    };
  }
}

const nothing: Capture = {
  content: undefined,
  sha256: undefined,
  header: undefined,
  link: undefined,
  findings: [],
  large: false,
};
