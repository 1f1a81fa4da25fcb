import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/base/errors.js';
import {
  bringUp,
  jobProgram,
  type Parts,
  places,
  readInstallation,
  renderJob,
  type StepReport,
  surroundingsOf,
  takeAway,
  versionProblems,
  withSource,
} from '../../../src/install/index.js';
import { openSource } from '../../../src/install/source.js';
import { tempFolder } from '../../helpers/run-cli.js';
import { type FakeLaunchd, fakeSystem } from './fake-system.js';

/** A tree with a launchd that is a model, and payloads of versions; `ready` says which version's agent answers. */
const itsItem = 'remove /Library/LaunchDaemons/com.launchwarden.canary.1.plist';

function surroundings(launchd: FakeLaunchd = { loaded: false, busy: 0 }) {
  const base = tempFolder();
  const root = path.join(base, 'mac');
  mkdirSync(path.join(root, 'bin'), { recursive: true });
  writeFileSync(path.join(root, 'bin/launchctl'), '');
  chmodSync(path.join(root, 'bin/launchctl'), 0o755);
  const dataDir = path.join(root, places.data);
  const system = fakeSystem({ platform: 'linux', launchd });
  const agent = {
    /** Undefined: the one that `current` leads to. */
    answers: undefined as string | undefined,
    silent: [] as string[],
    main: undefined as number | undefined,
    calls: [] as string[],
    /** Its data hold an alert about something else than a canary. */
    found: false,
    cleanUp: (): Awaited<ReturnType<Parts['cleanUp']>> => ({ undone: [], left: [] }),
    /** It runs without launchd. */
    byHand: false,
  };
  const parts: Parts = {
    lock: () => ({ release() {} }),
    async agent() {
      if (!launchd.loaded && !agent.byHand) return undefined;
      const script = path.join(root, jobProgram.script, '../../package.json');
      const { version } = JSON.parse(readFileSync(script, 'utf8')) as { version: string };
      return agent.silent.includes(version) ? undefined : { version: agent.answers ?? version, pid: 4711 };
    },
    cleanUp: async (folder) => {
      agent.calls.push(`clean up, data ${existsSync(folder) ? 'there' : 'gone'}`);
      return agent.cleanUp();
    },
    databases: {
      schemas: () => ({ main: agent.main, events: agent.main === undefined ? undefined : 3 }),
      save: (_dataDir, to) => void agent.calls.push(`save ${path.basename(to)}`),
      restore: (_dataDir, from, aside) =>
        void agent.calls.push(`restore ${path.basename(from)} ${path.basename(aside)}`),
      discard: (folder) => {
        agent.calls.push('discard');
        if (!agent.found) rmSync(folder, { recursive: true });
        return !agent.found;
      },
    },
  };
  const at = surroundingsOf({ system, root, dryRun: false }, parts);
  const payload = (version: string) => {
    const folder = path.join(base, `payload-${version}`);
    mkdirSync(path.join(folder, 'app/bin'), { recursive: true });
    writeFileSync(path.join(folder, 'node'), '');
    writeFileSync(path.join(folder, 'app/bin/launchwarden.js'), `// ${version}`);
    writeFileSync(path.join(folder, 'app/package.json'), JSON.stringify({ name: 'launchwarden', version }));
    return folder;
  };
  const reports: StepReport[] = [];
  const report = (one: StepReport) => void reports.push(one);
  const install = (version: string) =>
    bringUp({
      at,
      source: openSource(payload(version), process.execPath),
      written: {},
      dataDir,
      dryRun: false,
      report,
    });
  const remove = (purge: boolean) =>
    takeAway({ at, dataDir, purge, dryRun: false, report, takeBack: async () => true });
  const host = (macPath: string) => path.join(root, macPath);
  return { base, root, system, launchd, agent, at, payload, install, remove, reports, host, dataDir };
}

const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error: unknown) => (error instanceof UserError ? error.code : String(error)),
  );

function files(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort() : [];
}

