import { judged, notAsked, type Question } from '../question.js';
import { codesign, signedNode } from '../signed-node.js';

const arch = '/usr/bin/arch';
const architectures = ['arm64', 'x86_64'];
/** Compiled code is some 20 times as fast as interpreted code. */
const leastGain = 3;

const script = `
const begun = performance.now();
let sum = 0;
for (let turn = 0; turn < 3e7; turn++) sum = (sum + turn * 7) % 1000003;
console.log(JSON.stringify([performance.now() - begun, sum]));
`;

export const jit: Question = {
  name: 'jit',
  asks: 'Does V8 compile in a Node.js that is signed with the hardened runtime and allow-jit alone?',
  expected: `a hot loop ends, at least ${leastGain} times as fast as without a compiler, on each architecture`,
  programs: [codesign, arch],
  async ask(system) {
    const node = await signedNode(system);
    const found: string[] = [];
    const details: string[] = [];
    let good = true;
    for (const architecture of architectures) {
      const run = (flags: readonly string[]) =>
        system.run(arch, [`-${architecture}`, node, ...flags, '-e', script], { timeoutMs: 60_000 });
      const compiled = await run([]);
      if (/bad cpu type/i.test(compiled.stderr)) {
        details.push(`${architecture}: this Node.js, or this Mac, has not that architecture`);
        continue;
      }
      if (/library not loaded/i.test(compiled.stderr))
        return notAsked(
          'this Node.js needs libraries that the hardened runtime refuses: take the archive from nodejs.org',
        );
      const [fast, slow] = [timeOf(compiled.stdout), timeOf((await run(['--jitless'])).stdout)];
      const gain = fast === undefined || slow === undefined ? undefined : slow / fast;
      if (gain === undefined || gain < leastGain) good = false;
      found.push(
        fast === undefined
          ? `${architecture}: ended with ${compiled.status}`
          : `${architecture}: ${Math.round(fast)} ms, ${gain === undefined ? 'nothing to compare with' : `${gain.toFixed(1)} times as fast`}`,
      );
      if (fast === undefined) details.push(...compiled.stderr.trim().split('\n').slice(0, 10));
    }
    if (found.length === 0) return notAsked(details.join('; '));
    return judged(good, found.join('; '), details);
  },
};

function timeOf(text: string): number | undefined {
  const found = /^\[([\d.]+),/.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}
