import { firstItems, itemOf } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem } from './mechanism.js';
import { runsOfProgram, textOf } from './read.js';
import { pathOfUrl } from './values.js';

const maxLines = 50_000;

/** Alarms of calendar events that open a file. Source: RFC 5545; `ACTION:PROCEDURE` is that of RFC 2445. */
export const calendarAlarm: Mechanism = {
  id: 'calendar-alarm',
  name: 'calendar alarm',
  techniques: ['T1546'],
  places: [
    { scope: 'home', path: 'Library/Calendars/*/Events', what: 'entries', extensions: ['ics'] },
    {
      scope: 'home',
      path: 'Library/Calendars/*/*/Events',
      what: 'entries',
      extensions: ['ics'],
      watched: false,
    },
  ],
  read: (file) => firstItems(alarmsIn(file)),
  removal: ({ label }) =>
    `Delete the alarm of the event ${label ?? ''} in Calendar, then the file that it opens.`,
};

function* alarmsIn(file: MechanismFile): Generator<PersistentItem> {
  // A line that begins with a blank goes on from the one before.
  const lines = textOf(file)
    .replace(/\r?\n[ \t]/g, '')
    .split(/\r?\n/, maxLines);
  let summary: string | undefined;
  let alarm: Map<string, string> | undefined;
  for (const line of lines) {
    const [, name = '', value = ''] = /^([A-Za-z-]{1,64})(?:;[^:]{0,1000})?:(.{0,4096})/.exec(line) ?? [];
    const word = name.toUpperCase();
    if (word === 'SUMMARY') summary = value;
    if (word === 'BEGIN' && value === 'VALARM') alarm = new Map();
    else if (word === 'END' && value === 'VALARM') {
      if (alarm !== undefined && alarm.get('ACTION') === 'PROCEDURE') yield itemOfAlarm(alarm, summary);
      alarm = undefined;
    } else if (alarm !== undefined && !alarm.has(word) && alarm.size < 64) alarm.set(word, value);
  }
}

function itemOfAlarm(alarm: ReadonlyMap<string, string>, summary: string | undefined): PersistentItem {
  const url = alarm.get('ATTACH') ?? '';
  const path = pathOfUrl(url);
  return itemOf({
    key: `${alarm.get('TRIGGER') ?? ''} ${url}`,
    label: summary,
    runs: path === undefined ? [] : [runsOfProgram(path)],
    when: ['calendar'],
    // Named by an alias, which is not followed.
    findings: path === undefined ? ['unknown-program'] : [],
  });
}
