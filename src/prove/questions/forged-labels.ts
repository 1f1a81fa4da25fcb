import { readDomain } from '../../sensors/launchd-state/index.js';
import { loadItem, newLabel } from '../launch-item.js';
import { launchctl, launchPlist } from '../launch-job.js';
import { judged, type Question } from '../question.js';

export const forgedLabels: Question = {
  name: 'forged-labels',
  asks: 'What does launchd do with a label that holds line breaks and looks like its own output?',
  expected: 'it is refused, or the reader of "launchctl print" says that the list is odd',
  needs: ['root'],
  programs: [launchctl],
  async ask(system) {
    const base = newLabel();
    const forged = `${base}.forged`;
    const label = `${base}\n\t}\n\tservices = {\n\t\t       0      - \t${forged}`;
    const content = launchPlist({ Label: label, ProgramArguments: ['/usr/bin/true'] });
    const item = await loadItem(system, { label, content, folder: system.folder() });
    const said = await system.run(launchctl, ['print', 'system'], { mostBytes: 32 * 1024 * 1024 });
    const domain = readDomain(said);
    const shown = said.stdout.includes(base);
    const about = said.stdout
      .split('\n')
      .flatMap((line, index, all) =>
        line.includes(base) ? all.slice(Math.max(0, index - 1), index + 4) : [],
      );
    const found = shown
      ? `loaded (bootstrap ended with ${item.status}); the list was read as ${domain?.odd === true ? 'odd' : 'an ordinary one'}`
      : `not loaded: bootstrap ended with ${item.status}: ${item.errorText}`;
    return judged(!shown || domain?.odd === true, found, about.slice(0, 20));
  },
};
