import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { things } from '../../base/count.js';
import { unpack } from '../../sensors/addon/index.js';
import { judged, notAsked, type Question } from '../question.js';

const writes = 500;
const folders = 200;
const quietMs = 3_000;
/** UserDropped, KernelDropped, MustScanSubDirs (FSEvents.h). */
const droppedFlags = 0x7;

export const fileEvents: Question = {
  name: 'file-events',
  asks: `Does the FSEvents stream tell of ${writes} writes while ${folders} folders come and go?`,
  expected: 'every write is an event; nothing is dropped without a flag that says so',
  needs: ['mac-addon'],
  async ask(system) {
    const addon = system.addon();
    if (addon.state !== 'loaded') return notAsked(addon.reason);
    const folder = system.folder();
    const kept = path.join(folder, 'kept');
    mkdirSync(kept);
    const seen = new Set<string>();
    let flagged = 0;
    let heard = system.monotonic();
    const take = (): void => {
      for (let batch = source.take(); batch !== undefined; batch = source.take())
        unpack(batch, ({ numbers: [flags = 0], strings: [, file = ''] }) => {
          heard = system.monotonic();
          if ((flags & droppedFlags) !== 0) flagged++;
          if (file.includes('/kept/')) seen.add(file.slice(file.lastIndexOf('/') + 1));
        });
    };
    const source = new addon.addon.FileEventSource({ paths: [folder], patterns: [folder] }, take);
    const trouble = source.start();
    if (trouble !== undefined) return notAsked(`the stream does not run: ${trouble}`);
    try {
      for (let turn = 0; turn < writes; turn++) {
        writeFileSync(path.join(kept, `file-${turn}`), 'x');
        const other = path.join(folder, `folder-${turn}`);
        if (turn < folders) mkdirSync(other);
        if (turn >= writes - folders) rmdirSync(path.join(folder, `folder-${turn - (writes - folders)}`));
        if (turn % 20 === 0) await system.wait(1);
      }
      source.flush();
      while (seen.size < writes && system.monotonic() - heard < quietMs) await system.wait(20);
      take();
      const counters = Object.entries(source.counters());
      return judged(
        seen.size === writes || flagged > 0,
        `${seen.size} of ${writes} writes seen; ${things(flagged, 'event')} said that others were dropped`,
        counters.map(([name, count]) => `${name} ${count}`),
      );
    } finally {
      source.stop();
    }
  },
};
