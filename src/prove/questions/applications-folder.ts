import { judged, notAsked, type Question } from '../question.js';

const root = 0;
/** The group `admin`. */
const administrators = 80;

export const applicationsFolder: Question = {
  name: 'applications-folder',
  asks: 'Who may write into /Applications?',
  expected: 'root, and every administrator: 0775 root:admin, which is why install refuses it',
  async ask(system) {
    const facts = system.facts('/Applications');
    if (facts === undefined) return notAsked('there is no /Applications');
    const { uid, gid, mode } = facts;
    return judged(
      uid === root && gid === administrators && (mode & 0o022) === 0o020,
      `0${mode.toString(8)}, user ${uid}, group ${gid}`,
    );
  },
};
