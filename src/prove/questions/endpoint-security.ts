import { things } from '../../base/count.js';
import { observing } from '../observing.js';
import { judged, type Question } from '../question.js';

const runs = 100;

export const endpointSecurity: Question = {
  name: 'endpoint-security',
  asks: `Does EndpointSecurity tell of ${runs} short programs, and are its messages read rightly?`,
  expected: 'each start is seen, with its path and arguments; nothing is dropped or unreadable',
  needs: ['root', 'mac-addon'],
  programs: ['/usr/bin/true'],
  async ask(system) {
    const { events, gaps, health, failure } = await observing(system, 'endpoint-security', async () => {
      for (let run = 0; run < runs; run++) await system.run('/usr/bin/true', [`run-${run}`]);
      await system.wait(1_000);
    });
    const seen = new Set(
      events
        .filter(({ doc }) => doc.process?.executable === '/usr/bin/true')
        .map(({ doc }) => doc.process?.args?.[1]),
    );
    const all = Array.from({ length: runs }, (_, run) => seen.has(`run-${run}`)).filter(Boolean).length;
    const unreadable = health.counters['unreadable'] ?? 0;
    return judged(
      all === runs && gaps.length === 0 && unreadable === 0 && failure === undefined,
      `${all} of ${runs} starts seen; ${things(gaps.length, 'gap')}, ${things(unreadable, 'message')} not understood`,
      [...health.notes, ...gaps.map(({ reason, detail }) => `${reason}: ${detail}`)],
    );
  },
};
