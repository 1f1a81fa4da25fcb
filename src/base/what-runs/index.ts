export { environmentCode } from './environment.js';
export { type RunnableItem, type RunReason, type WhatRuns, whatRuns } from './what-runs.js';
