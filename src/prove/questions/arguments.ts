import { observing } from '../observing.js';
import { judged, notAsked, type Question } from '../question.js';

const given = ['', 'a', ''];
const limitMs = 5_000;
const pollMs = 20;

export const processArguments: Question = {
  name: 'arguments',
  asks: 'Are the arguments of a process read as they were given, empty ones too?',
  expected: `${JSON.stringify(given)} after the program's own`,
  needs: ['addon'],
  async ask(system) {
    let found: readonly string[] | undefined;
    await observing(system, 'process-scan', async (events) => {
      const child = system.start(system.node, ['-e', 'setTimeout(() => {}, 60_000)', '--', ...given]);
      const end = system.monotonic() + limitMs;
      while (found === undefined && system.monotonic() < end) {
        await system.wait(pollMs);
        // Between fork and exec it still has ours.
        found = events.find(
          ({ doc }) => doc.process?.pid === child.pid && doc.process.args?.includes('-e') === true,
        )?.doc.process?.args;
      }
      await child.stop();
    });
    if (found === undefined) return notAsked('the scanner did not see the process that was started');
    const rest = found.slice(found.indexOf('--') + 1);
    return judged(JSON.stringify(rest) === JSON.stringify(given), JSON.stringify(rest), [
      JSON.stringify(found),
    ]);
  },
};
