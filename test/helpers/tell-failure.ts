import type { TestContext } from 'vitest';
import type { AgentProcess } from '../simulation/mac.js';

/** For `beforeEach`: a test that fails prints the log of its agent. */
export function tellWhenFailed({ onTestFailed }: TestContext, agent: () => AgentProcess | undefined): void {
  onTestFailed(() => {
    process.stderr.write(`the agent's log:\n${agent()?.log.slice(-20_000)}\n`);
  });
}
