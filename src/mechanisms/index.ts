import { cron } from './cron.js';
import { launchAgent, launchDaemon } from './launch-items.js';
import type { Mechanism } from './mechanism.js';

export { type Found, MechanismPlaces } from './find.js';
export { launchItemOf } from './launch-items.js';
export type { Mechanism, MechanismFile, PersistentItem, Place, When } from './mechanism.js';
export { type TechniqueId, techniques } from './techniques.js';

/** Every persistence mechanism that is known, in the order in which lists show them. */
export const mechanisms: readonly Mechanism[] = [launchDaemon, launchAgent, cron];
