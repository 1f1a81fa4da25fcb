import { jobLabel } from '../../install/index.js';
import { readPrintDisabled } from '../../mechanisms/launchd/index.js';
import { jobOnDisk } from '../job-file.js';
import { defineProbe, failed, notHere, ok, unknown } from '../probe.js';

const launchctl = '/bin/launchctl';
const sfltool = '/usr/bin/sfltool';

export const loginItem = defineProbe({
  name: 'login-item',
  section: 'Job',
  asks: 'Did somebody switch the agent off, in Login Items or by launchctl disable?',
  async read(system) {
    const mac = system.platform === 'darwin' || system.root.simulated;
    const installed = jobOnDisk(system).state !== 'none';
    if (!mac || !installed) return { mac, installed };
    const disabled = system.has(launchctl)
      ? readPrintDisabled(await system.run(launchctl, ['print-disabled', 'system']))?.get(jobLabel)
      : undefined;
    const asked = system.has(launchctl);
    const list = system.has(sfltool) ? await system.run(sfltool, ['dumpbtm']) : undefined;
    const disposition = list?.status === 0 ? dispositionIn(list.stdout) : undefined;
    return { mac, installed, asked, disabled, listed: list?.status === 0, disposition };
  },
  judge({ mac, installed, asked, disabled, listed, disposition }) {
    if (!mac) return notHere('there are no login items here');
    if (!installed) return notHere('the job is not installed here');
    if (disabled === true)
      return failed(
        'launchctl has disabled the job',
        `"sudo launchctl enable system/${jobLabel}", then "sudo launchwarden install".`,
      );
    if (disposition !== undefined && /dis(?:allowed|abled)/.test(disposition))
      return failed(
        `it is switched off in Login Items: ${disposition}`,
        'Switch it on in System Settings, General, Login Items & Extensions, or have MDM manage it (docs/install.md).',
      );
    if (disposition !== undefined) return ok(`switched on: ${disposition}`);
    if (asked === true && listed !== true)
      return unknown(
        `launchctl has not disabled it; the list of background items could not be read (${sfltool} dumpbtm)`,
        'Use sudo.',
      );
    if (asked !== true) return notHere('the tree has no launchctl');
    return unknown(`${jobLabel} is not in the list of background items`);
  },
});

/** Of our own item in what `sfltool dumpbtm` prints: `[enabled, allowed, notified] (11)`. */
function dispositionIn(text: string): string | undefined {
  for (const block of text.split(/\n(?=\s*#\d+:)/)) {
    if (!/^\s*Identifier: (?:\d+\.)?com\.launchwarden\.agent\s*$/m.test(block)) continue;
    return /^\s*Disposition: (.{1,200})$/m.exec(block)?.[1]?.trim();
  }
  return undefined;
}
