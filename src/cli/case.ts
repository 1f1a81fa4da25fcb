import type { Alert } from '../event/alert.js';
import { type Case, subjectOf } from '../respond/investigate/index.js';
import type { Store } from '../store/index.js';
import { caseTools } from './case-tools.js';
import type { CommandContext } from './context.js';
import { observedRoot } from './observed-root.js';

/** A person waits: so long events are looked through, milliseconds. */
const searchMs = 500;

/** What an investigation of one alert reads, on this machine. */
export async function openCase(context: CommandContext, store: Store, alert: Alert): Promise<Case> {
  const root = await observedRoot(context);
  const { clock, io } = context;
  const begun = clock.monotonic();
  return {
    ...{ alert, store, root },
    about: subjectOf(alert.doc),
    tools: caseTools({
      ...{ root, clock, platform: io.platform, signal: io.interruption() },
      entries: () => store.inventory.list().flatMap(({ entry, gone }) => (gone === undefined ? [entry] : [])),
    }),
    now: clock.now(),
    expired: () => clock.monotonic() - begun > searchMs,
  };
}