describe('install', () => {
  test('boots out, enables, boots in and kicks by absolute path; the job names what every version has', async () => {
    const all = surroundings({ loaded: true, busy: 3 });
    const outcome = await all.install('1.0.0');
    expect(outcome.action).toBe('installed');
    const launchctl = all.host('/bin/launchctl');
    const service = 'system/com.launchwarden.agent';
    const bootstrap = `${launchctl} bootstrap system ${all.host(places.job)}`;
    expect(all.system.ran.filter((one) => !/ (?:print|version|canary) /.test(one))).toEqual([
      `${launchctl} bootout ${service}`,
      `${launchctl} enable ${service}`,
      ...Array<string>(4).fill(bootstrap),
      `${launchctl} kickstart ${service}`,
    ]);
    expect(readFileSync(all.host(places.job), 'utf8')).toBe(renderJob(jobProgram));
    expect(readInstallation(all.system, all.root)).toMatchObject({
      current: outcome.version,
      versions: [{ id: outcome.version, version: '1.0.0', isCurrent: true }],
      jobFile: { state: 'same' },
      job: { loaded: true, pid: 4711 },
      cutOff: false,
    });
  });

  test('again there is nothing to do, and nobody is asked to', async () => {
    const all = surroundings();
    const { version } = await all.install('1.0.0');
    const before = files(all.root);
    all.system.ran.length = 0;
    expect(await all.install('1.0.0')).toEqual({ action: 'none', version });
    expect(files(all.root)).toEqual(before);
    expect(all.system.ran.filter((one) => !one.includes(' print '))).toEqual([]);
  });

  test('what was changed in the running version is put right, from a folder of another name', async () => {
    const all = surroundings();
    const { version } = await all.install('1.0.0');
    const script = all.host(jobProgram.script);
    rmSync(script);
    writeFileSync(script, 'evil');
    expect(versionProblems(version, all.root)).toEqual(['app/bin/launchwarden.js is of another size']);
    const again = await all.install('1.0.0');
    expect(again).toMatchObject({ action: 'repaired', before: version });
    expect(readFileSync(all.host(jobProgram.script), 'utf8')).toBe('// 1.0.0');
  });

  test.each([
    ['no agent answers', '1.0.0', 'install/not-ready'],
    ['another version answers', '0.9.0', 'install/not-ready'],
  ])('%s: nothing is left', async (_what, answers, expected) => {
    const all = surroundings();
    const before = files(all.root);
    if (answers === '1.0.0') all.agent.silent.push('1.0.0');
    else all.agent.answers = answers;
    expect(await code(all.install('1.0.0'))).toBe(expected);
    expect(files(all.root)).toEqual(before);
    expect(all.launchd.loaded).toBe(false);
  });

  test('a launchd that never takes the job is quoted', async () => {
    const all = surroundings({ loaded: false, busy: 1000 });
    await expect(all.install('1.0.0')).rejects.toMatchObject({
      code: 'install/launchctl',
      message: expect.stringContaining('failed with 5: Bootstrap failed: 5: Input/output error'),
    });
  });

  test('folders with wrong owners or open to others are refused with their cure, before anything is written', async () => {
    const all = surroundings();
    const support = all.host('/Library/Application Support');
    mkdirSync(support, { recursive: true });
    const before = files(all.root);
    all.system.owners.set(support, { uid: 501 });
    await expect(all.install('1.0.0')).rejects.toMatchObject({
      code: 'install/unsafe-path',
      message: `${support} belongs to user 501, not to root`,
      hint: `Give it to root: sudo chown root:wheel "${support}"`,
    });
    all.system.owners.set(support, { mode: 0o40777 });
    await expect(all.install('1.0.0')).rejects.toMatchObject({
      code: 'install/unsafe-path',
      hint: `Take that from them: sudo chmod go-w "${support}"`,
    });
    expect(files(all.root)).toEqual(before);
  });

  test("a foreign job under our label is named and left, the file's and launchd's", async () => {
    const all = surroundings();
    const foreign = renderJob({ node: '/bin/evil', script: '/tmp/x' });
    mkdirSync(path.dirname(all.host(places.job)), { recursive: true });
    writeFileSync(all.host(places.job), foreign);
    await expect(all.install('1.0.0')).rejects.toMatchObject({
      code: 'install/foreign-job',
      message: expect.stringContaining('runs /bin/evil /tmp/x run'),
    });
    expect(await code(all.remove(true))).toBe('install/foreign-job');
    expect(readFileSync(all.host(places.job), 'utf8')).toBe(foreign);
    rmSync(all.host(places.job));
    const { run } = all.system;
    all.system.run = (file, args) =>
      args[0] === 'print'
        ? {
            status: 0,
            stdout: 'x = {\n\tpath = /Library/LaunchDaemons/x.plist\n\tprogram = /x\n}\n',
            stderr: '',
          }
        : run.call(all.system, file, args);
    await expect(all.install('1.0.0')).rejects.toMatchObject({
      code: 'install/foreign-job',
      message: expect.stringContaining('loaded from /Library/LaunchDaemons/x.plist: /x'),
    });
  });

  test('a disk without room', async () => {
    const all = surroundings();
    const before = files(all.root);
    all.system.free = 1024;
    expect(await code(all.install('1.0.0'))).toBe('install/disk-full');
    expect(files(all.root)).toEqual(before);
  });

  test('a payload that differs from its manifest, and one that leads out', async () => {
    const all = surroundings();
    const first = await all.install('1.0.0');
    const whole = path.join(all.host(places.versions), first.version);
    writeFileSync(path.join(whole, 'app/bin/launchwarden.js'), '// 9.9.9');
    writeFileSync(path.join(whole, 'app/extra'), '');
    expect(() => openSource(whole, process.execPath)).toThrow(
      expect.objectContaining({
        code: 'install/damaged-payload',
        message: expect.stringMatching(/launchwarden\.js was changed; app\/extra does not belong to it$/),
      }),
    );
    const folder = all.payload('1.1.0');
    symlinkSync('/etc/passwd', path.join(folder, 'app/link'));
    expect(() => openSource(folder, process.execPath)).toThrow(
      expect.objectContaining({ code: 'install/link-in-payload' }),
    );
    unlinkSync(path.join(folder, 'app/link'));
    symlinkSync('../..', path.join(folder, 'app/bin/up'));
    symlinkSync('app/bin/up/../x', path.join(folder, 'around'));
    expect(() => openSource(folder, process.execPath)).toThrow(
      expect.objectContaining({
        code: 'install/link-in-payload',
        message: expect.stringContaining('leads out of it: around'),
      }),
    );
    const nothing = withSource(
      all.at,
      { from: all.base, program: { node: process.execPath, script: '' } },
      async () => {},
    );
    expect(await code(nothing)).toBe('install/not-a-payload');
  });
});

