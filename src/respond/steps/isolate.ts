import type { Executor } from '../executor.js';

export const isolate: Executor<'isolate'> = {
  does: () => 'isolate',
  check: async () => ({ state: 'failed', says: 'not here' }),
  run: async () => ({ state: 'failed', says: 'not here' }),
  resume: async () => ({ state: 'failed', says: 'not here' }),
  undo: async () => ({ state: 'failed', says: 'not here' }),
};
