import { runAsJob } from '../launch-item.js';
import { launchctl } from '../launch-job.js';
import { judged, type Question } from '../question.js';

const waits = 200;
const waitMs = 4.5;
/** In the utility class the kernel may add four times the wait. */
const mostMs = 9;

const script = `
const cell = new Int32Array(new SharedArrayBuffer(4));
const late = [];
for (let turn = 0; turn < ${waits}; turn++) {
  const begun = performance.now();
  Atomics.wait(cell, 0, 0, ${waitMs});
  late.push(performance.now() - begun);
}
late.sort((a, b) => a - b);
console.log(JSON.stringify([0.5, 0.9, 0.99, 1].map((share) => late[Math.ceil(share * late.length) - 1])));
`;

export const timers: Question = {
  name: 'timers',
  asks: `How long do ${waits} waits of ${waitMs} ms take in a job that is set up as ours is?`,
  expected: `99 of 100 end within ${mostMs} ms`,
  needs: ['root'],
  programs: [launchctl],
  async ask(system) {
    const { text } = await runAsJob(system, script);
    const [median, ninetieth, p99, longest] = (JSON.parse(text) as unknown[]).map(Number);
    const shown = (figure: number | undefined) => `${(figure ?? Number.NaN).toFixed(2)} ms`;
    return judged(
      p99 !== undefined && p99 <= mostMs,
      `p99 ${shown(p99)}; median ${shown(median)}, p90 ${shown(ninetieth)}, longest ${shown(longest)}`,
    );
  },
};
