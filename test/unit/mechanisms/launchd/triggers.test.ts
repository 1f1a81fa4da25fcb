import { expect, test } from 'vitest';
import { readPlist } from '../../../../src/base/plist/index.js';
import { jobKeysOf } from '../../../../src/mechanisms/launchd/index.js';

function triggers(keys: string, daemon = true) {
  const list = readPlist(Buffer.from(`<plist version="1.0"><dict>${keys}</dict></plist>`));
  if (!list.ok) throw new Error(list.finding);
  return jobKeysOf(list.value, { daemon })?.triggers ?? [];
}
const key = (name: string, value: string) => `<key>${name}</key>${value}`;
const dict = (...pairs: string[]) => `<dict>${pairs.join('')}</dict>`;
const text = (value: string) => `<string>${value}</string>`;
const number = (value: number) => `<integer>${value}</integer>`;

test.each<[name: string, keys: string, expected: readonly (readonly [string, string])[]]>([
  [
    'RunAtLoad',
    key('RunAtLoad', '<true/>'),
    [['boot', 'It starts as soon as it is loaded: when the system starts.']],
  ],
  ['RunAtLoad false', key('RunAtLoad', '<false/>'), []],
  [
    'KeepAlive',
    key('KeepAlive', '<true/>'),
    [['always', 'It starts when the system starts, and again whenever it ends, however it ends.']],
  ],
  ['KeepAlive false', key('KeepAlive', '<false/>'), []],
  [
    'the older word',
    key('OnDemand', '<false/>'),
    [['always', 'It starts when the system starts, and again whenever it ends, however it ends.']],
  ],
  [
    'SuccessfulExit',
    key('KeepAlive', dict(key('SuccessfulExit', '<false/>'))),
    [['boot', 'It starts when it is loaded, and again whenever it ends without success.']],
  ],
  [
    'Crashed, AfterInitialDemand',
    key('KeepAlive', dict(key('Crashed', '<true/>'), key('AfterInitialDemand', '<true/>'))),
    [
      ['always', 'It starts again whenever it crashes.'],
      ['demand', 'It is kept alive only once something else has started it for the first time.'],
    ],
  ],
  [
    'PathState, OtherJobEnabled',
    key(
      'KeepAlive',
      dict(
        key('PathState', dict(key('/a', '<true/>'), key('/b', '<false/>'))),
        key('OtherJobEnabled', dict(key('com.b', '<false/>'))),
      ),
    ),
    [
      ['path', 'It is kept alive as long as /a exists.'],
      ['path', 'It is kept alive as long as /b does not exist.'],
      ['event', 'It is kept alive as long as the job com.b is not loaded.'],
    ],
  ],
  [
    'an unknown condition',
    key('KeepAlive', dict(key('Moon', text('full')))),
    [['event', 'It is kept alive under a condition that is not known: Moon.']],
  ],
  ['StartInterval', key('StartInterval', number(7_200)), [['interval', 'It starts every 2 hours.']]],
  ['StartInterval of a minute', key('StartInterval', number(60)), [['interval', 'It starts every minute.']]],
  ['StartInterval 0', key('StartInterval', number(0)), []],
  [
    'StartCalendarInterval',
    key(
      'StartCalendarInterval',
      dict(key('Hour', number(3)), key('Minute', number(5)), key('Weekday', number(7))),
    ),
    [['calendar', 'It starts at 03:05, on Sunday.']],
  ],
  [
    'a list of times',
    key(
      'StartCalendarInterval',
      `<array>${dict(key('Minute', number(30)))}${dict(key('Day', number(1)), key('Month', number(2)))}</array>`,
    ),
    [
      ['calendar', 'It starts 30 minutes past every hour.'],
      ['calendar', 'It starts every minute, on day 1 of the month, in February.'],
    ],
  ],
  ['StartOnMount', key('StartOnMount', '<true/>'), [['mount', 'It starts whenever a volume is mounted.']]],
  [
    'WatchPaths and QueueDirectories',
    key('WatchPaths', `<array>${text('/a')}${text('/b')}</array>`) + key('QueueDirectories', text('/q')),
    [
      ['path', 'It starts whenever one of these changes: /a, /b.'],
      ['path', 'It runs as long as one of these is not empty: /q.'],
    ],
  ],
  [
    'Sockets',
    key(
      'Sockets',
      dict(
        key('L', dict(key('SockServiceName', text('8080')))),
        key('P', dict(key('SockPathName', text('/private/var/run/x')))),
        key(
          'C',
          dict(
            key('SockServiceName', text('443')),
            key('SockPassive', '<false/>'),
            key('SockNodeName', text('c2')),
          ),
        ),
      ),
    ),
    [
      ['socket', 'It starts when somebody connects to TCP 8080, on any address of this Mac.'],
      ['socket', 'It starts when somebody connects to the socket /private/var/run/x.'],
      ['socket', 'launchd connects to TCP c2:443 for it.'],
    ],
  ],
  [
    'MachServices',
    key('MachServices', dict(key('com.a', '<true/>'), key('com.b', dict()))),
    [['message', 'It starts when a program looks up and messages com.a, com.b.']],
  ],
  [
    'LaunchEvents',
    key('LaunchEvents', dict(key('com.apple.iokit.matching', dict(key('usb', dict()))))),
    [['event', 'It starts on an event of com.apple.iokit.matching: usb.']],
  ],
  [
    'inetdCompatibility',
    key('inetdCompatibility', dict(key('Wait', '<false/>'))),
    [['socket', 'It starts once for each connection to its sockets, as inetd did it.']],
  ],
  [
    'values of a wrong type',
    key('Sockets', text('x')) + key('StartInterval', text('60')) + key('KeepAlive', text('yes')),
    [],
  ],
])('%s', (_, keys, expected) => {
  expect(triggers(keys).map(({ when, says }) => [when, says])).toEqual(expected);
});

test('an agent begins at login', () => {
  expect(triggers(key('RunAtLoad', '<true/>'), false)).toMatchObject([
    { when: 'login', says: expect.stringContaining('at login') },
  ]);
});

test('what a hostile list names is bounded', () => {
  const many = Array.from({ length: 5_000 }, (_, index) => text(`/${index}/${'x'.repeat(3_000)}`)).join('');
  const [one] = triggers(key('WatchPaths', `<array>${many}</array>`));
  expect(one?.values).toHaveLength(32);
  expect(one?.says.length).toBeLessThan(4_096);
});