describe('upgrade', () => {
  test('keeps the version before, and no other', async () => {
    const all = surroundings();
    const ids = [];
    for (const version of ['1.0.0', '1.1.0', '1.2.0']) ids.push((await all.install(version)).version);
    expect(readInstallation(all.system, all.root).versions.map(({ id }) => id)).toEqual(ids.slice(1));
  });

  test('one whose agent is not ready is rolled back, and says so', async () => {
    const all = surroundings();
    const { version } = await all.install('1.0.0');
    const before = files(all.root);
    all.agent.silent.push('2.0.0');
    await expect(all.install('2.0.0')).rejects.toMatchObject({
      code: 'install/rolled-back',
      exitCode: 1,
      message: expect.stringMatching(
        /^2\.0\.0-\w+ was taken back: .*\[install\/not-ready\]; 1\.0\.0-\w+ runs again$/,
      ),
    });
    expect(readInstallation(all.system, all.root).current).toBe(version);
    expect(files(all.root)).toEqual(before);
    expect(all.launchd.loaded).toBe(true);
  });

  test('an older database is saved, and put back when the new version is', async () => {
    const all = surroundings();
    await all.install('1.0.0');
    all.agent.main = 12;
    const good = await all.install('1.1.0');
    expect(all.agent.calls.splice(0)).toEqual([`save before-${good.version}`]);
    all.agent.silent.push('1.2.0');
    expect(await code(all.install('1.2.0'))).toBe('install/rolled-back');
    expect(all.agent.calls).toEqual([
      expect.stringMatching(/^save before-1\.2\.0-/),
      expect.stringMatching(/^restore before-1\.2\.0-\w+ after-1\.2\.0-/),
    ]);
  });

  test('a newer database is refused, and the agent left alone', async () => {
    const all = surroundings();
    await all.install('1.0.0');
    all.agent.main = 14;
    all.system.ran.length = 0;
    expect(await code(all.install('1.1.0'))).toBe('install/newer-database');
    expect(all.system.ran.filter((one) => one.includes('bootout'))).toEqual([]);
    expect(all.launchd.loaded).toBe(true);
  });

  test('a version that does not start is refused, and the agent left alone', async () => {
    const all = surroundings();
    await all.install('1.0.0');
    const { run } = all.system;
    all.system.run = (file, args) =>
      args[1] === 'version'
        ? { status: 2, stdout: '', stderr: '{"message":"the SQLite library cannot be loaded"}\n' }
        : run.call(all.system, file, args);
    await expect(all.install('1.1.0')).rejects.toMatchObject({
      code: 'install/broken-version',
      message: expect.stringContaining('the SQLite library cannot be loaded'),
    });
    expect(all.launchd.loaded).toBe(true);
    expect(readInstallation(all.system, all.root).versions).toHaveLength(1);
  });

  test('a canary that the agent did not see takes it back, one that a destination did not take does not', async () => {
    const all = surroundings();
    await all.install('1.0.0');
    const { run } = all.system;
    all.system.run = (file, args) =>
      args[1] === 'canary'
        ? { status: 1, stdout: JSON.stringify({ steps }), stderr: '' }
        : run.call(all.system, file, args);
    let steps = [{ link: 'seen', ok: false, detail: 'not within 30 s' }];
    await expect(all.install('1.1.0')).rejects.toMatchObject({
      code: 'install/rolled-back',
      message: expect.stringContaining('it was not seen: not within 30 s [install/canary-failed]'),
    });
    steps = [{ link: 'delivered', ok: false, detail: 'refused' }];
    expect((await all.install('1.1.0')).action).toBe('upgraded');
    expect(all.reports.at(-2)).toMatchObject({
      state: 'skipped',
      reason: 'the agent saw it, but it was not delivered: refused',
    });
  });
});

