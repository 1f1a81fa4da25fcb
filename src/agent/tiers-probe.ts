import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import { silentLogger } from '../base/log.js';
import { RootMap } from '../base/root.js';
import type { Settings } from '../config/index.js';
import type { SensorKind } from '../event/event.js';
import { firstScanNote } from '../sensors/file-watch/index.js';
import { readBootId } from './boot.js';
import { SensorSet } from './sensors.js';
import type { TierStatus } from './tiers.js';

export interface ProbedSensors {
  readonly kinds: readonly SensorKind[];
  readonly tier: TierStatus;
  readonly health: readonly object[];
}

/** Which sensors can run here, by this user: starts them as the agent would, and stops them at once. */
export async function probeSensors(settings: Settings, clock: Clock): Promise<ProbedSensors> {
  const set = new SensorSet(
    {
      settings,
      root: new RootMap(settings.root),
      clock,
      log: silentLogger,
      boot: readBootId(),
      watched: { patterns: [], entries: [], inHomes: [] },
      homes: () => [],
      carries: () => false,
      more: [],
      onContext() {},
      onItem() {},
      onLoaded() {},
    },
    { observe() {}, completeThrough() {}, started() {}, ended() {}, gap() {} },
  );
  try {
    await set.start();
  } catch (error) {
    return { kinds: [], health: [], tier: { ...set.tier(), reason: messageOf(error) } };
  }
  // That it has just begun says nothing about what it would see.
  const health = set
    .health()
    .map((one) => ({ ...one, notes: one.notes.filter((note) => note !== firstScanNote) }));
  const probed = { kinds: set.kinds, tier: set.tier(), health };
  await set.stop();
  return probed;
}
