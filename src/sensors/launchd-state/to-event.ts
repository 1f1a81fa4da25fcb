import type { RootMap } from '../../base/root.js';
import { formatMicros, type Micros } from '../../base/time.js';
import type { Event } from '../../event/event.js';
import { fileEventId } from '../../event/ids.js';
import type { JobFacts } from './read-print.js';

/** Characters of a label that an event carries. */
const maxLabel = 4_096;

export interface LoadedJob {
  readonly label: string;
  readonly domain: string;
  /** The property list that had changed. */
  readonly plistPath: string;
  readonly facts: JobFacts;
  /** The look that found it loaded, and the one before, that did not. */
  readonly time: Micros;
  readonly notBefore: Micros;
  /** How it was found out, for people. */
  readonly reason: string;
}

/** A job that launchd did not have before and has now. No process event: who loaded it was not seen. */
export function loadedEvent(job: LoadedJob, { root, boot }: { root: RootMap; boot: string }): Event {
  const { label, domain, plistPath, facts, time, notBefore, reason } = job;
  const { path, program, state, pid } = facts;
  const id = fileEventId(
    'launchd-state',
    boot,
    plistPath,
    '',
    BigInt(time) * 1000n,
    `loaded ${domain}/${label}`,
  );
  const mac = (text: string) => (text.startsWith('/') ? root.toMac(text) : text);
  return {
    id,
    time,
    nanos: 0,
    sequence: Number.POSITIVE_INFINITY,
    doc: {
      '@timestamp': formatMicros(time),
      message: 'launchd loaded a job',
      event: { id, module: 'launchwarden', category: ['configuration'], type: ['change'], action: 'loaded' },
      launchwarden: {
        sensor: {
          kind: 'launchd-state',
          precision: 'interval',
          not_before: formatMicros(notBefore),
          reason: `inferred: ${reason}`,
        },
        job: {
          label: label.slice(0, maxLabel),
          domain,
          plist_path: plistPath,
          ...(path === undefined ? {} : { path: mac(path) }),
          ...(program === undefined ? {} : { program: mac(program) }),
          ...(state === undefined ? {} : { state }),
          ...(pid === undefined ? {} : { pid }),
        },
      },
    },
  };
}
