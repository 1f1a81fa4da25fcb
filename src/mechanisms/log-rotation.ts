import { firstItems, itemOf } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem } from './mechanism.js';
import { linesOf, runsOfProgram, runsOfShell } from './read.js';

/** Lines of newsyslog's settings that do more than turn over a log. Source: newsyslog.conf(5). */
export const logRotation: Mechanism = {
  id: 'log-rotation',
  name: 'log rotation rule',
  techniques: ['T1053'],
  byLine: true,
  places: [
    { scope: 'system', path: '/private/etc/newsyslog.conf', what: 'file' },
    { scope: 'system', path: '/private/etc/newsyslog.d', what: 'entries' },
  ],
  read: (file) => firstItems(rulesIn(file)),
  removal: ({ key }, { path }) => `Delete the line of ${key} from ${path}.`,
};

/** `log [owner:group] mode count size when flags [pid file or command] [signal]`. */
function* rulesIn(file: MechanismFile): Generator<PersistentItem> {
  // Of the folder newsyslog reads what ends in .conf.
  const enabled = /\.conf$/i.test(file.path) ? undefined : false;
  for (const { text } of linesOf(file)) {
    const words = text.split(/\s+/, 64);
    const [log = '', second = ''] = words;
    if (log === '<include>') {
      if (second !== '' && !ownFiles.test(second))
        yield itemOf({ key: text, label: text, findings: ['reads-other-file'], ...runsDaily, enabled });
      continue;
    }
    // Owner, flags and what follows them may be missing.
    const numbers = /^\d+$/.test(second) ? 1 : 2;
    const named = words.findIndex((one, index) => index > numbers + 3 && one.startsWith('/'));
    const last = named === -1 ? '' : (words[named] ?? '');
    const runsIt = named > numbers + 4 && /R/i.test(words[named - 1] ?? '');
    const command = runsIt ? words.slice(named).join(' ') : '';
    const signals = command === '' && last !== '' && !processFiles.test(last);
    const odd = log.startsWith('/') && !logs.test(log);
    if (command === '' && !signals && !odd) continue;
    yield itemOf({
      key: log,
      label: text,
      runs: command === '' ? (odd ? [runsOfProgram(log)] : []) : [runsOfShell(command)],
      ...runsDaily,
      findings: odd || signals ? ['rotates-no-log'] : [],
      enabled,
    });
  }
}

const runsDaily = { when: ['calendar'], as: 'root' } as const;
const ownFiles = /^\/(?:private\/)?etc\/newsyslog\.d\/(?!.*\.\.)[\w.*-]+$/i;
/** Where logs stand, and where daemons leave their number. */
const logs =
  /^(?!.*\/\.\.?\/)(?:\/(?:private\/)?var\/(?:log|opt)\/|\/(?:Users\/[^/]+\/)?Library\/Logs\/|(?!\/(?:private\/)?etc\/).*\.(?:log|out|err)\d*$)/i;
const processFiles =
  /^(?!.*\/\.\.\/)\/(?:(?:private\/)?var\/|Library\/|opt\/|usr\/local\/).*(?:pid|\.lock)\b[^/]*$/i;
