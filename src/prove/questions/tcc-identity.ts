import { runAsJob } from '../launch-item.js';
import { launchctl } from '../launch-job.js';
import { judged, notAsked, type Question } from '../question.js';

const protectedFile = '/Library/Application Support/com.apple.TCC/TCC.db';
const log = '/usr/bin/log';
const maxLines = 20;

const script = `
let said = 'opened';
try { require('node:fs').closeSync(require('node:fs').openSync(${JSON.stringify(protectedFile)})); } catch (error) { said = error.code; }
console.log(said);
`;

export const tccIdentity: Question = {
  name: 'tcc-identity',
  asks: 'Whom does macOS take a Node.js program that launchd runs for, when it decides about Full Disk Access?',
  expected: "the path of the Node.js executable, or its app's identifier, and no program above it",
  needs: ['root'],
  programs: [launchctl, log],
  async ask(system) {
    const { text } = await runAsJob(system, script);
    await system.wait(1_000);
    const shown = await system.run(
      log,
      [
        ...['show', '--last', '1m', '--style', 'compact', '--info', '--debug', '--predicate'],
        'subsystem == "com.apple.TCC" AND eventMessage CONTAINS "AUTHREQ_ATTRIBUTION"',
      ],
      { timeoutMs: 60_000 },
    );
    const lines = shown.stdout.split('\n').filter((line) => line.includes('AUTHREQ_ATTRIBUTION'));
    const ours = lines.filter((line) => line.includes(system.node));
    if (lines.length === 0)
      return notAsked(`the log holds no decision of TCC (log show ended with ${shown.status})`);
    return judged(
      ours.length > 0,
      `${ours.length} of ${lines.length} decisions name ${system.node}; opening TCC.db: ${text.trim()}`,
      (ours.length > 0 ? ours : lines).slice(0, maxLines),
    );
  },
};
