import { lstatSync, statfsSync } from 'node:fs';
import path from 'node:path';
import { formatSize } from '../../base/size.js';
import { stringAt } from '../../base/value-at.js';
import { defineProbe, failed, ok, warning } from '../probe.js';

const scarce = 256 * 1024 * 1024;
const few = 2 * 1024 * 1024 * 1024;

export const disk = defineProbe({
  name: 'disk',
  section: 'Data',
  asks: 'Is there room on the disk, and does the store write to it?',
  async read({ dataDir, agent }) {
    let folder = dataDir;
    while (lstatSync(folder, { throwIfNoEntry: false }) === undefined && folder !== path.dirname(folder))
      folder = path.dirname(folder);
    const { bavail, bsize } = statfsSync(folder);
    const answer = await agent();
    const reserve = lstatSync(path.join(dataDir, 'reserve'), { throwIfNoEntry: false });
    return {
      free: bavail * bsize,
      reserve: reserve?.isFile() === true ? reserve.size : 0,
      state: answer.state === 'runs' ? stringAt(answer.status, 'store.state') : undefined,
      reason: answer.state === 'runs' ? stringAt(answer.status, 'store.reason') : undefined,
    };
  },
  judge({ free, reserve, state, reason }) {
    const held = reserve === 0 ? 'no reserve is held' : `a reserve of ${formatSize(reserve)} is held`;
    const what = `${formatSize(free)} free, ${held}`;
    if (state !== undefined && state !== 'ok' && state !== 'reserve')
      return failed(
        `the store is ${state}: ${reason ?? 'no reason is known'}; ${what}`,
        'Free some space on this volume.',
      );
    if (free < scarce) return failed(what, 'Free some space: a full disk keeps alerts in memory.');
    if (free < few || state === 'reserve') return warning(what, 'Free some space.');
    return ok(what);
  },
});
