import { canonicalMacPath } from '../base/root.js';
import type { StepSight } from '../rules/index.js';
import { at, objectsAt } from './output/read.js';

/** A place that no running sensor of files sees. */
export interface BlindSpot {
  readonly place: string;
  readonly reason: string;
}

const fileSensors = new Set(['file-watch', 'eslogger', 'endpoint-security']);

/** What the agent's answer to `status` says of its sensors' blind places: those that every sensor of files shares. */
export function blindSpots(sensors: readonly object[]): BlindSpot[] {
  const running = sensors.filter(
    (sensor) => fileSensors.has(String(at(sensor, 'kind'))) && at(sensor, 'running') === true,
  );
  const lists = running.map((sensor) =>
    objectsAt(sensor, 'blind').flatMap(({ place, reason }) =>
      typeof place === 'string' ? [{ place, reason: String(reason ?? 'no reason is known') }] : [],
    ),
  );
  const [first = [], ...others] = lists;
  return first.filter(({ place }) =>
    others.every((list) => list.some((other) => covers(partsOf(other.place), partsOf(place)))),
  );
}

/**
 * What is left of a step's sight: `none` when all that its rule's patterns name lies in blind places, `partial` when some
 * of it may.
 */
export function withBlindSpots(
  step: StepSight,
  patterns: readonly string[],
  blind: readonly BlindSpot[],
): StepSight {
  const { requirements, sight } = step;
  if (sight === 'none' || blind.length === 0) return step;
  if (requirements.categories?.includes('file') === false) return step;
  const folders = patterns.map((pattern) => partsOf(pattern).slice(0, -1));
  const places = blind.map((spot) => ({ ...spot, parts: partsOf(spot.place) }));
  const hit = places.filter(({ parts }) => folders.some((folder) => overlaps(folder, parts)));
  if (hit.length === 0) return step;
  const all = folders.every((folder) => hit.some(({ parts }) => covers(parts, folder)));
  return {
    ...step,
    sight: all ? 'none' : 'partial',
    reasons: [...step.reasons, ...hit.map(({ place, reason }) => `is blind in ${place}: ${reason}`)],
  };
}

const partsOf = (path: string) => canonicalMacPath(path).toLowerCase().split('/').filter(Boolean);
const isWild = (part: string) => /[*?]/.test(part);

/** True when everything in `folder` lies in the place. */
function covers(place: readonly string[], folder: readonly string[]): boolean {
  return (
    place.length <= folder.length && place.every((part, index) => part === folder[index] || part === '*')
  );
}

/** True when something that the folder, or one that its wildcards mean, holds may lie in the place. */
function overlaps(folder: readonly string[], place: readonly string[]): boolean {
  const shared = Math.min(folder.length, place.length);
  for (let index = 0; index < shared; index++) {
    const [a, b] = [folder[index] as string, place[index] as string];
    if (a !== b && !isWild(a) && !isWild(b)) return false;
  }
  return true;
}
