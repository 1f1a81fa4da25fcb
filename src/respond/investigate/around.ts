import { readPlist } from '../../base/plist/index.js';
import { formatMicros, type Micros } from '../../base/time.js';
import type { EcsDocument } from '../../event/document.js';
import { wallTime } from '../../event/event.js';
import type { EventsFound } from '../../store/index.js';
import { counted, defineStep, fact, gravest, point, timeText } from './answer.js';
import { type Case, eventsOf } from './case.js';
import { readPlain } from './files.js';
import { textIn, textsIn } from './read.js';

/** An event near the alert, as far as one line tells it. */
export interface Nearby {
  readonly time: Micros;
  readonly kind: 'file' | 'process' | 'launchd';
  readonly what: string;
  /** Why it is worth a look. */
  readonly why: string;
  readonly worrying: boolean;
}

interface Facts {
  readonly rows: number;
  readonly read: number;
  readonly complete: boolean;
  /** The events that are kept begin later than the window. */
  readonly since: Micros | undefined;
  readonly nearby: readonly Nearby[];
  readonly installs: readonly { readonly time: Micros; readonly name: string }[];
  readonly noInstalls: string | undefined;
}

const window: Micros = 600e6;
/** Events before and after the alert that are read. */
const mostEvents = 600;
const mostShown = 30;
const history = '/Library/Receipts/InstallHistory.plist';
const maxHistory = 1024 * 1024;

/** Programs whose start beside a new item is worth a look, and what they do. */
const tools: Readonly<Record<string, string>> = {
  curl: 'fetches something from the network',
  wget: 'fetches something from the network',
  nscurl: 'fetches something from the network',
  osascript: 'runs a script, may ask for a password',
  base64: 'encodes or decodes',
  openssl: 'encodes, decodes or connects',
  xattr: 'may take the quarantine mark away',
  spctl: 'changes or asks Gatekeeper',
  csrutil: 'changes or asks System Integrity Protection',
  chflags: 'may hide files',
  SetFile: 'may hide files or set times',
  touch: 'may set times',
  dscl: 'reads or changes accounts',
  sysadminctl: 'changes accounts',
  security: 'reads or changes keychains',
  sqlite3: 'may read the databases of browsers or of privacy rights',
  tccutil: 'resets privacy rights',
  hdiutil: 'mounts a disk image',
  killall: 'ends processes',
  pkill: 'ends processes',
  zip: 'packs files',
  ditto: 'copies or packs files',
  scp: 'copies files to or from elsewhere',
  nc: 'connects to elsewhere',
  ssh: 'connects to elsewhere',
};
/** Programs that explain a change: updates, packages, logins. */
const occasions: Readonly<Record<string, string>> = {
  installer: 'a package is installed',
  installd: 'a package is installed',
  package_script_service: 'a script of a package runs',
  system_installd: 'macOS installs something',
  softwareupdated: 'macOS updates itself',
  softwareupdate: 'macOS updates itself',
  login: 'somebody logs in',
  loginwindow: 'somebody logs in at the screen',
  sshd: 'somebody logs in from elsewhere',
  sudo: 'somebody gets root rights',
  su: 'somebody becomes another user',
  brew: 'a package manager runs',
  jamf: 'the device management runs',
};
const fetchers = new Set([
  'curl',
  'wget',
  'nscurl',
  'osascript',
  'xattr',
  'base64',
  'touch',
  'SetFile',
  'chflags',
]);
const oddFolder = /^\/private\/(?:tmp|var\/tmp)\/|^\/Users\/Shared\/|\/\.[^/.]/;

export const around = defineStep<Facts>({
  name: 'around',
  question: 'What else happened within 10 minutes?',
  read(from) {
    const { found, nearby, range } = nearbyOf(from);
    const first = from.store.events.extent().first;
    return {
      ...{ rows: found.rows, read: found.events.length, complete: found.complete },
      since: first !== undefined && first > range.from ? first : undefined,
      nearby,
      ...installsOf(from, range),
    };
  },
  says({ rows, read, complete, since, nearby, installs, noInstalls }, { alert }) {
    const others = Math.max(0, rows - eventsOf(alert.doc).length);
    const bad = nearby.filter(({ worrying }) => worrying);
    const says =
      nearby.length === 0
        ? `${others === 0 ? 'Nothing else' : `Nothing telling among ${counted(others, 'other event')}`} was seen in the 10 minutes before and after.`
        : `${counted(nearby.length, 'telling event')} among ${others} in the 10 minutes before and after${bad.length === 0 ? '' : `, ${bad.length} of them suspicious`}.`;
    // The nearest ones, in their order.
    const shown = [...nearby]
      .sort(
        (a, b) =>
          Number(b.worrying) - Number(a.worrying) || distance(a, alert.time) - distance(b, alert.time),
      )
      .slice(0, mostShown)
      .sort((a, b) => a.time - b.time);
    return {
      mark: gravest([bad.length > 0 ? 'worrying' : undefined], rows === 0 ? 'unknown' : 'neutral'),
      says,
      points: [
        ...installs.map(({ time, name }) =>
          point('reassuring', `${name} was installed at ${timeText(time)}.`),
        ),
        ...reasonsOf(nearby).map(([why, count, worrying]) =>
          point(
            worrying ? 'worrying' : 'neutral',
            `${why[0]?.toUpperCase() ?? ''}${why.slice(1)}: ${counted(count, 'event')}.`,
          ),
        ),
      ],
      facts: [
        ...shown.map(({ time, what }) => fact(`${formatMicros(time).slice(11, 23)}Z`, what)),
        nearby.length > shown.length
          ? fact('more', `${nearby.length - shown.length} are not shown`)
          : undefined,
      ],
      unknown: [
        complete
          ? undefined
          : `what the other ${rows - read === 1 ? 'event of these minutes says' : `${rows - read} events of these minutes say`}: only the nearest ${read} were read`,
        since === undefined ? undefined : `what happened before ${timeText(since)}: no older events are kept`,
        noInstalls,
      ],
    };
  },
});

