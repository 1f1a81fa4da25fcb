import { overridesPath, readPrintDisabled } from '../../mechanisms/launchd/index.js';
import { launchctl } from '../launch-job.js';
import { judged, type Question } from '../question.js';

export const overrides: Question = {
  name: 'overrides',
  asks: 'In what form does launchctl say which jobs were disabled, and where does launchd keep that?',
  expected: 'print-disabled lists labels as disabled or enabled, and disabled.plist is where it was',
  programs: [launchctl],
  async ask(system) {
    const answer = await system.run(launchctl, ['print-disabled', 'system']);
    const table = readPrintDisabled(answer);
    const isKept = system.facts(overridesPath()) !== undefined;
    const words = table === undefined ? 'not understood' : `${table.size} labels`;
    return judged(
      table !== undefined && isKept,
      `print-disabled: ${words}; ${overridesPath()}: ${isKept ? 'there' : 'not there'}`,
      table === undefined ? answer.stdout.split('\n').slice(0, 5) : [],
    );
  },
};
