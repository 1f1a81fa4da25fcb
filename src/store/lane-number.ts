import type { Lane } from './outbox.js';

/** How a lane stands in the database; not the order in which lanes are sent. */
const numbered: readonly Lane[] = ['status', 'alert', 'event'];

export function laneNumber(lane: Lane): number {
  return numbered.indexOf(lane);
}

export function laneOf(number: number): Lane {
  return numbered[number] ?? 'status';
}
