export { type AgentOptions, runAgent } from './agent.js';
export { type ControlRequest, controlPath, requestControl } from './control.js';
export { selectRules } from './rules.js';
