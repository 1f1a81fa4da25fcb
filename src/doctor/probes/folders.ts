import { lstatSync } from 'node:fs';
import { placed, placeFolder, places } from '../../install/index.js';
import { jobOnDisk } from '../job-file.js';
import { defineProbe, failed, notHere, ok } from '../probe.js';

export const folders = defineProbe({
  name: 'folders',
  section: 'Data',
  asks: 'Are the folders that the job needs there?',
  read(system) {
    const root = system.root.simulated ? system.root.root : undefined;
    const all = [places.home, places.logs].map((macPath) => {
      const place = placed(macPath, root);
      const stat = lstatSync(place, { throwIfNoEntry: false });
      return {
        place,
        there: stat !== undefined,
        folder: stat?.isDirectory() === true,
        mode: (stat?.mode ?? 0) & 0o022,
      };
    });
    const mac = system.platform === 'darwin' || root !== undefined;
    return { mac, installed: jobOnDisk(system).state !== 'none', all };
  },
  judge({ mac, installed, all }) {
    if (!mac || !installed) return notHere('the job is not installed here');
    const missing = all.filter(({ there }) => !there);
    const odd = all.filter(({ there, folder }) => there && !folder);
    const open = all.filter(({ folder, mode }) => folder && mode !== 0);
    if (odd.length > 0) return failed(`${odd[0]?.place} is no folder`, 'Move away what stands there.');
    if (missing.length > 0)
      return failed(
        `there is no ${missing.map(({ place }) => place).join(', no ')}`,
        '"launchwarden doctor --fix" makes it.',
      );
    if (open.length > 0)
      return failed(`others may write to ${open[0]?.place}`, `"sudo chmod go-w '${open[0]?.place}'"`);
    return ok(all.map(({ place }) => place).join(', '));
  },
  fix: ({ all }, { root }) =>
    all
      .filter(({ there }) => !there)
      .map(({ place }) => ({
        does: `make the folder ${place} (0755)`,
        run: () => void placeFolder(place, root.simulated ? root.root : undefined),
      })),
});
