import { againstAgent } from './against-agent.js';
import type { Evasion } from './evasion.js';
import { files } from './files.js';
import { loading } from './loading.js';
import { plugInEvasions } from './plug-ins.js';

/** All of them, in the order of their numbers. */
export const evasions: readonly Evasion[] = [...loading, ...files, ...plugInEvasions, ...againstAgent].sort(
  (a, b) => a.number - b.number,
);
