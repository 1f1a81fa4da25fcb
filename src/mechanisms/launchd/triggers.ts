import { flat } from '../../base/flat.js';
import type { PlistValue } from '../../base/plist/index.js';
import { booleanOf, type LaunchKeys } from '../launch-keys.js';
import type { When } from '../mechanism.js';

/** One thing that makes launchd start a job that it has loaded. */
export interface JobTrigger {
  /** The key of launchd.plist(5). */
  readonly key: string;
  /** The key below it that narrows it: `SuccessfulExit` of KeepAlive, the name of a socket, a stream of LaunchEvents. */
  readonly condition?: string;
  readonly when: When;
  /** What it is set to: seconds, paths, times, names. */
  readonly values: readonly string[];
  /** One sentence. Texts of the list in it are quoted as they are written: hostile. */
  readonly says: string;
}

/** Triggers of one job, values of one trigger, and characters of one value. */
const maxTriggers = 64;
const maxValues = 32;
const maxText = 1_024;
/** Values that one sentence names. */
const maxNamed = 3;

/** Everything in a list that starts its job. `daemon`: it is loaded when the system starts, an agent at login. */
export function triggersOf(keys: LaunchKeys, daemon: boolean): readonly JobTrigger[] {
  return [...all(keys, daemon)].slice(0, maxTriggers);
}

function* all(keys: LaunchKeys, daemon: boolean): Generator<JobTrigger> {
  const begins = daemon ? 'when the system starts' : 'at login';
  const loads: When = daemon ? 'boot' : 'login';
  if (booleanOf(keys.get('RunAtLoad')) === true)
    yield trigger('RunAtLoad', { when: loads, says: `It starts as soon as it is loaded: ${begins}.` });
  yield* keepAlive(keys, { begins, loads });
  yield* interval(keys);
  yield* calendar(keys.get('StartCalendarInterval'));
  if (booleanOf(keys.get('StartOnMount')) === true)
    yield trigger('StartOnMount', { when: 'mount', says: 'It starts whenever a volume is mounted.' });
  yield* paths(keys, 'WatchPaths', (named) => `It starts whenever one of these changes: ${named}.`);
  yield* paths(
    keys,
    'QueueDirectories',
    (named) => `It runs as long as one of these is not empty: ${named}.`,
  );
  yield* sockets(keys.get('Sockets'));
  yield* services(keys.get('MachServices'));
  yield* events(keys.get('LaunchEvents'));
  if (keys.has('inetdCompatibility'))
    yield trigger('inetdCompatibility', {
      when: 'socket',
      says: 'It starts once for each connection to its sockets, as inetd did it.',
    });
}

interface Loading {
  readonly begins: string;
  readonly loads: When;
}

function* keepAlive(keys: LaunchKeys, { begins, loads }: Loading): Generator<JobTrigger> {
  const modern = keys.get('KeepAlive');
  const key = modern === undefined ? 'OnDemand' : 'KeepAlive';
  const value = modern ?? keys.get('OnDemand');
  if (!(value instanceof Map)) {
    const flag = booleanOf(value);
    if (flag === undefined || flag !== (key === 'KeepAlive')) return;
    yield trigger(key, {
      when: 'always',
      values: [String(flag)],
      says: `It starts ${begins}, and again whenever it ends, however it ends.`,
    });
    return;
  }
  for (const [condition, of] of [...value].slice(0, maxTriggers)) yield* keptAliveIf(condition, of, loads);
}

