import { formatMicros, type Micros } from '../../base/time.js';

/** Writes points in time: those of a terminal in the zone of whoever sits there, all others in UTC. */
export interface Times {
  /** `2026-11-22 05:40:13`; with its zone behind it where that is not `zone`. */
  at(time: Micros): string;
  /** The zone for the head of a column: `UTC`, or the distance from it now: `+01:00`. */
  readonly zone: string;
}

export const utcTimes: Times = {
  at: (time) => formatMicros(time).slice(0, 19).replace('T', ' '),
  zone: 'UTC',
};

/** `+01:00`, or `UTC`; minutes east of UTC as a Date counts them, with the other sign. */
function zoneOf(date: Date): string {
  const east = -date.getTimezoneOffset();
  if (east === 0) return utcTimes.zone;
  const two = (number: number) => String(number).padStart(2, '0');
  return `${east < 0 ? '-' : '+'}${two(Math.floor(Math.abs(east) / 60))}:${two(Math.abs(east) % 60)}`;
}

/** Without Intl, whose first use takes longer than a listing. */
export function localTimes(now: Micros): Times {
  const zone = zoneOf(new Date(now / 1000));
  return {
    zone,
    at(time) {
      const date = new Date(time / 1000);
      if (Number.isNaN(date.getTime())) return utcTimes.at(time);
      const own = zoneOf(date);
      const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
      const text = utcTimes.at(local.getTime() * 1000);
      return own === zone ? text : `${text} ${own}`;
    },
  };
}
