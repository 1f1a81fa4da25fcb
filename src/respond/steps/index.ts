import type { Executor } from '../executor.js';
import type { StepKind } from '../plan.js';
import { bootOut } from './boot-out.js';
import { isolate } from './isolate.js';
import { place } from './place.js';
import { quarantine } from './quarantine.js';
import { restartDirectoryService } from './restart-directory-service.js';
import { stop } from './stop.js';

export const executors: { readonly [K in StepKind]: Executor<K> } = {
  'boot-out': bootOut,
  stop,
  quarantine,
  place,
  'restart-directory-service': restartDirectoryService,
  isolate,
};
