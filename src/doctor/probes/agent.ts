import { stringAt } from '../../base/value-at.js';
import { defineProbe, failed, ok, unknown, warning } from '../probe.js';

const more = '"launchwarden status" says more.';

export const agentRuns = defineProbe({
  name: 'agent',
  section: 'Job',
  asks: 'Does the agent run, is it this version, and how does it judge itself?',
  async read(system) {
    return { agent: await system.agent(), version: system.version, dataDir: system.dataDir };
  },
  judge({ agent, version, dataDir }) {
    if (agent.state === 'silent')
      return unknown(`it does not answer: ${agent.reason}`, 'Use sudo when it runs as a daemon.');
    if (agent.state === 'none')
      return failed(
        `no agent runs on ${dataDir}`,
        '"sudo launchwarden install" installs it, "launchwarden run" runs it in the foreground.',
      );
    const { status } = agent;
    const running = stringAt(status, 'version') ?? '?';
    const what = `version ${running} runs since ${stringAt(status, 'started') ?? '?'}`;
    const verdict = stringAt(status, 'verdict') ?? 'unknown';
    const reasons = (status as { reasons?: unknown }).reasons;
    const lines = Array.isArray(reasons) ? reasons.filter((one) => typeof one === 'string') : [];
    if (verdict === 'blind') return failed(`${what} and is BLIND`, more, lines);
    if (running !== version)
      return warning(
        `${what}; this program is ${version}`,
        '"sudo launchwarden install" (or restart the job) makes them the same.',
      );
    if (verdict !== 'healthy') return warning(`${what} and is ${verdict.toUpperCase()}`, more, lines);
    return ok(`${what} and is healthy`);
  },
});
