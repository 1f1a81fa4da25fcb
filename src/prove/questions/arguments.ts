import { observing } from '../observing.js';
import { judged, notAsked, type Question } from '../question.js';

/** Waits for the end of its input before it does anything. */
const program = '/usr/bin/xargs';
/** The first one takes the place of the program's own name. */
const given = ['', 'a', ''];
const limitMs = 5_000;
const pollMs = 20;

export const processArguments: Question = {
  name: 'arguments',
  asks: 'Are the arguments of a process read as they were given, empty ones too?',
  expected: JSON.stringify(given),
  needs: ['addon'],
  programs: [program],
  async ask(system) {
    let found: readonly string[] | undefined;
    await observing(system, 'process-scan', async (events) => {
      const [argv0 = '', ...args] = given;
      const child = system.start(program, args, { argv0 });
      const end = system.monotonic() + limitMs;
      while (found === undefined && system.monotonic() < end) {
        await system.wait(pollMs);
        // Between fork and exec it is still a copy of us.
        found = events.find(
          ({ doc }) => doc.process?.pid === child.pid && /\/xargs$/.test(doc.process.executable ?? ''),
        )?.doc.process?.args;
      }
      await child.stop();
    });
    if (found === undefined) return notAsked('the scanner did not see the process that was started');
    return judged(JSON.stringify(found) === JSON.stringify(given), JSON.stringify(found));
  },
};
