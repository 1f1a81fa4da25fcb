import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { RootMap } from '../../../src/base/root.js';
import { tempFolder } from '../../helpers/run-cli.js';

/** A folder that stands for a Mac, to put items in. */
export class Tree {
  readonly folder = tempFolder();
  readonly root = new RootMap(this.folder);

  write(macPath: string, text: string): void {
    const file = this.root.toHost(macPath);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

export const daemon = '/Library/LaunchDaemons/com.example.x.plist';

export function daemonList(program: string): string {
  return `<plist version="1.0"><dict><key>Label</key><string>com.example.x</string><key>Program</key>
<string>${program}</string><key>RunAtLoad</key><true/><key>StartInterval</key><integer>60</integer></dict></plist>`;
}
