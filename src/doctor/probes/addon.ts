import { recordsAt, stringAt } from '../../base/value-at.js';
import { addonCondition } from '../../sensors/addon/index.js';
import { defineProbe, failed, ok, warning } from '../probe.js';

export const addon = defineProbe({
  name: 'addon',
  section: 'Program',
  asks: 'Does the native addon load?',
  async read(system) {
    const agent = await system.agent();
    return {
      here: addonCondition(),
      agent: agent.state === 'runs' ? stringAt(agent.status, 'addon.state') : undefined,
      agentReason: agent.state === 'runs' ? stringAt(agent.status, 'addon.reason') : undefined,
      kinds: agent.state === 'runs' ? recordsAt(agent.status, 'sensors').length : 0,
    };
  },
  judge({ here, agent, agentReason }) {
    const cure =
      'Run "node scripts/build.mjs --native" in the program\'s folder, or install a package for this Mac.';
    if (here.state === 'broken') return failed(here.reason ?? 'it cannot be loaded', cure);
    if (agent === 'broken') return failed(`the agent cannot load it: ${agentReason ?? ''}`, cure);
    if (here.state === 'absent')
      return warning(`it is not there: ${here.reason ?? ''}`, 'The agent works without it, with less sight.');
    return ok('it loads', here.passed_over);
  },
});
