import type { Gap, SensorKind } from '../event/event.js';

/** What each sensor alone sees. */
const seenBy: Readonly<Record<SensorKind, string>> = {
  'endpoint-security': 'starts of processes, and who writes files',
  eslogger: 'starts of processes, and who writes files',
  'process-scan': 'starts of processes, loads of launch items among them',
  'file-watch': 'changes of launch items and other watched files',
  'launchd-state': 'jobs that launchd has loaded',
  capture: 'what a capture does not hold',
  agent: 'anything',
};

const byReason: Readonly<Record<string, string>> = {
  restart: 'what began and ended while the agent did not run',
  stopping: 'anything from now on, until the agent starts again',
  'clock-step': 'the true order of what happened around the step of the clock',
  sleep: 'nothing, if the Mac slept; all that happened if it was kept from running',
  'store-refused': 'nothing; but alerts are in memory alone, and end with the agent',
  'store-damaged': 'alerts of earlier runs, as far as they could not be carried over',
  'store-lost': 'alerts of earlier runs, and what they had seen',
  'data-lost': 'alerts that no destination has got, and what earlier runs had seen',
  overflow: 'what was dropped: more came than is kept',
  budget: 'raw events that no rule needs, scans of lesser alerts, and the inventory, in part',
  'canary-failed': 'perhaps everything: the chain from a launch item to here is not proven',
  'rules-gone': 'what the rules that are gone would have found',
  'job-changed': 'perhaps everything from the next start on: launchd runs what the job says',
  'program-changed':
    'perhaps everything from the next start on: the program is not the one that was installed',
};

/** What is not seen, or was not, in a gap: for people at the other end who know the Mac by its documents alone. */
export function notSeen({ sensor, reason }: Pick<Gap, 'sensor' | 'reason'>): string {
  if (Object.hasOwn(byReason, reason) && (sensor === 'agent' || reason !== 'restart'))
    return byReason[reason] as string;
  return Object.hasOwn(seenBy, sensor) ? seenBy[sensor] : 'what it watches';
}