/** The telling events of the minutes around an alert, its own left out, oldest first. */
export function nearbyOf(from: Case): {
  readonly nearby: readonly Nearby[];
  readonly found: EventsFound;
  readonly range: { readonly from: Micros; readonly to: Micros };
} {
  const { alert, store } = from;
  const range = { from: alert.time - window, to: alert.time + window };
  const found = store.events.nearest(alert.time, range, mostEvents);
  const own = new Set(eventsOf(alert.doc).flatMap((event) => textIn(event, 'event.id') ?? []));
  const nearby: Nearby[] = [];
  for (const event of found.events) {
    if (own.has(event.id)) continue;
    const why = reasonOf(event.doc, from);
    if (why === undefined) continue;
    const kind =
      event.doc.file !== undefined
        ? 'file'
        : event.doc.launchwarden?.job !== undefined
          ? 'launchd'
          : 'process';
    nearby.push({ time: wallTime(event), kind, what: eventLine(event.doc), ...why });
  }
  return { nearby, found, range };
}

function distance({ time }: Nearby, at: Micros): number {
  return Math.abs(time - at);
}

function reasonsOf(nearby: readonly Nearby[]): [why: string, count: number, worrying: boolean][] {
  const counts = new Map<string, [number, boolean]>();
  for (const { why, worrying } of nearby) {
    const [count, bad] = counts.get(why) ?? [0, false];
    counts.set(why, [count + 1, bad || worrying]);
  }
  return [...counts]
    .map(([why, [count, bad]]): [string, number, boolean] => [why, count, bad])
    .sort((a, b) => Number(b[2]) - Number(a[2]) || b[1] - a[1])
    .slice(0, 12);
}

/** Why an event beside the alert is worth a look; undefined of one that is not. */
function reasonOf(doc: EcsDocument, { about }: Case): Pick<Nearby, 'why' | 'worrying'> | undefined {
  const path = textIn(doc, 'file.path');
  if (path !== undefined) {
    const item = textIn(doc, 'launchwarden.persistence.item_id');
    if (item !== undefined && item === about.item) return { why: 'the same item changed', worrying: false };
    if (about.runs.includes(path)) return { why: 'a program that it runs changed', worrying: false };
    if (item !== undefined) return { why: 'another persistent item changed', worrying: false };
    return undefined;
  }
  const job = textIn(doc, 'launchwarden.job.label');
  if (job !== undefined)
    return about.labels.includes(job)
      ? { why: 'launchd reported on the same job', worrying: false }
      : undefined;
  if (!textsIn(doc, 'event.type').some((one) => one === 'start' || one === 'process_started'))
    return undefined;
  const name = textIn(doc, 'process.name') ?? '';
  const executable = textIn(doc, 'process.executable') ?? '';
  const args = textsIn(doc, 'process.args').join(' ');
  if (about.program !== undefined && executable === about.program && about.ownCode.length === 0)
    return { why: 'its program started', worrying: false };
  if (about.ownCode.some((code) => args.includes(code)))
    return { why: 'what it runs started', worrying: false };
  if (about.path !== undefined && args.includes(about.path))
    return { why: 'a command named its file', worrying: false };
  if (textIn(doc, 'launchwarden.launchctl.effect') === 'load')
    return { why: 'launchctl loaded something', worrying: false };
  if (oddFolder.test(executable))
    return { why: 'a program ran from a hidden folder or one that everybody may write', worrying: true };
  if (Object.hasOwn(tools, name))
    return { why: `${name} ran, which ${tools[name]}`, worrying: fetchers.has(name) };
  if (Object.hasOwn(occasions, name)) return { why: occasions[name] as string, worrying: false };
  return undefined;
}

export function eventLine(doc: EcsDocument): string {
  const path = textIn(doc, 'file.path');
  if (path !== undefined) return `${textIn(doc, 'event.action') ?? 'change'} of ${path}`;
  const job = textIn(doc, 'launchwarden.job.label');
  if (job !== undefined)
    return `launchd: ${textIn(doc, 'event.action') ?? ''} ${textIn(doc, 'launchwarden.job.domain') ?? '?'}/${job}`;
  const user = textIn(doc, 'user.name');
  const command = textIn(doc, 'process.command_line') ?? textsIn(doc, 'process.args').join(' ');
  return `${command === '' ? (textIn(doc, 'process.executable') ?? '?') : command}${user === undefined ? '' : ` (${user})`}`;
}

function installsOf(
  { root }: Case,
  range: { readonly from: Micros; readonly to: Micros },
): Pick<Facts, 'installs' | 'noInstalls'> {
  const bytes = readPlain(root, history, maxHistory);
  if ('why' in bytes)
    return { installs: [], noInstalls: `what was installed then: ${history}: ${bytes.why}` };
  const read = readPlist(bytes.value);
  if (!read.ok || !Array.isArray(read.value))
    return { installs: [], noInstalls: `what was installed then: ${history} cannot be read` };
  const installs = read.value.flatMap((entry) => {
    if (!(entry instanceof Map)) return [];
    const date = entry.get('date');
    const time = date instanceof Date ? date.getTime() * 1000 : Number.NaN;
    if (!(time >= range.from && time < range.to)) return [];
    const [name, version] = [entry.get('displayName'), entry.get('displayVersion')];
    return [{ time, name: [name ?? 'Something', version ?? ''].map(String).join(' ').trim() }];
  });
  return { installs: installs.slice(0, 10), noInstalls: undefined };
}
