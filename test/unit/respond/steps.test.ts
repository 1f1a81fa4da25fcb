import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { sha256Hex } from '../../../src/base/digest.js';
import {
  bootOutPlan,
  Engine,
  isIsolating,
  isolatePlan,
  keepIsolated,
  type Plan,
  quarantinePlan,
  rehearse,
  restartDirectoryServicePlan,
  restorePlan,
  type Step,
  stopPlan,
  stopProcessPlan,
  type Target,
  targetOfAlert,
} from '../../../src/respond/index.js';
import type { SeenState } from '../../../src/store/index.js';
import { noAddon, type RespondPlace, respondPlace } from '../../helpers/respond-place.js';
import { standInLaunchctlProgram } from '../../helpers/stand-in-launchctl.js';
import { standInPf } from '../../helpers/stand-in-pf.js';
import { waitFor } from '../../simulation/mac.js';
import { detection, fileEvent } from '../cli/alert-fixture.js';

// Real processes and a real disk, on a machine that may have much else to do.
vi.setConfig({ testTimeout: 120_000 });

const list = '/Library/LaunchAgents/com.example.x.plist';
const by = { author: 'tester' };

function planOf(...steps: readonly Step[]): Plan {
  return { verb: 'test', about: list, steps, watch: [], remarks: [] };
}

function targetAt(macPath: string, more: Partial<Target> = {}): Target {
  return { path: macPath, expect: {}, runs: [], programs: [], ...more };
}

