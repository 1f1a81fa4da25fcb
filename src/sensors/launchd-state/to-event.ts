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
  /** The property list that had changed, or that launchd names; absent when it names none. */
  readonly plistPath?: string | undefined;
  readonly facts: JobFacts;
  /** The poll that found it loaded, and the one before, that did not; absent when nobody had asked before. */
  readonly time: Micros;
  readonly notBefore?: Micros;
  /** How it was found out, for people. */
  readonly reason: string;
}

/**
 * A job that launchd did not have before and has now (`loaded`), or that it had when it was asked for the first time since
 * the machine started (`found`). No process event: who loaded it was not seen.
 */
export function jobEvent(
  action: 'loaded' | 'found',
  job: LoadedJob,
  { root, boot }: { root: RootMap; boot: string },
): Event {
  const { label, domain, plistPath, facts, time, notBefore, reason } = job;
  const { path, program, state, pid, runs, last_exit, type } = facts;
  // What is found is the same at each start of the agent.
  const nanos = action === 'found' ? 0n : BigInt(time) * 1000n;
  const subject = `${action} ${domain}/${label}`;
  const id = fileEventId('launchd-state', boot, plistPath ?? '', '', nanos, subject);
  const mac = (text: string) => (text.startsWith('/') ? root.toMac(text) : text);
  return {
    id,
    time,
    nanos: 0,
    sequence: Number.POSITIVE_INFINITY,
    doc: {
      '@timestamp': formatMicros(time),
      message: action === 'loaded' ? 'launchd loaded a job' : 'launchd has a job',
      event: {
        id,
        module: 'launchwarden',
        category: ['configuration'],
        type: [action === 'loaded' ? 'change' : 'info'],
        action,
      },
      launchwarden: {
        sensor: {
          kind: 'launchd-state',
          precision: 'interval',
          ...(notBefore === undefined ? {} : { not_before: formatMicros(notBefore) }),
          reason: `inferred: ${reason}`,
        },
        job: {
          label: label.slice(0, maxLabel),
          domain,
          ...(plistPath === undefined ? {} : { plist_path: plistPath }),
          ...(path === undefined ? {} : { path: mac(path) }),
          ...(program === undefined ? {} : { program: mac(program) }),
          ...(state === undefined ? {} : { state }),
          ...(pid === undefined ? {} : { pid }),
          ...(runs === undefined ? {} : { runs }),
          ...(last_exit === undefined ? {} : { last_exit }),
          ...(type === undefined ? {} : { type }),
        },
      },
    },
  };
}
