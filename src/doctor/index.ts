export { type Mark, type Probe, sections, type Verdict } from './probe.js';
export { probes } from './probes/index.js';
export { type Examined, examine, type RunOptions } from './run.js';
export type { AgentAnswer, DoctorSystem } from './system.js';
export { openDoctor } from './this-system.js';
