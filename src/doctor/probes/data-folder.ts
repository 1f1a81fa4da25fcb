import { chmodSync, lstatSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { errnoOf } from '../../base/errors.js';
import { defineProbe, failed, notHere, ok, unknown } from '../probe.js';

interface Place {
  readonly file: string;
  readonly uid: number;
  readonly mode: number;
  readonly kind: 'file' | 'folder' | 'other';
}

const maxEntries = 10_000;
/** Only who owns the data may read or write them. */
const others = 0o077;

export const dataFolder = defineProbe({
  name: 'data-folder',
  section: 'Data',
  asks: 'Does the data folder belong to the agent alone?',
  read({ dataDir, uid }) {
    try {
      return { dataDir, uid, places: placesOf(dataDir), denied: undefined };
    } catch (error) {
      const code = errnoOf(error);
      if (code === 'ENOENT') return { dataDir, uid, places: [], denied: undefined };
      if (code === 'EACCES' || code === 'EPERM') return { dataDir, uid, places: [], denied: code };
      throw error;
    }
  },
  judge({ dataDir, places, denied }) {
    if (denied !== undefined) return unknown(`${dataDir} may not be read (${denied})`, 'Use sudo.');
    const [folder] = places;
    if (folder === undefined) return notHere(`there is no ${dataDir} yet: the agent makes it`);
    if (folder.kind !== 'folder') return failed(`${dataDir} is no folder`, 'Move it away.');
    const foreign = places.filter(({ uid, kind }) => uid !== folder.uid || kind === 'other');
    const open = places.filter(isOpen);
    const lines = [
      ...foreign.map(({ file, uid, kind }) =>
        kind === 'other' ? `${file} is a link or a device` : `${file} belongs to user ${uid}`,
      ),
      ...open.map(({ file, mode }) => `${file} has mode ${mode.toString(8).padStart(4, '0')}`),
    ];
    if (foreign.length > 0)
      return failed(lines[0] ?? '', 'Find out who put it there, then remove it.', lines.slice(1));
    if (open.length > 0)
      return failed(
        `others may use what is private: ${lines[0]}`,
        '"launchwarden doctor --fix" closes it.',
        lines.slice(1),
      );
    return ok(`${dataDir} is user ${folder.uid}'s alone`);
  },
  fix: ({ places, uid }) =>
    places
      .filter((place) => isOpen(place) && place.uid === uid && place.kind !== 'other')
      .map(({ file, kind, mode }) => {
        const closed = mode & ~others;
        return {
          does: `set the mode of ${file} to ${closed.toString(8).padStart(4, '0')}`,
          run() {
            // What stands there now must be what was looked at.
            const now = lstatSync(file);
            if (now.uid !== uid || (kind === 'file' ? !now.isFile() : !now.isDirectory()))
              throw new Error('it is another one by now');
            chmodSync(file, closed);
          },
        };
      }),
});

/** The folder's own group may not read it either; sockets are judged by the folder that they stand in. */
function isOpen({ mode, kind }: Place): boolean {
  return kind !== 'other' && (mode & others) !== 0;
}

/** The folder first, then what stands in it. */
function placesOf(folder: string): Place[] {
  const places = [placeOf(folder)];
  if (places[0]?.kind !== 'folder') return places.filter((one) => one !== undefined);
  for (const name of readdirSync(folder).slice(0, maxEntries)) places.push(placeOf(path.join(folder, name)));
  return places.filter((one) => one !== undefined);
}

function placeOf(file: string): Place | undefined {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (stat === undefined || stat.isSocket()) return undefined;
  const kind = stat.isFile() ? 'file' : stat.isDirectory() ? 'folder' : 'other';
  return { file, uid: stat.uid, mode: stat.mode & 0o7777, kind };
}
