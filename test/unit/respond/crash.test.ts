import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { allResponses, quarantined, type Response } from '../../../src/respond/index.js';
import { fuzzRuns } from '../../helpers/fuzz-runs.js';
import { noAddon, type RespondPlace, respondPlace } from '../../helpers/respond-place.js';

const run = promisify(execFile);
const helpers = path.resolve(import.meta.dirname, '../../helpers');
const list = '/Users/alice/Library/LaunchAgents/com.example.x.plist';
const bundle = '/Library/DirectoryServices/PlugIns/x.dsplug';

/** True when it came to its end before the point was reached. */
async function child(place: RespondPlace, at: number, ...verb: readonly string[]): Promise<boolean> {
  const script = [path.join(helpers, 'typescript.mjs'), path.join(helpers, 'respond-child.ts')];
  try {
    const { stdout } = await run(process.execPath, [
      ...['--import', script[0]!, script[1]!, place.root, place.dataDir, String(at), ...verb],
    ]);
    return stdout.includes('left');
  } catch (error) {
    expect((error as { signal?: string }).signal, String((error as { stderr?: string }).stderr)).toBe(
      'SIGKILL',
    );
    return false;
  }
}

function plant(place: RespondPlace): void {
  for (const one of [list, bundle]) rmSync(place.host(one), { recursive: true, force: true });
  writeFileSync(place.host(list), 'list');
  mkdirSync(path.join(place.host(bundle), 'Contents'), { recursive: true });
  writeFileSync(path.join(place.host(bundle), 'Contents/x'), 'bundle');
}

/** What the next start does: finishes what is under way. */
async function recover(place: RespondPlace): Promise<Response | undefined> {
  for (const response of allResponses(place.dataDir)) await place.engine.recover(response);
  const [response] = allResponses(place.dataDir);
  expect(['running', 'undoing']).not.toContain(response?.state);
  return response;
}

/** Each object is in one place alone, whole, with nothing left beside it. */
function check(place: RespondPlace, response: Response | undefined): 'outside' | 'inside' {
  const boxes = new Map(
    (response === undefined ? [] : quarantined(response)).map((one) => [one.path, one.box]),
  );
  const inside = [list, bundle].map((macPath) => {
    const box = boxes.get(macPath);
    const boxed =
      box === undefined ? undefined : path.join(place.dataDir, 'respond/quarantine', box, 'object');
    expect(existsSync(place.host(macPath))).toBe(boxed === undefined);
    const at = boxed ?? place.host(macPath);
    expect(readFileSync(macPath === list ? at : path.join(at, 'Contents/x'), 'utf8')).toBe(
      macPath === list ? 'list' : 'bundle',
    );
    return boxed !== undefined;
  });
  for (const folder of [list, bundle].map((one) => path.dirname(place.host(one))))
    expect(readdirSync(folder).filter((name) => name.startsWith('.launchwarden'))).toEqual([]);
  expect(new Set(inside).size).toBe(1);
  return inside[0] === true ? 'inside' : 'outside';
}

describe.skipIf(noAddon !== undefined)('a response that is killed', () => {
  const volumes: [string, string | undefined][] = [
    ['the same volume', undefined],
    ...(existsSync('/dev/shm') ? [['another volume', '/dev/shm'] as [string, string]] : []),
  ];

  test.each(volumes)(
    'property: at any point, with a quarantine on %s, is finished by the next start',
    async (_, dataIn) => {
      const place = respondPlace(dataIn === undefined ? {} : { dataIn });
      // A few points in the usual run, all of them in a long one.
      const next = (at: number) => (fuzzRuns(1) > 1 ? at + 1 : Math.ceil(at * 1.7) + 1);
      let ended = false;
      let cutOff = 0;
      let undoCutOff = 0;
      for (let at = 1; !ended && at < 200; at = next(at)) {
        plant(place);
        rmSync(path.join(place.dataDir, 'respond'), { recursive: true, force: true });
        ended = await child(place, at, 'run', list, bundle);
        const response = await recover(place);
        // Killed before the plan was written down, it has never been.
        if (response === undefined) expect(check(place, undefined)).toBe('outside');
        else expect(check(place, response)).toBe('inside');
        if (!ended) cutOff++;
        if (response === undefined) continue;
        const undone = await child(place, Math.max(1, at), 'undo', response.id);
        const begun = allResponses(place.dataDir)[0]?.state === 'undoing';
        const after = await recover(place);
        if (begun) undoCutOff++;
        // Once it was journaled it is carried through.
        if (begun) expect(after?.state).toBe('undone');
        if (undone || after?.state === 'undone') expect(check(place, after)).toBe('outside');
        else expect(check(place, after)).toBe('inside');
      }
      expect(ended).toBe(true);
      expect(cutOff).toBeGreaterThan(2);
      expect(undoCutOff).toBeGreaterThan(1);
    },
    fuzzRuns(1) > 1 ? 900_000 : 180_000,
  );
});