function plant(place: RespondPlace, macPath: string, text = 'evil'): string {
  const file = place.host(macPath);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

/** A process of our own, ended with the test. */
function started(program: string, args: readonly string[]): ChildProcess {
  const child = spawn(program, [...args], { stdio: 'ignore', detached: true });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

describe.skipIf(noAddon !== undefined)('what stops a quarantine', () => {
  test('a program that is refused, or was never there, keeps no other from being moved', async () => {
    const place = respondPlace();
    const [real, odd] = ['/opt/evil/real', '/opt/evil/odd'];
    for (const one of [list, real, odd]) plant(place, one);
    const steps: Step[] = ['/no/such/folder/x', odd, real].map((one) => ({
      kind: 'quarantine',
      path: one,
      expect: { sha256: sha256Hex(one === odd ? 'other' : 'evil') },
    }));
    const response = await place.engine.run(
      planOf({ kind: 'quarantine', path: list, expect: {} }, ...steps),
      by,
    );
    expect(response.records.map(({ state }) => state)).toEqual(['done', 'nothing', 'refused', 'done']);
    expect(existsSync(place.host(odd))).toBe(true);
  });

  test('a program of /tmp is one program, whichever way the list and the agent spell it', () => {
    const place = respondPlace();
    const hers = '/Users/alice/Library/LaunchAgents/com.example.x.plist';
    const event = fileEvent('f', { path: hers });
    event.doc.launchwarden = {
      ...event.doc.launchwarden,
      persistence: {
        item_id: 'i',
        mechanism: 'launch-agent',
        path: hers,
        runs: ['/private/tmp/x', '/tmp/x'],
      },
    };
    const { alert } = place.store.alerts.upsert(
      detection({ events: [event], candidates: [] }),
      { version: '1', agentId: 'a', created: 2, sensors: [], simulated: true },
      [],
    );
    const target = targetOfAlert(alert, place.store);
    expect(target.programs.map((one) => one.path)).toEqual(['/private/tmp/x']);
    // It was quarantined in one line, and said to stay in another.
    expect(quarantinePlan(target)).toMatchObject({
      steps: [{ path: hers }, { path: '/private/tmp/x' }],
      remarks: [],
    });
  });

  test('a link fits its evidence as long as it leads where it led; what it leads to goes too', async () => {
    const place = respondPlace();
    const [item, link, behind] = [list, '/Users/Shared/evil', '/Users/Shared/v1/evil'];
    plant(place, item);
    plant(place, behind);
    symlinkSync('v1/evil', place.host(link));
    const seen = (macPath: string, more: Partial<SeenState>): SeenState => ({
      ...{ path: macPath, kind: 'program', type: 'file', sha256: sha256Hex('evil'), size: 4, mode: 0o755 },
      ...{ uid: 0, gid: 0, mtime: 1n, ctime: 1n },
      ...more,
    });
    place.store.versions.record([{ state: seen(link, { type: 'symlink', link: 'v1/evil' }), of: [] }], 1);
    const event = fileEvent('f', { path: item });
    event.doc.launchwarden = {
      ...event.doc.launchwarden,
      persistence: { item_id: 'i', mechanism: 'launch-agent', path: item, runs: [link] },
    };
    const { alert } = place.store.alerts.upsert(
      detection({ events: [event], candidates: [] }),
      { version: '1', agentId: 'a', created: 2, sensors: [], simulated: true },
      [],
    );
    const { programs } = targetOfAlert({ ...alert, updated: Number.MAX_SAFE_INTEGER }, place.store);
    expect(programs).toMatchObject([
      { path: link, expect: { link: behind } },
      { path: behind, expect: { sha256: sha256Hex('evil') } },
    ]);
    const plan = quarantinePlan(targetAt(item, { programs }));
    const done = await place.engine.run(plan, by);
    expect(done.records.map(({ state }) => state)).toEqual(['done', 'done', 'done']);
    expect((await place.engine.undo(done, by)).state).toBe('undone');
    renameSync(place.host(link), place.host(`${link}.away`));
    symlinkSync('/Users/alice/letter', place.host(link));
    const other = await place.engine.run(plan, by);
    expect(other.records.map(({ state }) => state)).toEqual(['done', 'refused', 'done']);
    expect(other.records[1]?.says).toContain('leads to /Users/alice/letter');
  });

  test('a folder that an item names as its program stays', async () => {
    const place = respondPlace();
    plant(place, '/Users/alice/Documents/letter');
    const step: Step = { kind: 'quarantine', path: '/Users/alice/Documents', expect: {}, named: true };
    const response = await place.engine.run(planOf(step), by);
    expect(response.records[0]).toMatchObject({ state: 'refused' });
  });

  test('a hash that a person accepts counts for a program too', async () => {
    const place = respondPlace();
    for (const one of [list, '/opt/evil/x']) plant(place, one);
    const accepted = { sha256: sha256Hex('before'), orSha256: sha256Hex('evil') };
    const step: Step = { kind: 'quarantine', path: '/opt/evil/x', expect: accepted };
    const response = await place.engine.run(planOf(step), by);
    expect(response.state).toBe('done');
  });

  test('neither a home, nor the system, nor the data folder is moved, whoever asks', async () => {
    const place = respondPlace();
    plant(place, '/Users/alice/x');
    for (const one of ['/Users/alice', '/Users', '/']) {
      const [outcome] = await rehearse(planOf({ kind: 'quarantine', path: one, expect: {} }), place.machine);
      expect(outcome?.state).toBe('refused');
    }
  });

  test('another content or inode than the evidence is left alone, and said with the hash that forces it', async () => {
    const place = respondPlace();
    const file = plant(place, list);
    const changed = await place.engine.run(
      planOf(
        { kind: 'quarantine', path: list, expect: { sha256: sha256Hex('before') } },
        { kind: 'quarantine', path: list, expect: {} },
      ),
      by,
    );
    expect(changed.state).toBe('failed');
    expect(changed.records.map(({ state }) => state)).toEqual(['refused', 'nothing']);
    expect(changed.records[0]?.says).toContain(`--force ${sha256Hex('evil')}`);
    expect(readFileSync(file, 'utf8')).toBe('evil');
    const exchanged = await place.engine.run(
      planOf({ kind: 'quarantine', path: list, expect: { ino: '1' } }),
      by,
    );
    expect(exchanged.records[0]).toMatchObject({ state: 'refused' });
    expect(exchanged.records[0]?.says).toContain('another object');
    const forced = await place.engine.run(
      planOf({ kind: 'quarantine', path: list, expect: { sha256: sha256Hex('evil') } }),
      by,
    );
    expect(forced.state).toBe('done');
    expect(existsSync(file)).toBe(false);
  });

  test('a link on the way is not followed; a link itself is moved as one', async () => {
    const place = respondPlace();
    const victim = plant(place, '/victims/com.example.x.plist', 'victim');
    symlinkSync(path.dirname(victim), place.host('/Library/Linked'));
    const through = await place.engine.run(
      planOf({ kind: 'quarantine', path: '/Library/Linked/com.example.x.plist', expect: {} }),
      by,
    );
    expect(through.records[0]).toMatchObject({ state: 'refused' });
    expect(through.records[0]?.says).toContain('symbolic link');
    symlinkSync(victim, place.host(list));
    const itself = await place.engine.run(planOf({ kind: 'quarantine', path: list, expect: {} }), by);
    expect(itself.state).toBe('done');
    expect(readFileSync(victim, 'utf8')).toBe('victim');
    expect((await place.engine.undo(itself, by)).state).toBe('undone');
    expect(lstatSync(place.host(list)).isSymbolicLink()).toBe(true);
  });

  test.each([
    '/System/Library/LaunchAgents/com.apple.x.plist',
    '/usr/libexec/x',
    '/Library/Apple/System/Library/LaunchDaemons/x.plist',
  ])('%s is protected, and why is said', async (macPath) => {
    const place = respondPlace();
    const file = plant(place, macPath);
    const [outcome] = await rehearse(
      planOf({ kind: 'quarantine', path: macPath, expect: {} }),
      place.machine,
    );
    expect(outcome).toMatchObject({ state: 'refused' });
    expect(outcome?.says).toContain('System Integrity Protection');
    expect(existsSync(file)).toBe(true);
  });

  test('what is said names macOS paths, not those of the tree', async () => {
    const place = respondPlace();
    symlinkSync('/nowhere', place.host('/Library/Linked'));
    plant(place, '/opt/evil/x');
    const files = new Proxy(place.machine.files, {
      get: (target, name) =>
        name === 'openFile'
          ? () => {
              throw new Error(`EIO: i/o error, open '${place.host('/opt/evil/x')}'`);
            }
          : (Reflect.get(target, name) as unknown),
    });
    const machine = Object.create(place.machine, { files: { value: files } });
    const paths = ['/Library/Linked/x', '/opt/none/x', '/opt/evil/x'];
    const steps = paths.map((one) => ({ kind: 'quarantine', path: one, expect: {} }) as const);
    const said = (await rehearse(planOf(...steps), machine)).map(({ says }) => says);
    expect(said.join('\n')).not.toContain(place.root);
    expect(said[0]).toContain('/Library/Linked, on the way to /Library/Linked/x, is a symbolic link');
    expect(said[1]).toContain('there is no folder /opt/none');
    expect(said[2]).toContain("open '/opt/evil/x'");
  });

  test('other names of a file are said', async () => {
    const place = respondPlace();
    linkSync(plant(place, list), place.host('/Library/other-name'));
    const response = await place.engine.run(planOf({ kind: 'quarantine', path: list, expect: {} }), by);
    expect(response.records[0]?.says).toContain('1 other name (hard links)');
  });

  test('undoing puts nothing where something else stands, nor what is not what was put there', async () => {
    const place = respondPlace();
    const file = plant(place, list);
    const response = await place.engine.run(planOf({ kind: 'quarantine', path: list, expect: {} }), by);
    plant(place, list, 'planted again');
    const refused = await place.engine.undo(response, by);
    expect(refused.state).toBe('partly undone');
    expect(refused.records[0]?.undo).toMatchObject({ state: 'refused' });
    expect(readFileSync(file, 'utf8')).toBe('planted again');
    renameSync(file, `${file}.away`);
    const boxed = path.join(place.dataDir, 'respond/quarantine', `${response.id}-0`, 'object');
    writeFileSync(boxed, 'tampered');
    expect((await place.engine.undo(refused, by)).records[0]?.undo).toMatchObject({ state: 'refused' });
    writeFileSync(boxed, 'evil');
    expect((await place.engine.undo(refused, by)).state).toBe('undone');
    expect(readFileSync(file, 'utf8')).toBe('evil');
  });
});

describe.skipIf(noAddon !== undefined || !existsSync('/dev/shm'))('a quarantine on another volume', () => {
  const bundle = '/Library/DirectoryServices/PlugIns/x.dsplug';

  test('a pipe in a bundle is no obstacle: it is left out, and said', async () => {
    const place = respondPlace({ dataIn: '/dev/shm' });
    const inside = plant(place, `${bundle}/Contents/x`);
    spawnSync('mkfifo', [path.join(path.dirname(inside), 'pipe')]);
    const response = await place.engine.run(planOf({ kind: 'quarantine', path: bundle, expect: {} }), by);
    expect(response.state).toBe('done');
    expect(response.records[0]?.says).toContain('nothing that could be copied: Contents/pipe (fifo)');
    expect(response.records[0]?.says).not.toContain('its content changed');
    expect(existsSync(place.host(bundle))).toBe(false);
    expect((await place.engine.undo(response, by)).state).toBe('undone');
    expect(readFileSync(inside, 'utf8')).toBe('evil');
  });

  test('undoing that fails on the way leaves nothing beside the place, and goes well later', async () => {
    const place = respondPlace({ dataIn: '/dev/shm' });
    const file = plant(place, list);
    const done = await place.engine.run(planOf({ kind: 'quarantine', path: list, expect: {} }), by);
    const files = new Proxy(place.machine.files, {
      get: (target, name) =>
        name === 'copyMetadata'
          ? () => {
              throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
            }
          : (Reflect.get(target, name) as unknown),
    });
    const full = new Engine({
      machine: Object.create(place.machine, { files: { value: files } }),
      tell: async () => {},
    });
    const failed = await full.undo(done, by);
    expect(failed.records[0]?.undo).toMatchObject({ state: 'failed' });
    expect(readdirSync(path.dirname(file))).toEqual([]);
    expect((await place.engine.undo(failed, by)).state).toBe('undone');
    expect(readFileSync(file, 'utf8')).toBe('evil');
  });
});

describe.skipIf(noAddon !== undefined)('ending processes', () => {
  test('ends a process with all that it started, and no other one', async () => {
    const place = respondPlace();
    const parent = started('/bin/sh', ['-c', 'sleep 1000 & (sleep 1000 & sleep 1000) & wait']);
    const bystander = started('/bin/sh', ['-c', 'sleep 1000; true']);
    const pid = parent.pid as number;
    await waitFor('the children', () => (tree(place, pid).length >= 4 ? true : undefined));
    const before = tree(place, pid);
    const response = await place.engine.run(stopProcessPlan(pid, place.machine), by);
    expect(response.records[0]).toMatchObject({ state: 'done' });
    expect(place.machine.processes(before)).toEqual([]);
    expect(place.machine.processes([bystander.pid as number])).toHaveLength(1);
    const undone = await place.engine.undo(response, by);
    expect(undone.state).toBe('partly undone');
    expect(undone.records[0]?.undo?.says).toContain('not started again');
  });

  test('a pid that belongs to another process by now is left alone', async () => {
    const place = respondPlace();
    const child = started('/bin/sh', ['-c', 'sleep 1000; true']);
    const pid = child.pid as number;
    const [now] = await waitFor('the process', () => found(place, pid));
    const stale = { pid, startKey: '1', uid: 0, executable: now?.executable ?? '' };
    const other = { pid, startKey: now?.startKey ?? '', uid: 0, executable: '/another/program' };
    for (const one of [stale, other]) {
      const response = await place.engine.run(planOf({ kind: 'stop', processes: [one] }), by);
      expect(response.records[0]).toMatchObject({ state: 'nothing' });
    }
    expect(place.machine.processes([pid])).toHaveLength(1);
  });

  test('what runs the item is found by its image or its script, never by its name', async () => {
    const place = respondPlace();
    const script = plant(place, '/Users/Shared/evil.sh', 'sleep 1000; true');
    const reader = started('/usr/bin/tail', ['-f', script]);
    const runner = started('/bin/sh', [script]);
    await waitFor('both', () => found(place, runner.pid as number) && found(place, reader.pid as number));
    const target = targetAt(list, { programs: [{ path: '/Users/Shared/evil.sh', expect: {} }] });
    const plan = await waitFor('the script to be seen', async () => {
      const made = await stopPlan(target, place.machine);
      // Until its own child has become another program there are two.
      const [step] = made.steps;
      return step?.kind === 'stop' && step.processes.length === 1 ? made : undefined;
    });
    expect(plan.steps).toMatchObject([{ kind: 'stop', processes: [{ pid: runner.pid }] }]);
  });

  test('a program that was renamed or copied while it ran is known by what it is', async () => {
    const place = respondPlace();
    const [old, now, copy] = ['/Users/Shared/evil', '/Users/Shared/.cache/renamed', '/Users/Shared/copy'];
    const file = plant(place, old, '');
    copyFileSync('/bin/sleep', file);
    chmodSync(file, 0o755);
    const bytes = readFileSync(file);
    mkdirSync(path.dirname(place.host(now)), { recursive: true });
    copyFileSync(file, place.host(copy));
    const runners = [started(file, ['1000']), started(place.host(copy), ['1000'])];
    const bystander = started('/bin/sleep', ['1000']);
    for (const { pid } of [...runners, bystander])
      await waitFor('the program', () =>
        found(place, pid as number)?.some(({ executable = '' }) => !executable.includes('node')),
      );
    renameSync(file, place.host(now));
    const image = { size: bytes.length, sha256: sha256Hex(bytes) };
    const programs = [{ path: old, expect: {}, images: [image] }];
    const plan = await stopPlan(targetAt(list, { programs }), place.machine);
    expect(stopped(plan)).toEqual(runners.map(({ pid }) => pid).sort());
    expect(plan.remarks.join()).toContain(`under another name: ${now}`);
    const { ino } = lstatSync(place.host(now));
    const byInode = [{ path: old, expect: {}, images: [{ size: bytes.length, inode: String(ino) }] }];
    expect(stopped(await stopPlan(targetAt(list, { programs: byInode }), place.machine))).toEqual([
      runners[0]?.pid,
    ]);
    // Whoever names a copy of what macOS brings ends none of its processes.
    expect(stopped(await stopPlan(targetAt(list, { programs }), place.machine))).not.toContain(bystander.pid);
  });

  test('what it started is ended too when launchd has adopted it, as the recorded events tell', async () => {
    const place = respondPlace();
    const evil = '/Users/Shared/evil';
    const helper = plant(place, '/Users/Shared/helper', '');
    copyFileSync('/bin/sleep', helper);
    chmodSync(helper, 0o755);
    started('/bin/sh', ['-c', `setsid sh -c "setsid '${helper}' 1000 & true"`]);
    const orphan = await waitFor('the orphan', () => {
      const all = place.machine.processes();
      const one = all.find(({ executable }) => executable === helper);
      const parent = all.find(({ pid }) => pid === one?.ppid);
      return one?.pgid === one?.pid && parent?.shortName !== 'sh' ? one : undefined;
    });
    onTestFinished(() => void endQuietly(orphan.pid));
    const target = targetAt(list, { programs: [{ path: evil, expect: {} }] });
    expect(await stopPlan(target, place.machine)).toMatchObject({
      steps: [],
      remarks: ['no process of it runs', expect.stringContaining('no start of it is recorded')],
    });
    const at = (orphan.startedAt as number) + 10_000;
    const start = (id: string, pid: number, executable: string, parent?: string) => ({
      ...{ id, time: at, nanos: 0, sequence: 0 },
      doc: {
        event: { id, category: ['process'], type: ['start'], action: 'exec' },
        process: {
          ...{ pid, executable, entity_id: id },
          ...(parent === undefined ? {} : { parent: { entity_id: parent } }),
        },
      },
    });
    place.store.events.append([
      start('e1', 999_990, evil),
      start('e2', 999_991, '/bin/sh', 'e1'),
      start('e3', orphan.pid, '/Users/Shared/helper', 'e2'),
      // Another process of the same number, long before.
      { ...start('e4', process.pid, '/bin/old', 'e2'), time: at - 86_400e6 * 365 },
    ]);
    const plan = await stopPlan(target, place.machine);
    expect(stopped(plan)).toEqual([orphan.pid]);
    expect(plan.remarks).toEqual([]);
    expect((await place.engine.run(plan, by)).state).toBe('done');
    expect(place.machine.processes([orphan.pid])).toEqual([]);
  });

  test('outside of --root-scope, and launchwarden itself, nothing is ended', () => {
    const place = respondPlace();
    expect(() => stopProcessPlan(process.pid, place.machine)).toThrow(/agent itself|launchwarden itself/);
    expect(() => stopProcessPlan(process.ppid, place.machine)).toThrow(/runs it|outside/);
  });
});

function stopped({ steps: [step] }: Plan): number[] {
  return step?.kind === 'stop' ? step.processes.map(({ pid }) => pid).sort() : [];
}

function endQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

function found(place: RespondPlace, pid: number) {
  const now = place.machine.processes([pid]);
  return now.length > 0 ? now : undefined;
}

function tree(place: RespondPlace, pid: number): number[] {
  return place.machine
    .processes()
    .filter((one) => one.pid === pid || one.pgid === pid)
    .map((one) => one.pid);
}

describe.skipIf(noAddon !== undefined)('launchd', () => {
  const daemon = '/Library/LaunchDaemons/com.example.x.plist';

  test('a job is booted out where it is loaded, and loaded again when that is undone', async () => {
    const place = respondPlace();
    const launchctl = place.host('/bin/launchctl');
    const { loaded } = standInLaunchctlProgram(launchctl);
    const file = plant(
      place,
      daemon,
      '<plist><dict><key>Label</key><string>com.example.x</string></dict></plist>',
    );
    await place.machine.launchd.run(['bootstrap', 'system', file]);
    expect(loaded()).toEqual(['com.example.x']);
    const plan = await bootOutPlan(targetAt(daemon, { label: 'com.example.x' }), place.machine);
    expect(plan.steps).toMatchObject([{ domains: ['system'] }]);
    const response = await place.engine.run(plan, by);
    expect(response.state).toBe('done');
    expect(loaded()).toEqual([]);
    expect((await place.engine.run(plan, by)).records[0]).toMatchObject({ state: 'nothing' });
    expect((await place.engine.undo(response, by)).state).toBe('undone');
    expect(loaded()).toEqual(['com.example.x']);
  });

  test('a job of the same label that was loaded from another file is left alone', async () => {
    const place = respondPlace();
    standInLaunchctlProgram(place.host('/bin/launchctl'));
    const text = '<plist><dict><key>Label</key><string>com.example.x</string></dict></plist>';
    await place.machine.launchd.run([
      'bootstrap',
      'system',
      plant(place, '/Library/LaunchDaemons/other.plist', text),
    ]);
    const response = await place.engine.run(
      await bootOutPlan(targetAt(daemon, { label: 'com.example.x' }), place.machine),
      by,
    );
    expect(response.records[0]).toMatchObject({ state: 'refused' });
    expect(response.records[0]?.says).toContain('another job of the same name');
  });

  test("a job in another user's domain is found where the recorded call put it", async () => {
    const place = respondPlace();
    const agent = '/Users/alice/Library/LaunchAgents/com.example.x.plist';
    const asked = place.host('/asked');
    program(
      place.host('/bin/launchctl'),
      `const [verb, target = ''] = process.argv.slice(2);
fs.appendFileSync(${JSON.stringify(asked)}, verb + ' ' + target + '\\n');
if (target !== 'gui/7502/com.example.x') process.exit(113);
process.stdout.write(target + ' = {\\n\\tstate = running\\n\\tpath = ${place.host(agent)}\\n}\\n');`,
    );
    const target = targetAt(agent, { label: 'com.example.x' });
    expect(await bootOutPlan({ ...target, domains: ['gui/7502'] }, place.machine)).toMatchObject({
      steps: [{ kind: 'boot-out', domains: ['gui/7502'] }],
    });
    const plan = await bootOutPlan(target, place.machine);
    const [outcome] = await rehearse(plan, place.machine);
    expect(outcome).toMatchObject({ state: 'nothing' });
    expect(outcome?.says).toMatch(/^com\.example\.x is not loaded in gui\/\d+ or user\/\d+ or system$/);
    expect(readFileSync(asked, 'utf8')).not.toContain('\nbootout');
  });

  test('the directory service is restarted by the label that the system has', async () => {
    const place = respondPlace();
    const state = place.host('/state');
    mkdirSync(place.host('/bin'), { recursive: true });
    writeFileSync(state, '100');
    program(
      place.host('/bin/launchctl'),
      `const [verb, ...rest] = process.argv.slice(2);
const target = rest.at(-1);
if (target !== 'system/com.apple.opendirectoryd') process.exit(113);
if (verb === 'kickstart') fs.writeFileSync(${JSON.stringify(state)}, '101');
else process.stdout.write(target + ' = {\\n\\tstate = running\\n\\tpid = ' + fs.readFileSync(${JSON.stringify(state)}, 'utf8') + '\\n}\\n');`,
    );
    const plan = await restartDirectoryServicePlan(place.machine);
    expect(plan.steps).toEqual([{ kind: 'restart-directory-service', label: 'com.apple.opendirectoryd' }]);
    const response = await place.engine.run(plan, by);
    expect(response.records[0]).toMatchObject({ state: 'done' });
    expect(response.records[0]?.says).toContain('process 101');
  });
});

function program(file: string, body: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `#!${process.execPath}\nconst fs = require('node:fs');\n${body}\n`);
  chmodSync(file, 0o755);
}

describe.skipIf(noAddon !== undefined)('restoring a version', () => {
  test('puts bytes, owner, mode, times and attributes of the version there; undoing brings back what stood there', async () => {
    const place = respondPlace();
    const file = plant(place, list, 'changed by the attacker');
    const sha256 = sha256Hex('good');
    place.store.evidence.put(sha256, { bytes: Buffer.from('good'), size: 4, truncated: false });
    const xattr = { name: 'user.com.apple.quarantine', value: Buffer.from('0081;x'), size: 6 };
    const state: SeenState = {
      path: list,
      kind: 'list',
      type: 'file',
      sha256,
      size: 4,
      mode: 0o640,
      uid: process.getuid?.() ?? 0,
      gid: process.getgid?.() ?? 0,
      mtime: 1_700_000_000_123_456_789n,
      ctime: 0n,
      xattrs: [xattr],
    };
    const [version] = place.store.versions.record([{ state, of: [] }], 1);
    const response = await place.engine.run(restorePlan(targetAt(list), version!), by);
    expect(response.records.map(({ says }) => says)).toEqual([
      expect.stringContaining('quarantine'),
      expect.stringContaining('stands at'),
    ]);
    expect(response.state).toBe('done');
    expect(readFileSync(file, 'utf8')).toBe('good');
    const facts = lstatSync(file, { bigint: true });
    expect([facts.mode & 0o7777n, facts.mtimeNs]).toEqual([0o640n, state.mtime]);
    const fd = place.machine.files.openFile(openFolder(place, path.dirname(file)), path.basename(file));
    expect(place.machine.files.attributes(fd)).toMatchObject([{ name: xattr.name, value: xattr.value }]);
    expect((await place.engine.undo(response, by)).state).toBe('undone');
    expect(readFileSync(file, 'utf8')).toBe('changed by the attacker');
  });

  test('what is not kept whole, or is damaged, is refused before anything is touched', async () => {
    const place = respondPlace();
    const file = plant(place, list, 'now');
    const record = (sha256: string) =>
      place.store.versions.record(
        [
          {
            state: {
              path: list,
              kind: 'list',
              type: 'file',
              sha256,
              size: 4,
              mode: 0o644,
              uid: 0,
              gid: 0,
              mtime: 1n,
              ctime: 1n,
            },
            of: [],
          },
        ],
        1,
      )[0]!;
    const damaged = record(sha256Hex('good'));
    place.store.evidence.put(sha256Hex('good'), { bytes: Buffer.from('evil'), size: 4, truncated: false });
    const [, outcome] = await rehearse(restorePlan(targetAt(list), damaged), place.machine);
    expect(outcome?.says).toContain('damaged');
    const response = await place.engine.run(restorePlan(targetAt(list), damaged), by);
    expect(response.state).toBe('failed');
    // What stood there is in the quarantine and comes back.
    await place.engine.undo(response, by);
    expect(readFileSync(file, 'utf8')).toBe('now');
  });
});

function openFolder(place: RespondPlace, folder: string): number {
  const { files } = place.machine;
  return folder
    .split('/')
    .filter(Boolean)
    .reduce((held, part) => files.openFolder(held, part), files.openTop());
}

describe.skipIf(noAddon !== undefined)('isolation', () => {
  test('cuts off all but what is allowed, comes back after a restart of the Mac, and ends in time', async () => {
    const place = respondPlace();
    const pf = standInPf(place.host('/sbin/pfctl'));
    const until = place.machine.clock.now() + 60_000_000;
    const plan = isolatePlan({ allow: ['192.0.2.7', '2001:db8::/32', 'evil; pass all'], dns: false, until });
    const response = await place.engine.run(plan, by);
    expect(response.state).toBe('done');
    expect(pf.rules()).toContain('pass out quick proto tcp from any to 192.0.2.7 flags any keep state');
    expect(pf.rules()).toMatch(/block drop quick all\n$/);
    expect(pf.rules()).not.toContain('evil');
    expect(pf.rules()).not.toContain('port 53');
    expect(isIsolating(response)).toBe(true);
    // Rules do not outlive a restart.
    pf.forget();
    const amended = (index: number, outcome: Parameters<typeof place.engine.amend>[2]) =>
      place.engine.amend(response.id, index, outcome);
    expect(await keepIsolated(response, place.machine, amended)).toBe(true);
    expect(pf.rules()).toContain('block drop quick all');
    const later = { ...place.machine, clock: { ...place.machine.clock, now: () => until } };
    expect(await keepIsolated(response, later, amended)).toBe(false);
    const undone = await place.engine.undo(response, by);
    expect(undone.state).toBe('undone');
    expect(pf.rules()).toBe('');
    expect(pf.released()).toBe('4711');
    expect(isIsolating(undone)).toBe(false);
  });

  test('is refused where pf would not look at the rules', async () => {
    const place = respondPlace();
    program(place.host('/sbin/pfctl'), "process.stdout.write('pass all\\n');");
    const response = await place.engine.run(isolatePlan({ allow: [], dns: true, until: 1 }), by);
    expect(response.records[0]).toMatchObject({ state: 'refused' });
  });
});