function* keptAliveIf(condition: string, value: PlistValue, loads: When): Generator<JobTrigger> {
  const flag = booleanOf(value);
  const given = (when: When, says: string, values = [String(flag)]) =>
    trigger('KeepAlive', { condition, when, values, says });
  switch (condition) {
    // launchd.plist(5): implies RunAtLoad, since a job must run once to end.
    case 'SuccessfulExit':
      if (flag !== undefined)
        yield given(
          loads,
          flag
            ? 'It starts when it is loaded, and again whenever it ends with success.'
            : 'It starts when it is loaded, and again whenever it ends without success.',
        );
      return;
    case 'Crashed':
      if (flag !== undefined)
        yield given(
          'always',
          flag
            ? 'It starts again whenever it crashes.'
            : 'It starts again whenever it ends in any other way than by a crash.',
        );
      return;
    case 'AfterInitialDemand':
      if (flag === true)
        yield given('demand', 'It is kept alive only once something else has started it for the first time.');
      return;
    case 'NetworkState':
      if (flag !== undefined)
        yield given(
          'event',
          `It is kept alive while the network is ${flag ? 'up' : 'down'}; newer systems ignore this.`,
        );
      return;
    case 'PathState':
    case 'OtherJobEnabled':
    case 'OtherJobActive':
      yield* keptAliveWhile(condition, value);
      return;
    default:
      yield given('event', `It is kept alive under a condition that is not known: ${text(condition)}.`, [
        short(value),
      ]);
  }
}

function* keptAliveWhile(condition: string, value: PlistValue): Generator<JobTrigger> {
  if (!(value instanceof Map)) return;
  for (const [name, wanted] of [...value].slice(0, maxValues)) {
    const flag = booleanOf(wanted);
    if (flag === undefined) continue;
    const says =
      condition === 'PathState'
        ? `It is kept alive as long as ${text(name)} ${flag ? 'exists' : 'does not exist'}.`
        : `It is kept alive as long as the job ${text(name)} is ${flag ? '' : 'not '}loaded.`;
    yield trigger('KeepAlive', {
      condition,
      when: condition === 'PathState' ? 'path' : 'event',
      values: [`${text(name)}=${flag}`],
      says,
    });
  }
}

function* interval(keys: LaunchKeys): Generator<JobTrigger> {
  const seconds = numberOf(keys.get('StartInterval'));
  if (seconds === undefined || seconds <= 0) return;
  yield trigger('StartInterval', {
    when: 'interval',
    values: [String(seconds)],
    says: `It starts every ${spoken(seconds)}.`,
  });
}

/** Seconds in the largest unit that divides them. */
function spoken(seconds: number): string {
  for (const [unit, size] of [
    ['day', 86_400],
    ['hour', 3_600],
    ['minute', 60],
  ] as const)
    if (seconds % size === 0) return seconds === size ? unit : `${seconds / size} ${unit}s`;
  return seconds === 1 ? 'second' : `${seconds} seconds`;
}

const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const months = [
  ...['January', 'February', 'March', 'April', 'May', 'June', 'July'],
  ...['August', 'September', 'October', 'November', 'December'],
];

function* calendar(value: PlistValue | undefined): Generator<JobTrigger> {
  const entries = Array.isArray(value) ? value.slice(0, maxValues) : [value];
  for (const entry of entries) {
    if (!(entry instanceof Map)) continue;
    const at = (key: string) => numberOf(entry.get(key));
    const [minute, hour, day, weekday, month] = ['Minute', 'Hour', 'Day', 'Weekday', 'Month'].map(at);
    const set = ['Month', 'Day', 'Weekday', 'Hour', 'Minute'].flatMap((key) => {
      const number = at(key);
      return number === undefined ? [] : [`${key}=${number}`];
    });
    const date = [
      ...(weekday === undefined ? [] : [`on ${weekdays[weekday] ?? `weekday ${weekday}`}`]),
      ...(day === undefined ? [] : [`on day ${day} of the month`]),
      ...(month === undefined ? [] : [`in ${months[month - 1] ?? `month ${month}`}`]),
    ];
    yield trigger('StartCalendarInterval', {
      when: 'calendar',
      values: set,
      says: `It starts ${[timeOf(hour, minute), ...date].join(', ')}.`,
    });
  }
}

/** A part that is missing stands for every value of it (launchd.plist(5)). */
function timeOf(hour: number | undefined, minute: number | undefined): string {
  const two = (number: number) => String(number).padStart(2, '0');
  if (hour === undefined) return minute === undefined ? 'every minute' : `${minute} minutes past every hour`;
  return minute === undefined
    ? `every minute from ${two(hour)}:00 to ${two(hour)}:59`
    : `at ${two(hour)}:${two(minute)}`;
}

