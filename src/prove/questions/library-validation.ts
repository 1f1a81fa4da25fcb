import { addonPaths } from '../../sensors/addon/index.js';
import { judged, notAsked, type Question } from '../question.js';
import { codesign, signedNode } from '../signed-node.js';

export const libraryValidation: Question = {
  name: 'library-validation',
  asks: 'Does a Node.js with the hardened runtime refuse an addon that its own team has not signed?',
  expected: 'it is refused: every .node file has to be signed with the same team',
  needs: ['mac-addon'],
  programs: [codesign],
  async ask(system) {
    const addon = addonPaths().find((file) => system.has(file));
    if (addon === undefined) return notAsked('there is no addon to load');
    const node = await signedNode(system);
    const script = `try { require(${JSON.stringify(addon)}); console.log('loaded'); } catch (error) { console.log(error.message); }`;
    const { status, stdout, stderr } = await system.run(node, ['-e', script]);
    const said = `${stdout}${stderr}`.trim().split('\n');
    if (status !== 0 && stdout === '')
      return notAsked(`the signed copy of Node.js ended with ${status}: ${said[0] ?? ''}`);
    const refused = /code signature|team id|not valid for use/i.test(stdout);
    return judged(refused, refused ? 'refused' : (said[0] ?? ''), said.slice(0, 10));
  },
};
