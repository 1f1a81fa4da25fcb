import { judged, notAsked, type Question } from '../question.js';

const mount = '/sbin/mount';

export const volumes: Question = {
  name: 'volumes',
  asks: 'Does the addon name the mounted volumes, and which of them are of this machine?',
  expected: 'the same paths that mount names, "local" where mount says so',
  needs: ['mac-addon'],
  programs: [mount],
  async ask(system) {
    const addon = system.addon();
    const told = addon.state === 'loaded' ? addon.addon.mountedVolumes?.() : undefined;
    if (told === undefined) return notAsked('this addon does not list volumes');
    const { stdout } = await system.run(mount, []);
    const listed = new Map<string, boolean>();
    for (const line of stdout.split('\n')) {
      const [, path, words] = /^.* on (\/.*) \(([^()]*)\)$/.exec(line) ?? [];
      if (path !== undefined && words !== undefined) listed.set(path, words.split(', ').includes('local'));
    }
    const ours = new Map(told.map(({ path, local }) => [path, local]));
    const names = [...new Set([...listed.keys(), ...ours.keys()])];
    const wrong = names.filter((path) => listed.get(path) !== ours.get(path));
    return judged(
      wrong.length === 0 && listed.size > 0,
      `${names.length - wrong.length} of ${names.length} volumes alike`,
      wrong.map((path) => `${path}: mount says ${word(listed.get(path))}, the addon ${word(ours.get(path))}`),
    );
  },
};

function word(local: boolean | undefined): string {
  return local === undefined ? 'nothing' : local ? 'local' : 'remote';
}
