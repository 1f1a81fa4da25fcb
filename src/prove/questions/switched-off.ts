import { notListed, ourBackgroundItem, sfltool } from '../background-items.js';
import { askLaunchd } from '../launch-item.js';
import { launchctl } from '../launch-job.js';
import { judged, notAsked, type Question } from '../question.js';

export const switchedOff: Question = {
  name: 'switched-off',
  asks: 'How does it show that a user has switched the agent off in Login Items?',
  expected: 'its disposition is "disallowed" or "disabled", and launchd does not run it',
  needs: ['root'],
  programs: [sfltool, launchctl],
  async ask(system) {
    const item = await ourBackgroundItem(system);
    if (item === undefined) return notAsked(notListed);
    const disposition = item.fields.get('Disposition') ?? '';
    if (/\benabled\b/.test(disposition) && /\ballowed\b/.test(disposition))
      return notAsked(
        'it is switched on: switch launchwarden off in System Settings, Login Items, and run "prove --resume"',
      );
    const { answer, status } = await askLaunchd(system, 'com.launchwarden.agent');
    const runs = answer.state === 'loaded' && answer.facts.pid !== undefined;
    return judged(
      /dis(?:allowed|abled)/.test(disposition) && !runs,
      `disposition ${disposition}; launchctl print ended with ${status}, ${runs ? 'the agent runs' : 'the agent does not run'}`,
      item.lines,
    );
  },
};
