import { judged, notAsked, type Question } from '../question.js';

const [dscl, dscacheutil] = ['/usr/bin/dscl', '/usr/bin/dscacheutil'];
/** The agent gives it no more. */
const mostMs = 5_000;
const tries = 3;

export const directoryStall: Question = {
  name: 'directory-stall',
  asks: 'How long does the list of users take on a Mac that is bound to a directory?',
  expected: `each of ${tries} within ${mostMs / 1_000} s, which is all that the agent gives it`,
  programs: [dscl, dscacheutil],
  async ask(system) {
    const nodes = (await system.run(dscl, ['localhost', '-list', '/'])).stdout.split('\n');
    const bound = nodes.filter((node) => /^(?:Active Directory|LDAPv3)$/.test(node.trim()));
    const names = [];
    for (const node of bound)
      names.push((await system.run(dscl, ['localhost', '-list', `/${node}`])).stdout.trim());
    if (names.every((name) => name === '')) return notAsked('this Mac is bound to no directory');
    const took: number[] = [];
    let users = 0;
    for (let turn = 0; turn < tries; turn++) {
      const begun = system.monotonic();
      const { stdout } = await system.run(dscacheutil, ['-q', 'user'], { mostBytes: 32 * 1024 * 1024 });
      took.push(Math.round(system.monotonic() - begun));
      users = stdout.split('\n').filter((line) => line.startsWith('name: ')).length;
    }
    return judged(
      took.every((one) => one <= mostMs),
      `${took.join(', ')} ms for ${users} users; bound to ${bound.join(' and ')}`,
    );
  },
};