describe('a first installation that does not come through', () => {
  /** A tree in which the agent makes its data, and its canary fails. */
  function failing() {
    const all = surroundings();
    const { run } = all.system;
    all.system.run = (file, args) => {
      if (args[1] !== 'canary') return run.call(all.system, file, args);
      mkdirSync(all.dataDir, { recursive: true });
      writeFileSync(path.join(all.dataDir, 'launchwarden.db'), '');
      all.agent.calls.push(args.join(' '));
      const steps = [{ link: 'seen', ok: false, detail: 'no sensor saw the launchctl call' }];
      return { status: 1, stdout: JSON.stringify({ steps }), stderr: '' };
    };
    return all;
  }

  test('takes the data along that it made itself', async () => {
    const all = failing();
    const before = files(all.root);
    await expect(all.install('1.0.0')).rejects.toMatchObject({
      code: 'install/canary-failed',
      message: expect.stringMatching(/; the installation was taken back$/),
    });
    expect(files(all.root)).toEqual(before);
    expect(all.agent.calls[0]).toContain('--timeout 120s');
  });

  test('leaves and names them when they hold an alert about something else', async () => {
    const all = failing();
    all.agent.found = true;
    await expect(all.install('1.0.0')).rejects.toMatchObject({
      message: expect.stringContaining(`taken back; ${all.dataDir} stays: `),
    });
    expect(existsSync(path.join(all.dataDir, 'launchwarden.db'))).toBe(true);
  });

  test('which stay, and a later purge knows the folders that were made for them', async () => {
    for (const installsAgain of [false, true]) {
      const all = failing();
      const before = files(all.root);
      all.agent.found = true;
      expect(await code(all.install('1.0.0'))).toBe('install/canary-failed');
      if (installsAgain) expect(await code(all.install('1.1.0'))).toBe('install/canary-failed');
      await all.remove(true);
      expect(files(all.root)).toEqual(before);
    }
  });

  test('cleans up after a canary while its journal is there', async () => {
    const all = failing();
    await all.install('1.0.0').catch(() => {});
    expect(all.agent.calls.slice(-2)).toEqual(['clean up, data there', 'discard']);
  });

  test('leaves its log, and a later purge still knows which folders were made for it', async () => {
    const all = failing();
    const { run } = all.system;
    const before = files(all.root);
    all.agent.cleanUp = () => {
      mkdirSync(path.dirname(all.host(places.log)), { recursive: true });
      writeFileSync(all.host(places.log), 'why');
      return { undone: [], left: [] };
    };
    await all.install('1.0.0').catch(() => {});
    expect(readFileSync(all.host(places.log), 'utf8')).toBe('why');
    all.system.run = (file, args) =>
      args[1] === 'canary'
        ? { status: 0, stdout: '{"steps":[]}', stderr: '' }
        : run.call(all.system, file, args);
    await all.install('1.0.0');
    await all.remove(true);
    expect(files(all.root)).toEqual(before);
  });

  test.each([
    [
      'it runs',
      () => {
        throw new UserError('canary/running', 'another run of canary is at work');
      },
    ],
    ['its item cannot be removed', () => ({ undone: [], left: [`${itsItem}: EROFS`] })],
  ])('keeps the journal of a canary that it cannot clean up after: %s', async (_, cleanUp) => {
    const all = failing();
    all.agent.cleanUp = cleanUp;
    await all.install('1.0.0').catch(() => {});
    expect(all.agent.calls.at(-1)).toBe('clean up, data there');
    expect(existsSync(all.dataDir)).toBe(true);
  });

  test('leaves data that were there before, and those of an agent that is upgraded', async () => {
    const all = failing();
    mkdirSync(all.dataDir, { recursive: true });
    await expect(all.install('1.0.0')).rejects.toMatchObject({ code: 'install/canary-failed' });
    expect(existsSync(all.dataDir)).toBe(true);
    expect(all.agent.calls).not.toContain('discard');
    const other = surroundings();
    await other.install('1.0.0');
    other.agent.silent.push('1.1.0');
    mkdirSync(other.dataDir);
    expect(await code(other.install('1.1.0'))).toBe('install/rolled-back');
    expect(other.agent.calls).not.toContain('discard');
  });
});

