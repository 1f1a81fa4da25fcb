import { systemClock } from '../base/clock.js';
import { UserError } from '../base/errors.js';
import { RootMap } from '../base/root.js';
import type { Micros } from '../base/time.js';
import { Orderer } from '../detect/index.js';
import { Enricher } from '../enrich/index.js';
import {
  type CapturedEvent,
  type CaptureFile,
  type ReadOptions,
  readLines,
} from '../sensors/capture/index.js';
import { fileReader } from '../sensors/endpoint-security/index.js';
import { EsloggerReader } from '../sensors/eslogger/index.js';
import type { CaptureTally } from './capture-input.js';

/** A recording may be out of order by so much event time, microseconds; what comes later is judged when it comes. */
const window = 5_000_000;
const batch = 512;

/**
 * Hands the events of a recording of eslogger (its JSON lines) over in the order of event time, completed as the agent
 * would: parents, entity ids, the process that wrote. Property lists are read from `root`, the folder that stands for the
 * Mac, when there is one. The same recording gives the same events on every machine. Returns what became of the lines.
 */
export function takeRecording(
  file: CaptureFile,
  take: (event: CapturedEvent) => void,
  options: ReadOptions & { readonly version: string; readonly root: string | undefined },
): CaptureTally {
  const root = new RootMap(options.root);
  const reader = new EsloggerReader({
    root,
    boot: 'recording',
    ...(options.root === undefined ? {} : { readFile: fileReader(root) }),
  });
  let newest: Micros = 0;
  const enricher = new Enricher({
    root,
    clock: { ...systemClock, now: () => newest },
    version: options.version,
    agentId: 'recording',
    hostId: 'recording',
    boot: 'recording',
    host: { id: 'recording', os: { type: 'macos', family: 'macos', platform: 'macos', name: 'macOS' } },
    users: { user: () => undefined, group: () => undefined },
  });
  const orderer = new Orderer();
  const release = (mark: Micros) => {
    for (const event of orderer.release(mark)) take(event as CapturedEvent);
  };
  let waiting = 0;
  let events = 0;
  let from: Micros | undefined;
  for (const { number, text } of readLines(file, options)) {
    if (text === undefined) reader.skipOversized();
    else {
      for (const observation of reader.read(text)) {
        newest = Math.max(newest, observation.event.time);
        from = Math.min(from ?? observation.event.time, observation.event.time);
        events++;
        for (const event of enricher.enrich(observation))
          orderer.push({ ...event, line: number } as CapturedEvent);
      }
    }
    if (++waiting < batch) continue;
    waiting = 0;
    release(newest - window);
  }
  release(Number.POSITIVE_INFINITY);
  const { malformed, oversized, unknown_event } = reader.counters;
  const skipped = malformed + oversized + unknown_event;
  if (events === 0 && skipped > 0)
    throw new UserError(
      'capture/no-event',
      'no line of the input is a message of eslogger that is read here',
      {
        hint: 'Leave --format out to have the input recognised.',
      },
    );
  return { events, passed: 0, skipped, untimed: 0, from, to: events === 0 ? undefined : newest };
}
