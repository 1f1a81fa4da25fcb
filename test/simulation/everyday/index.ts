import { developers } from './developers.js';
import { macos } from './macos.js';
import { vendors } from './vendors.js';
import type { Activity, World } from './world.js';

export { apple, World } from './world.js';

export const activities = [...developers, ...vendors, ...macos];

const whole = activities.reduce((sum, { weight }) => sum + weight, 0);

/** An activity, each as often as it is common. */
function next(world: World): Activity {
  let left = world.chance() * whole;
  for (const activity of activities) {
    left -= activity.weight;
    if (left < 0) return activity;
  }
  return activities[0] as Activity;
}

/** Plays activities until there are so many events. `turn`: awaited after each, so that whoever takes them gets its turn. */
export async function playEveryday(
  world: World,
  most: number,
  turn: () => Promise<void> | void,
): Promise<void> {
  while (world.events < most) {
    next(world).play(world);
    await turn();
  }
}
