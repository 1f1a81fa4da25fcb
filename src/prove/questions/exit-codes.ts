import { saysNoDomain, saysNoService } from '../../base/launchctl-status.js';
import { launchctl } from '../launch-job.js';
import { judged, type Question } from '../question.js';

/** Nobody has this user id. */
const nobody = 99_999;

export const exitCodes: Question = {
  name: 'exit-codes',
  asks: 'With what does launchctl end for a domain, and for a job, that is not there?',
  expected: 'print gui/99999: 112 or 125; print of an unknown job: 113 or 3',
  programs: [launchctl],
  async ask(system) {
    const targets = [`gui/${nobody}`, `user/${nobody}`, 'system/com.launchwarden.prove.absent'];
    const said = [];
    for (const target of targets) said.push({ target, ...(await system.run(launchctl, ['print', target])) });
    const [gui, , job] = said;
    return judged(
      saysNoDomain(gui?.status ?? null) && saysNoService(job?.status ?? null),
      said.map(({ target, status }) => `${target}: ${status}`).join('; '),
      said.map(({ target, stderr }) => `${target}: ${stderr.trim()}`),
    );
  },
};
