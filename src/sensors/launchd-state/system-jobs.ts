import { existsSync } from 'node:fs';
import type { RootMap } from '../../base/root.js';

const appleLabel = /^com\.apple\.[\w.-]{1,200}$/;
/** XPC services and what launchd names by a number. */
const unnamed = /^(?:\[|0x[0-9a-f]+\.)/;
const folders = ['/System/Library/LaunchAgents', '/System/Library/LaunchDaemons'];
/** More labels than Apple ships. */
const most = 4_096;

/** Tells Apple's own jobs by their lists on the sealed system volume: anybody may call a job `com.apple.x`. */
export class SystemJobs {
  readonly #root: RootMap;
  readonly #known = new Map<string, boolean>();

  constructor(root: RootMap) {
    this.#root = root;
  }

  has(label: string): boolean {
    if (unnamed.test(label)) return true;
    if (!appleLabel.test(label)) return false;
    const known = this.#known.get(label);
    if (known !== undefined) return known;
    const found = folders.some((folder) => existsSync(this.#root.toHost(`${folder}/${label}.plist`)));
    if (this.#known.size < most) this.#known.set(label, found);
    return found;
  }
}
