import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { ToolAnswer } from '../../../src/base/tool.js';
import { Journal, type Undo } from '../../../src/prove/journal.js';
import { recover } from '../../../src/prove/recover.js';
import { tempFolder } from '../../helpers/run-cli.js';

/** A launchctl that forgets a job when it is booted out, unless it is stubborn. */
function fakeRun(loaded: Set<string>, stubborn = false) {
  const ran: string[] = [];
  const run = async (program: string, args: readonly string[]): Promise<ToolAnswer> => {
    ran.push([program, ...args].join(' '));
    const label = args.at(-1)?.replace(/^system\//, '') ?? '';
    if (args[0] === 'bootout' && !stubborn) loaded.delete(label);
    const status = args[0] === 'print' && !loaded.has(label) ? 113 : 0;
    return { status, stdout: program === '/bin/ps' ? '/usr/bin/eslogger\n' : '', stderr: '' };
  };
  return { run, ran };
}

const label = 'com.launchwarden.prove.3f9a01b2';
let child: ReturnType<typeof spawn> | undefined;
afterEach(() => {
  child?.kill('SIGKILL');
  child = undefined;
});

/** As a run does that is killed: the process that wrote the journal is no more. */
function killedRun(folder: string, undo: readonly Undo[], more = ''): string {
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, 'journal.ndjson');
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  const lines = undo.map((one, index) => JSON.stringify({ id: index + 1, undo: one }));
  writeFileSync(file, `${[JSON.stringify({ pid: dead }), ...lines].join('\n')}\n${more}`);
  return file;
}

describe('a run that was killed', () => {
  test('is cleaned up by the next one, the newest first, also after half a line', async () => {
    const base = tempFolder();
    const folder = path.join(base, 'launchwarden-prove-1');
    mkdirSync(path.join(folder, 'inner'), { recursive: true });
    const item = path.join(base, `${label}.plist`);
    writeFileSync(item, 'x');
    const file = killedRun(
      path.join(base, 'state'),
      [
        { kind: 'folder', path: folder },
        { kind: 'file', path: item },
        { kind: 'job', file: path.join(folder, 'x.plist'), label },
      ],
      '{"id":4,"undo":{"kind":"fol',
    );
    const { run, ran } = fakeRun(new Set([label]));
    const { undone: said, left } = await recover(new Journal(path.join(base, 'state')), run);
    expect([said.length, left]).toEqual([3, []]);
    expect(said.every((line) => line.endsWith(': done'))).toBe(true);
    expect(said[0]).toContain('launchctl bootout');
    expect([folder, item, file].filter((one) => existsSync(one))).toEqual([]);
    expect(ran).toContain(`/bin/launchctl bootout system ${path.join(folder, 'x.plist')}`);
    expect(ran).toContain(`/bin/launchctl bootout system/${label}`);
  });

  test('what was struck out is left alone', async () => {
    const base = tempFolder();
    const kept = path.join(base, 'launchwarden-prove-1');
    mkdirSync(kept);
    killedRun(path.join(base, 'state'), [{ kind: 'folder', path: kept }], '{"done":1}\n');
    expect(await recover(new Journal(path.join(base, 'state')), fakeRun(new Set()).run)).toEqual({
      undone: [],
      left: [],
    });
    expect(existsSync(kept)).toBe(true);
  });

  test('what cannot be undone is told, and stays journaled', async () => {
    const base = tempFolder();
    const place = path.join(base, 'launchwarden-prove-1');
    writeFileSync(place, 'a file in its place');
    killedRun(path.join(base, 'state'), [{ kind: 'folder', path: place }]);
    const journal = new Journal(path.join(base, 'state'));
    expect(await recover(journal, fakeRun(new Set()).run)).toEqual({
      undone: [],
      left: [`remove the folder ${place}: it is no folder any more`],
    });
    journal.close();
    expect(new Journal(path.join(base, 'state')).left(() => false)).toEqual([
      { kind: 'folder', path: place },
    ]);
  });

  test('nothing that is not ours is undone, whatever the journal says', async () => {
    const base = tempFolder();
    const other = path.join(base, 'other');
    mkdirSync(other);
    const outside = path.join(base, 'outside');
    mkdirSync(outside);
    const link = path.join(base, 'launchwarden-prove-link');
    symlinkSync(outside, link);
    killedRun(path.join(base, 'state'), [
      { kind: 'folder', path: other },
      { kind: 'folder', path: link },
      { kind: 'file', path: path.join(base, 'com.apple.x.plist') },
      { kind: 'job', file: '/x', label: 'com.apple.x' },
      { kind: 'process', pid: 1, program: '/sbin/launchd' },
      'nonsense' as never,
    ]);
    const { run, ran } = fakeRun(new Set());
    await recover(new Journal(path.join(base, 'state')), run);
    expect([other, outside].filter((one) => !existsSync(one))).toEqual([]);
    expect(ran).toEqual([]);
  });

  test('a process that is another program by now is left alone', async () => {
    child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const { run } = fakeRun(new Set());
    const end = (program: string) => {
      const base = tempFolder();
      killedRun(base, [{ kind: 'process', pid: child?.pid ?? 0, program }]);
      return recover(new Journal(base), run);
    };
    await end('/usr/bin/other');
    expect(child.exitCode ?? child.signalCode).toBeNull();
    const exited = new Promise((resolve) => child?.once('exit', (_code, signal) => resolve(signal)));
    await end('/usr/bin/eslogger');
    expect(await exited).toBe('SIGKILL');
  });
});

describe('the journal', () => {
  test('of a run that still runs is left alone', async () => {
    child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const base = tempFolder();
    writeFileSync(path.join(base, 'journal.ndjson'), `{"pid":${child.pid}}\n`);
    await expect(recover(new Journal(base), fakeRun(new Set()).run)).rejects.toMatchObject({
      code: 'prove/running',
    });
  });

  test('that others could have written is not followed', async () => {
    const base = tempFolder();
    const file = killedRun(path.join(base, 'one'), []);
    linkSync(file, path.join(base, 'second-name'));
    const { run } = fakeRun(new Set());
    await expect(recover(new Journal(path.join(base, 'one')), run)).rejects.toMatchObject({
      code: 'prove/unsafe-journal',
    });
    mkdirSync(path.join(base, 'two'));
    symlinkSync(file, path.join(base, 'two', 'journal.ndjson'));
    await expect(recover(new Journal(path.join(base, 'two')), run)).rejects.toMatchObject({
      code: 'prove/unsafe-journal',
    });
  });

  test('is on the disk before the deed, and goes with its folders when all is undone', () => {
    const base = tempFolder();
    const folder = path.join(base, 'data', 'prove');
    const journal = new Journal(folder);
    const id = journal.add({ kind: 'file', path: '/x/com.launchwarden.prove.1.plist' });
    expect(readFileSync(path.join(folder, 'journal.ndjson'), 'utf8')).toContain('com.launchwarden.prove.1');
    journal.done(id);
    journal.close();
    expect(existsSync(path.join(base, 'data'))).toBe(false);
  });

  test('that cannot be written keeps the deed from being done', () => {
    const base = tempFolder();
    const place = path.join(base, 'prove');
    writeFileSync(place, 'a file in its place');
    chmodSync(place, 0o600);
    expect(() => new Journal(place).add({ kind: 'file', path: '/x' })).toThrow(
      expect.objectContaining({ code: 'prove/no-journal' }),
    );
  });
});
