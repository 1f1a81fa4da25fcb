import { alertDocument } from '../../../src/event/alert.js';
import type { EcsDocument } from '../../../src/event/document.js';
import type { Lane, OutboxItem } from '../../../src/forward/index.js';
import { candidate, context, detection, fileEvent, processEvent } from '../../unit/store/sample-data.js';

/** What an attacker may put into names and labels, all of it legal in a file name or an argument. */
export const hostile = 'a\u001b[31m"\\|=\n\r\t]\u202e\u2028\ud800é\u{1f600} <13>1 - - CEF:0|x|';

export function alertItem(
  name: string,
  extra: { seq?: number; revision?: number; text?: string } = {},
): OutboxItem {
  const { seq = 1, revision = 1, text } = extra;
  const file = fileEvent(`f-${name}`, text === undefined ? {} : { path: `/Users/alice/${text}`, name: text });
  const load = processEvent(`p-${name}`);
  if (text !== undefined) load.doc.process = { ...load.doc.process, args: [text], command_line: text };
  const found = detection(name, { events: [file, load], candidates: [candidate(file)] });
  const doc = alertDocument(found, context);
  return { seq, lane: 'alert', id: found.id, revision, body: JSON.stringify(doc) };
}

export function statusItem(id: string): OutboxItem {
  return laneItem('status', id, {
    '@timestamp': '2026-11-22T05:40:13.290123Z',
    message: 'launchwarden is alive',
    event: {
      id,
      kind: 'metric',
      module: 'launchwarden',
      dataset: 'launchwarden.status',
      action: 'heartbeat',
    },
  });
}

export function eventItem(id: string): OutboxItem {
  return laneItem('event', id, { ...fileEvent(id).doc });
}

function laneItem(lane: Lane, id: string, doc: EcsDocument): OutboxItem {
  return { seq: 1, lane, id, revision: 1, body: JSON.stringify(doc) };
}
