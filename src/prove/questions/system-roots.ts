import { judged, type Question } from '../question.js';

const security = '/usr/bin/security';
const keychain = '/Library/Keychains/System.keychain';

export const systemRoots: Question = {
  name: 'system-roots',
  asks: 'Does the System keychain hold certificates that the administrator has not declared trusted?',
  expected: 'none: ca = "system" takes them all, whatever their trust settings',
  programs: [security],
  async ask(system) {
    const held = await system.run(security, ['find-certificate', '-a', keychain]);
    const settings = await system.run(security, ['dump-trust-settings', '-d']);
    const labels = [...held.stdout.matchAll(/^ +"labl"<blob>=(?:0x[0-9A-F]+ +)?"(.*)"$/gm)].map(
      ([, label = '']) => label,
    );
    const trusted = new Set(
      [...settings.stdout.matchAll(/^Cert \d+: (.*)$/gm)].map(([, label = '']) => label.trim()),
    );
    const others = labels.filter((label) => !trusted.has(label));
    return judged(
      held.status === 0 && others.length === 0,
      held.status === 0
        ? `${others.length} of ${labels.length} have no setting`
        : `security find-certificate ended with ${held.status}`,
      others,
    );
  },
};
