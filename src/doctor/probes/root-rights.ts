import { defineProbe, notHere, ok, warning } from '../probe.js';

export const rootRights = defineProbe({
  name: 'root',
  section: 'Access',
  asks: 'Does this run as root, as the agent of a Mac must?',
  read: ({ uid, platform, root }) => ({ uid, mac: platform === 'darwin' && !root.simulated }),
  judge({ uid, mac }) {
    if (uid === 0) return ok('runs as root');
    if (!mac) return notHere(`not needed: this is no Mac, or a tree (user ${uid})`);
    return warning(
      `runs as user ${uid}: much of what follows cannot be learned`,
      'Run "sudo launchwarden doctor".',
    );
  },
});
