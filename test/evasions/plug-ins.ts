import type { Attacker } from './attacker.js';
import type { Evasion } from './evasion.js';

const plugIns = '/Library/DirectoryServices/PlugIns';

function bundle(attacker: Attacker, at: string): void {
  attacker.write(`${at}/Contents/Info.plist`, attacker.list());
  attacker.write(`${at}/Contents/MacOS/plugin`, Buffer.alloc(4_096, 1));
}

/** What gets around the rule about DirectoryService plug-ins: numbers 44 to 47. */
export const plugInEvasions: readonly Evasion[] = [
  {
    number: 44,
    name: 'the program inside a plug-in is overwritten',
    before: (attacker) => bundle(attacker, `${plugIns}/${attacker.label}.dsplug`),
    play: (attacker) =>
      attacker.write(`${plugIns}/${attacker.label}.dsplug/Contents/MacOS/plugin`, Buffer.alloc(4_096, 2)),
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 45,
    name: 'a ready plug-in is moved in with one rename',
    play(attacker) {
      const staged = `/private/tmp/${attacker.label}.dsplug`;
      bundle(attacker, staged);
      attacker.mkdir(plugIns);
      attacker.rename(staged, `${plugIns}/${attacker.label}.dsplug`);
    },
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 46,
    name: 'the folder of plug-ins itself is replaced',
    disturbs: true,
    play(attacker) {
      const staged = `/Library/DirectoryServices/${attacker.label}`;
      bundle(attacker, `${staged}/${attacker.label}.dsplug`);
      attacker.rename(plugIns, `/private/tmp/${attacker.label}-old`);
      attacker.rename(staged, plugIns);
    },
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 47,
    name: 'a plug-in in another case: .DSPLUG',
    play: (attacker) => bundle(attacker, `${plugIns}/${attacker.label}.DSPLUG`),
    expected: { scan: 'detected', eslogger: 'detected' },
  },
];