function* paths(keys: LaunchKeys, key: string, says: (named: string) => string): Generator<JobTrigger> {
  const values = textsOf(keys.get(key));
  if (values.length > 0) yield trigger(key, { when: 'path', values, says: says(named(values)) });
}

/** A socket is a dictionary, or a list of them under one name. */
function* sockets(value: PlistValue | undefined): Generator<JobTrigger> {
  if (!(value instanceof Map)) return;
  for (const [name, one] of [...value].slice(0, maxTriggers))
    for (const socket of Array.isArray(one) ? one.slice(0, maxValues) : [one]) {
      const at = (key: string) => (socket instanceof Map ? scalar(socket.get(key)) : undefined);
      const path = at('SockPathName');
      const service = at('SockServiceName');
      const node = at('SockNodeName');
      const protocol = at('SockProtocol') ?? (at('SockType') === 'dgram' ? 'UDP' : 'TCP');
      const secure = at('SecureSocketWithKey');
      const where =
        path ??
        (service === undefined ? undefined : `${node === undefined ? '' : `${node}:`}${service}`) ??
        (secure === undefined ? undefined : `$${secure}`);
      const kind =
        path !== undefined
          ? `the socket ${path}`
          : `${protocol} ${where ?? 'on a socket that is not described'}`;
      const passive = socket instanceof Map ? booleanOf(socket.get('SockPassive')) : undefined;
      yield trigger('Sockets', {
        condition: name,
        when: 'socket',
        values: where === undefined ? [] : [where],
        says:
          passive === false
            ? `launchd connects to ${kind} for it.`
            : `It starts when somebody connects to ${kind}${open(path, node)}.`,
      });
    }
}

/** A service without a node is offered on every address of the Mac. */
function open(path: string | undefined, node: string | undefined): string {
  return path === undefined && node === undefined ? ', on any address of this Mac' : '';
}

function* services(value: PlistValue | undefined): Generator<JobTrigger> {
  if (!(value instanceof Map) || value.size === 0) return;
  const values = [...value.keys()].slice(0, maxValues).map(text);
  yield trigger('MachServices', {
    when: 'message',
    values,
    says: `It starts when a program looks up and messages ${named(values)}.`,
  });
}

function* events(value: PlistValue | undefined): Generator<JobTrigger> {
  if (!(value instanceof Map)) return;
  for (const [stream, of] of [...value].slice(0, maxTriggers)) {
    const values = of instanceof Map ? [...of.keys()].slice(0, maxValues).map(text) : [];
    yield trigger('LaunchEvents', {
      condition: stream,
      when: 'event',
      values,
      says: `It starts on an event of ${text(stream)}${values.length === 0 ? '' : `: ${named(values)}`}.`,
    });
  }
}

function trigger(
  key: string,
  {
    condition,
    when,
    values = [],
    says,
  }: {
    readonly condition?: string;
    readonly when: When;
    readonly values?: readonly string[];
    readonly says: string;
  },
): JobTrigger {
  return { key, ...(condition === undefined ? {} : { condition: text(condition) }), when, values, says };
}

function named(values: readonly string[]): string {
  const more = values.length - maxNamed;
  return `${values.slice(0, maxNamed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function text(value: string): string {
  return flat(value.slice(0, maxText));
}

function textsOf(value: PlistValue | undefined): string[] {
  const list = Array.isArray(value) ? value.slice(0, maxValues) : [value];
  return list.flatMap((one) => (typeof one === 'string' && one !== '' ? [text(one)] : []));
}

function scalar(value: PlistValue | undefined): string | undefined {
  if (typeof value === 'string') return text(value);
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : undefined;
}

function short(value: PlistValue): string {
  return scalar(value) ?? (typeof value === 'boolean' ? String(value) : '?');
}

function numberOf(value: PlistValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
