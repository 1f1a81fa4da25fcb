export { type ControlRequest, controlPath, requestControl } from './control.js';
export type { AgentOptions } from './options.js';
export { type PreflightOptions, type Problem, preflight, problemError } from './preflight.js';
export { filePatterns, mutedRules, selectRules, tierOf } from './rules.js';
export { runAgent } from './run-agent.js';
export { offBySettings } from './switched-off.js';
export { type ProbedSensors, probeSensors } from './tiers-probe.js';