describe('after a crash', () => {
  /** Ends an installation at its n-th report as a crash would: nothing of it runs any more. */
  async function cutOff(all: ReturnType<typeof surroundings>, version: string, steps: number): Promise<void> {
    const never = new Promise<never>(() => {});
    let count = 0;
    let stopped: () => void = () => {};
    const stop = new Promise<void>((resolve) => {
      stopped = resolve;
    });
    const { system, at } = all;
    // What is awaited next never comes.
    const frozen = { ...at, parts: { ...at.parts, agent: () => never } };
    void bringUp({
      at: frozen,
      source: openSource(all.payload(version), process.execPath),
      written: {},
      dataDir: all.dataDir,
      dryRun: false,
      report: () => {
        if (++count >= steps) stopped();
      },
    }).catch(() => {});
    await Promise.race([stop, new Promise((resolve) => setTimeout(resolve, 3_000))]);
    expect(system.ran.length).toBeGreaterThan(0);
  }

  test('an upgrade that waited for its agent is taken back by the next run, which then does its own', async () => {
    const all = surroundings();
    const { version } = await all.install('1.0.0');
    await cutOff(all, '1.1.0', 15);
    expect(readInstallation(all.system, all.root).cutOff).toBe(true);
    all.reports.length = 0;
    const next = await all.install('1.2.0');
    expect(all.reports[0]?.step).toMatch(/^take back the installation of 1\.1\.0-\w+ that was cut off$/);
    expect(readInstallation(all.system, all.root)).toMatchObject({ current: next.version, cutOff: false });
    expect(next.before).toBe(version);
  });

  test('a first installation that was cut off is removed by an uninstall', async () => {
    const all = surroundings();
    const before = files(all.root);
    await cutOff(all, '1.0.0', 15);
    await all.remove(false);
    expect(files(all.root)).toEqual(before);
  });

  test('a second first installation takes back the one before, and its uninstall leaves nothing', async () => {
    const all = surroundings();
    const before = files(all.root);
    await cutOff(all, '1.0.0', 15);
    await all.install('1.1.0');
    await all.remove(true);
    expect(files(all.root)).toEqual(before);
  });

  test.each([
    ['before its journal began', [places.versions]],
    ['after its journal ended', [places.home]],
  ])('folders of a run that was killed %s go with the next one', async (_when, left) => {
    for (const installs of [true, false]) {
      const all = surroundings();
      const before = files(all.root);
      for (const folder of left) mkdirSync(all.host(folder), { recursive: true });
      if (installs) await all.install('1.0.0');
      await all.remove(true);
      expect(files(all.root)).toEqual(before);
    }
  });

  test('a journal of which only a part was written is no journal', async () => {
    const all = surroundings();
    const { version } = await all.install('1.0.0');
    writeFileSync(all.host(places.journal), '{"begin":{"op":"inst');
    expect(await all.install('1.0.0')).toEqual({ action: 'none', version });
    expect(existsSync(all.host(places.journal))).toBe(false);
  });

  test('a removal that was cut off is finished', async () => {
    const all = surroundings();
    await all.install('1.0.0');
    const line = { op: 'uninstall', written: {}, dataDir: all.dataDir, purge: false, kept: [], made: [] };
    writeFileSync(all.host(places.journal), `${JSON.stringify({ begin: line })}\n`, { mode: 0o600 });
    rmSync(all.host(places.job));
    const { action } = await all.install('1.1.0');
    expect(all.reports.map(({ step }) => step)).toContain('finish the removal that was cut off');
    expect(action).toBe('installed');
  });
});

