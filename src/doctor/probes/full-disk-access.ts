import { diskAccess, guardedFile } from '../../base/disk-access.js';
import { stringAt } from '../../base/value-at.js';
import { defineProbe, failed, notHere, ok, unknown, warning } from '../probe.js';

const cure =
  'Grant Full Disk Access in System Settings, Privacy & Security (or by an MDM profile: docs/install.md), then "sudo launchwarden reload".';

export const fullDiskAccess = defineProbe({
  name: 'full-disk-access',
  section: 'Access',
  asks: 'Does macOS let the agent read everything?',
  async read(system) {
    const agent = await system.agent();
    const said = agent.state === 'runs' ? stringAt(agent.status, 'disk_access.state') : undefined;
    return {
      mac: system.platform === 'darwin' || system.root.simulated,
      simulated: system.root.simulated,
      agent: said,
      agentReason: agent.state === 'runs' ? stringAt(agent.status, 'disk_access.reason') : undefined,
      own: diskAccess(system.root),
    };
  },
  judge({ mac, simulated, agent, agentReason, own }) {
    if (!mac) return notHere('only macOS asks for it');
    if (agent === 'granted') return ok(`the agent opened ${guardedFile}`);
    if (agent === 'denied') return failed(`the agent lacks it: ${agentReason ?? 'no reason is known'}`, cure);
    if (simulated && own.state === 'unknown') return notHere(`a tree asks for none: ${own.reason}`);
    // macOS asks who is responsible for a process: of a command that is the terminal, or sshd.
    if (own.state === 'granted')
      return warning(
        `this terminal has it; of the agent only the agent itself can tell, and ${agent ?? 'it does not say'}`,
        'Start the agent and ask again.',
      );
    if (own.state === 'denied')
      return unknown(
        `this terminal lacks it (${own.reason}), which says nothing of the agent: no agent answers`,
        'Start the agent and ask again.',
      );
    return unknown(own.reason);
  },
});
