import { observing } from '../observing.js';
import { judged, type Question } from '../question.js';

const runs = 200;

export const kernelHints: Question = {
  name: 'kernel-hints',
  asks: `Does the kernel tell of the forks of ${runs} short programs, and does the scanner see these?`,
  expected: 'the hints are trusted, without an error, and the scanner works on libproc as documented',
  needs: ['mac-addon'],
  programs: ['/usr/bin/true'],
  async ask(system) {
    const { events, health } = await observing(system, 'process-scan', async () => {
      for (let run = 0; run < runs; run++) await system.run('/usr/bin/true', []);
      await system.wait(500);
    });
    const { hints_trusted: trusted = 0, hint_errors: errors = 0, ...rest } = health.counters;
    const seen = events.filter(({ doc }) => doc.process?.executable === '/usr/bin/true').length;
    return judged(
      trusted === 1 && errors === 0 && seen > 0,
      `hints ${trusted === 1 ? 'trusted' : 'not trusted'}, ${errors} errors; ${seen} of ${runs} programs seen`,
      [
        ...health.notes,
        ...Object.entries(rest).map(([name, count]) => `${name} ${Number(count.toPrecision(4))}`),
      ],
    );
  },
};
