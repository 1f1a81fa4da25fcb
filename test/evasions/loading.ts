import { waitFor } from '../simulation/mac.js';
import { fileDocument, loadDocument } from './documents.js';
import type { Evasion } from './evasion.js';

/** What gets around the sight of the load: numbers 1 to 15. */
export const loading: readonly Evasion[] = [
  {
    number: 1,
    name: 'launchctl bootstrap instead of load',
    async play(attacker) {
      attacker.write(attacker.plist);
      await attacker.launchctl(['bootstrap', 'gui/0', attacker.host(attacker.plist)]);
    },
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 2,
    name: 'launchctl submit: a job without a list',
    async play(attacker) {
      attacker.loadedUnseen('gui/0', attacker.label, '(submitted by launchctl.501)');
      await attacker.launchctl(['submit', '-l', attacker.label, '--', '/private/tmp/x']);
    },
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 3,
    name: 'kickstart, enable, start, asuser ... load',
    async play(attacker) {
      attacker.write(attacker.plist);
      await attacker.launchctl(['enable', `gui/0/${attacker.label}`]);
      await attacker.launchctl(['kickstart', '-k', `gui/0/${attacker.label}.kick`]);
      await attacker.launchctl(['start', `${attacker.label}.start`]);
      await attacker.launchctl(['asuser', '0', 'launchctl', 'load', attacker.host(attacker.plist)]);
    },
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 4,
    name: 'loaded after 61 seconds, and after ten minutes',
    capture: (tier, label) =>
      [61, 600].flatMap((wait) => {
        const list = `/Users/u04/Library/LaunchAgents/${label}.${wait}.plist`;
        return [fileDocument(tier, 0, list), loadDocument(tier, wait, list)];
      }),
    marks: ({ label }) => [`${label}.61`, `${label}.600`],
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 5,
    name: 'never loaded: waits for the next login',
    play: (attacker) => attacker.write(attacker.plist),
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 6,
    name: 'launchctl copied under another name',
    async play(attacker) {
      const copy = `/private/tmp/${attacker.label}`;
      attacker.install(copy);
      attacker.write(attacker.plist);
      attacker.loadedUnseen('gui/0', attacker.label, attacker.plist);
      await attacker.exec(copy, ['load', attacker.host(attacker.plist)], {
        signingId: 'com.apple.xpc.launchctl',
      });
    },
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 7,
    name: 'launchctl through a link, or in other case',
    async play(attacker) {
      const link = `/private/tmp/${attacker.label}-link`;
      attacker.symlink('/bin/launchctl', link);
      attacker.write(attacker.plist);
      await attacker.launchctl(['load', attacker.host(attacker.plist)], {
        program: attacker.host(link),
        called: link,
      });
    },
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 8,
    name: 'a program that speaks to launchd itself',
    play(attacker) {
      attacker.write(attacker.plist);
      attacker.loadedUnseen('gui/0', attacker.label, attacker.plist);
      attacker.toldXpcproxy(attacker.label);
    },
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 9,
    name: 'SMAppService: a list inside an app',
    play(attacker) {
      const app = `/Applications/${attacker.label}.app`;
      const inside = `Contents/Library/LaunchAgents/${attacker.label}.plist`;
      attacker.write(`${app}/Contents/MacOS/run`, 'x');
      attacker.write(`${app}/${inside}`);
      attacker.loadedUnseen('gui/0', attacker.label, `${app}/${inside}`);
      attacker.toldItem(inside, { appUrl: `file://${attacker.host(app)}/`, legacy: false });
    },
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 10,
    name: 'a folder, or a relative path, is loaded',
    async play(attacker) {
      attacker.write(attacker.plist);
      await attacker.launchctl(['load', attacker.host(attacker.agents)]);
      await attacker.launchctl(['load', `${attacker.label}.plist`], { cwd: attacker.agents });
    },
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 11,
    name: 'a list outside of the launch folders is loaded',
    async play(attacker) {
      const list = `/private/tmp/${attacker.label}.plist`;
      attacker.write(list);
      await attacker.launchctl(['load', attacker.host(list)]);
    },
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 12,
    name: 'launchctl lives shorter than a poll',
    async play(attacker) {
      attacker.write(attacker.plist);
      await attacker.launchctl(['load', attacker.host(attacker.plist)], { lifetimeMs: 0 });
    },
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 13,
    name: 'a placeholder is loaded, and edited afterwards',
    async play(attacker) {
      attacker.write(attacker.plist);
      await attacker.launchctl(['load', attacker.host(attacker.plist)]);
      attacker.write(attacker.plist, attacker.list(['/private/tmp/evader13-second']));
    },
    marks: () => ['evader13-second'],
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 14,
    name: 'commands by standard input of launchctl',
    async play(attacker) {
      const list = `/private/tmp/${attacker.label}.plist`;
      attacker.write(list);
      attacker.loadedUnseen('gui/0', attacker.label, list);
      await attacker.launchctl([], { input: `load ${list}\n`, cwd: attacker.home });
    },
    marks: (attacker) => [attacker.home],
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 15,
    name: 'the program that a list names is swapped',
    before(attacker) {
      const program = `/usr/local/${attacker.label}/run`;
      attacker.write(program, 'good');
      attacker.write(attacker.plist, attacker.list([program]));
    },
    async play(attacker, { agent }) {
      // An attacker has the time.
      await waitFor('the first inventory', async () => {
        const { inventory } = (await agent.status()) as unknown as { inventory: { scans: number } };
        return inventory.scans > 0 ? true : undefined;
      });
      attacker.write(`/usr/local/${attacker.label}/run`, 'evil');
    },
    expected: { scan: 'detected', eslogger: 'detected' },
  },
];
