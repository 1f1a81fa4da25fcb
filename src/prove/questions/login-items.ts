import { notListed, ourBackgroundItem, sfltool } from '../background-items.js';
import { judged, notAsked, type Question } from '../question.js';

export const loginItems: Question = {
  name: 'login-items',
  asks: 'Under which name does the installed job stand in Login Items?',
  expected: 'launchwarden, and not the signer of Node.js',
  needs: ['root'],
  programs: [sfltool],
  async ask(system) {
    const item = await ourBackgroundItem(system);
    if (item === undefined) return notAsked(notListed);
    const [name, developer] = ['Name', 'Developer Name'].map((key) => item.fields.get(key) ?? '(null)');
    return judged(
      /launchwarden/i.test(name ?? '') && !/node/i.test(developer ?? ''),
      `name ${name}, developer ${developer}`,
      item.lines,
    );
  },
};
