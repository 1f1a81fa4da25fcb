export { type AgentOptions, runAgent } from './agent.js';
export { type ControlRequest, controlPath, requestControl } from './control.js';
export { type PreflightOptions, type Problem, preflight, problemError } from './preflight.js';
export { filePatterns, mutedRules, selectRules, tierOf } from './rules.js';
export { type ProbedSensors, probeSensors } from './tiers-probe.js';