describe('uninstall', () => {
  test.each([true, false])(
    'takes away what a canary has left before the data go (purge: %s)',
    async (purge) => {
      const all = surroundings();
      await all.install('1.0.0');
      mkdirSync(path.join(all.dataDir, 'canary'), { recursive: true });
      all.agent.cleanUp = () => ({ undone: [`${itsItem}: done`], left: [] });
      await all.remove(purge);
      expect(all.agent.calls.filter((one) => one.startsWith('clean'))).toEqual(['clean up, data there']);
      const step = 'take away what a canary or a proof has left that was cut off';
      expect(all.reports).toContainEqual(expect.objectContaining({ step, state: 'done' }));
    },
  );

  const unsafe = 'the journal may be written by others';
  test.each([
    [
      unsafe,
      () => {
        throw new UserError('canary/unsafe-journal', unsafe);
      },
    ],
    [`to be done by hand: ${itsItem}: EROFS`, () => ({ undone: [], left: [`${itsItem}: EROFS`] })],
  ])('says what kept it from that, and removes the program all the same: %s', async (reason, cleanUp) => {
    const all = surroundings();
    const before = files(all.root);
    await all.install('1.0.0');
    mkdirSync(path.join(all.dataDir, 'canary'), { recursive: true });
    all.agent.cleanUp = cleanUp;
    await all.remove(true);
    expect(all.reports).toContainEqual(expect.objectContaining({ state: 'skipped', reason }));
    expect(files(all.root)).toEqual(before);
  });

  test('leaves the data, and a later purge still knows what stood there before', async () => {
    const all = surroundings();
    mkdirSync(all.host(places.home), { recursive: true });
    writeFileSync(all.host(places.config), '');
    const before = files(all.root);
    await all.install('1.0.0');
    mkdirSync(all.dataDir);
    writeFileSync(path.join(all.dataDir, 'launchwarden.db'), '');
    writeFileSync(all.host(places.log), '');
    await all.remove(false);
    expect(existsSync(path.join(all.dataDir, 'launchwarden.db'))).toBe(true);
    expect(existsSync(all.host(places.versions))).toBe(false);
    await all.install('1.1.0');
    await all.remove(true);
    expect(files(all.root)).toEqual(before);
  });

  test('the files of the .pkg go with the program, whatever an earlier version noted', async () => {
    const all = surroundings();
    mkdirSync(path.dirname(all.host(places.home)), { recursive: true });
    const before = files(all.root);
    const bundle = path.join(all.host(places.package), 'launchwarden.app/Contents');
    for (const purge of [true, false]) {
      mkdirSync(bundle, { recursive: true });
      writeFileSync(path.join(bundle, 'Info.plist'), '');
      await all.install('1.0.0');
      const state = JSON.parse(readFileSync(all.host(places.state), 'utf8')) as { kept: string[] };
      expect(state.kept).toEqual([]);
      if (!purge) writeFileSync(all.host(places.state), JSON.stringify({ ...state, kept: [places.package] }));
      await all.remove(purge);
      expect(all.reports.at(-1)).toMatchObject({
        step: 'run pkgutil --forget com.launchwarden.agent.pkg',
        state: 'skipped',
      });
      expect(files(all.root)).toEqual(before);
    }
    // A folder of that name that somebody else has there is his.
    mkdirSync(all.host(places.package), { recursive: true });
    writeFileSync(path.join(all.host(places.package), 'theirs'), '');
    const theirs = files(all.root);
    await all.install('1.0.0');
    await all.remove(true);
    expect(files(all.root)).toEqual(theirs);
  });

  test('what stood there before stays when it cannot be read what that was', async () => {
    const all = surroundings();
    mkdirSync(all.host(places.home), { recursive: true });
    writeFileSync(all.host(places.config), '');
    await all.install('1.0.0');
    mkdirSync(all.dataDir);
    writeFileSync(all.host(places.state), 'garbage');
    await all.remove(true);
    expect(files(all.host(places.home))).toEqual(['config.toml']);
  });

  test('what the job names is kept when what was installed cannot be read', async () => {
    const all = surroundings();
    const written = { config: '/etc/lw.toml', dataDir: '/var/lw' };
    const source = () => openSource(all.payload('1.0.0'), process.execPath);
    const { at, dataDir, host } = all;
    await bringUp({ at, source: source(), written, dataDir, dryRun: false, report: () => {} });
    const job = readFileSync(host(places.job), 'utf8');
    writeFileSync(host(places.state), 'garbage');
    await bringUp({ at, source: source(), written: {}, dataDir, dryRun: false, report: () => {} });
    expect(readFileSync(host(places.job), 'utf8')).toBe(job);
    expect(JSON.parse(readFileSync(host(places.state), 'utf8'))).toMatchObject({ written });
  });

  test('data that an agent uses which launchd did not start are not purged', async () => {
    const all = surroundings();
    await all.install('1.0.0');
    all.agent.byHand = true;
    const before = files(all.root);
    expect(await code(all.remove(true))).toBe('install/agent-runs');
    expect(files(all.root)).toEqual(before);
  });

  test('what could not be undone keeps the data', async () => {
    const all = surroundings();
    await all.install('1.0.0');
    mkdirSync(all.dataDir);
    writeFileSync(path.join(all.dataDir, 'quarantined'), '');
    const { at, dataDir } = all;
    const options = { at, dataDir, purge: true, dryRun: false, report: () => {} };
    expect(await takeAway({ ...options, takeBack: async () => false })).toBe(false);
    expect(existsSync(path.join(dataDir, 'quarantined'))).toBe(true);
    expect(existsSync(all.host(places.job))).toBe(false);
  });
});
