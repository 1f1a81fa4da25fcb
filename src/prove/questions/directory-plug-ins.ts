import { judged, notAsked, type Question } from '../question.js';

const folder = 'DirectoryServices/PlugIns';
/** Programs that loaded such plug-ins, or helped with it, in some version of macOS. */
const loaders = ['/usr/libexec/opendirectoryd', '/usr/libexec/dspluginhelperd', '/usr/sbin/DirectoryService'];
const maxBytes = 64 * 1024 * 1024;

export const directoryPlugIns: Question = {
  name: 'directory-plug-ins',
  asks: 'Is there a program in this system that still loads a .dsplug?',
  expected: `none whose text names ${folder}: an alert about one tells of an intent`,
  async ask(system) {
    const found = loaders.flatMap((program) => {
      const text = system.read(program, maxBytes);
      return text === undefined ? [] : [{ program, names: text.includes(folder) }];
    });
    if (!found.some(({ program }) => program === loaders[0])) return notAsked(`${loaders[0]} cannot be read`);
    const naming = found.filter(({ names }) => names).map(({ program }) => program);
    return judged(
      naming.length === 0,
      naming.length === 0 ? `none of ${found.length} programs` : naming.join(', '),
      loaders.map((program) => {
        const one = found.find((other) => other.program === program);
        return `${program}: ${one === undefined ? 'is not there' : one.names ? 'names it' : 'does not name it'}`;
      }),
    );
  },
};
