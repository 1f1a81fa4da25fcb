import { persistentItemId } from '../event/ids.js';
import { mechanisms } from '../mechanisms/index.js';
import type { Told } from './engine.js';

/** What a step that was done makes of the response's item: a stage of its story. */
export type ItemStage = 'quarantined' | 'back';

/** Undefined for a step that was not done, and for one that moved something else than the item itself. */
export function stageOf({ response, step, what, outcome }: Told): ItemStage | undefined {
  if (outcome.state !== 'done' || (step.kind !== 'quarantine' && step.kind !== 'place')) return undefined;
  const isItem = mechanisms.some(({ id }) => persistentItemId(id, step.path) === response.item);
  if (!isItem) return undefined;
  if (step.kind === 'quarantine') return what === 'step' ? 'quarantined' : 'back';
  return what === 'step' ? 'back' : undefined;
}
