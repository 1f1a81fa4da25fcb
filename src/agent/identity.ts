import { randomUUID } from 'node:crypto';
import { observedRootKey, type Store } from '../store/index.js';

export interface Identity {
  readonly agentId: string;
  readonly hostId: string;
}

/** Ids that are made once and kept with the data. */
export function identityOf(store: Store): Identity {
  return {
    agentId: remembered(store, 'agent.id', randomUUID),
    hostId: remembered(store, 'host.id', randomUUID),
  };
}

/** Commands work where the agent looks. */
export function rememberRoot(store: Store, root: string): void {
  if ((store.meta.get(observedRootKey) ?? '') !== root) store.meta.set(observedRootKey, root);
}

function remembered(store: Store, key: string, make: () => string): string {
  const known = store.meta.get(key);
  if (known !== undefined) return known;
  const value = make();
  store.meta.set(key, value);
  return value;
}
