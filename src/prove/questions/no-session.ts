import { saysNoDomain } from '../../base/launchctl-status.js';
import { launchctl } from '../launch-job.js';
import { judged, notAsked, type Question } from '../question.js';

/** The first person's on a Mac. */
const firstUser = 501;

export const noSession: Question = {
  name: 'no-session',
  asks: 'What does launchctl say of the domains of a user who is logged in over SSH alone?',
  expected: 'there is no gui/ domain (112 or 125), and user/ is there',
  programs: [launchctl],
  async ask(system) {
    const console = system.facts('/dev/console')?.uid;
    if (console !== undefined && console !== 0)
      return notAsked(
        'somebody is logged in at the screen: log out, and ask again over SSH with "prove --resume"',
      );
    const uid = system.person ?? (system.uid === 0 ? firstUser : system.uid);
    const gui = await system.run(launchctl, ['print', `gui/${uid}`]);
    const user = await system.run(launchctl, ['print', `user/${uid}`]);
    return judged(
      saysNoDomain(gui.status) && user.status === 0,
      `gui/${uid}: ${gui.status}; user/${uid}: ${user.status}`,
      [gui.stderr.trim(), user.stderr.trim()].filter((line) => line !== ''),
    );
  },
};
