import { itemOf } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem } from './mechanism.js';
import { textOf } from './read.js';
import { runsOfScript } from './script-lines.js';

/** A queue's letter, the job's number and the minute since 1970, hexadecimal. Source: at(1), atrun(8). */
const jobName = /\/([a-zA-Z=])([0-9a-f]{5})[0-9a-f]{8}$/i;

/** Scripts that atrun starts once, when it is on (`com.apple.atrun`). */
export const atJob: Mechanism = {
  id: 'at-job',
  name: 'at job',
  techniques: ['T1053.002'],
  byLine: true,
  places: [
    { scope: 'system', path: '/private/var/at/jobs', what: 'entries' },
    { scope: 'system', path: '/private/var/at/spool', what: 'entries' },
  ],
  read: (file) => jobsIn(file),
  removal: ({ key }, { path }) => (/^\d+$/.test(key) ? `Remove it with \`atrm ${key}\`.` : `Delete ${path}.`),
};

function jobsIn(file: MechanismFile): PersistentItem[] {
  const text = textOf(file);
  const number = jobName.exec(file.path)?.[2];
  if (!/^#!.*sh\b/.test(text) && number === undefined) return [];
  // "# atrun uid=501 gid=20", then the environment and the folder that at(1) writes before the commands.
  const uid = /^# atrun uid=(\d{1,10})/m.exec(text.slice(0, 4_096))?.[1];
  return [
    itemOf({
      key: number === undefined ? '' : String(Number.parseInt(number, 16)),
      runs: runsOfScript(file),
      when: ['once'],
      as: uid === '0' ? 'root' : undefined,
      // atrun takes a job whose owner may execute it.
      enabled: file.mode === undefined ? undefined : (file.mode & 0o100) !== 0,
    }),
  ];
}
