import { symlinkSync } from 'node:fs';
import path from 'node:path';
import { askLaunchd, loadItem, newLabel } from '../launch-item.js';
import { launchctl, launchPlist } from '../launch-job.js';
import { judged, type Question } from '../question.js';

const verbs = ['bootstrap', 'load'] as const;

export const links: Question = {
  name: 'links',
  asks: 'Which path does launchd give for a job that was loaded through a link?',
  expected: 'it is loaded by bootstrap and by load, and the path is that of the link or of its target',
  needs: ['root'],
  programs: [launchctl],
  async ask(system) {
    const found: string[] = [];
    let good = true;
    for (const verb of verbs) {
      const folder = system.folder();
      const label = newLabel();
      const link = path.join(folder, 'link.plist');
      const content = launchPlist({ Label: label, ProgramArguments: ['/usr/bin/true'] });
      const target = path.join(folder, 'target.plist');
      symlinkSync(target, link);
      const item = await loadItem(system, {
        label,
        content,
        folder,
        name: 'target.plist',
        through: link,
        verb,
      });
      const { answer } = await askLaunchd(system, label);
      const told = answer.state === 'loaded' ? answer.facts.path : undefined;
      if (told !== link && told !== target) good = false;
      const which = told === link ? 'the link' : told === target ? 'the target' : (told ?? 'none');
      found.push(`${verb} ended with ${item.status}: ${answer.state}, path ${which}`);
    }
    return judged(good, found.join('; '));
  },
};
