import fs, {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { PolicyKeeper, settingsAtStart } from '../../../src/agent/policy.js';
import type { ReloadAnswer } from '../../../src/agent/reload.js';
import { UserError } from '../../../src/base/errors.js';
import { silentLogger } from '../../../src/base/log.js';
import { loadSettings, type Settings } from '../../../src/config/index.js';
import {
  type Fetched,
  type Held,
  heldFolder,
  makeBundle,
  makeKeyPair,
  policyCondition,
  policyFolder,
  readPolicyState,
  readPrivateKey,
  signBundle,
} from '../../../src/policy/index.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { tempFolder } from '../../helpers/run-cli.js';

const now = Date.UTC(2026, 10, 22);
const pair = makeKeyPair();
const signer = readPrivateKey(pair.privatePem, 'key');

function bundle(
  version: number,
  files: Record<string, string>,
  how: { key?: typeof signer; expires?: string } = {},
): Buffer {
  const facts = { version, issued: '2026-11-20T00:00:00Z', expires: how.expires ?? '2027-01-01T00:00:00Z' };
  const list = Object.entries(files).map(([name, text]) => ({ path: name, bytes: Buffer.from(text) }));
  return signBundle(makeBundle(facts, list), how.key ?? signer);
}

/** A Mac of the fleet, with an agent that takes up what is on the disk, and a server that the test plays. */
function fleet(config = '') {
  const folder = tempFolder();
  const file = path.join(folder, 'config.toml');
  const dataDir = path.join(folder, 'data');
  mkdirSync(dataDir, { mode: 0o700 });
  writeFileSync(
    file,
    `[policy]\nurl = "https://fleet.example/p"\npublic_key = "${pair.publicKey}"\n${config}`,
  );
  const read = async (policy?: string) =>
    loadSettings({ flags: { config: file, dataDir }, cwd: folder, platform: 'linux', policy });
  const clock = new ManualClock(now * 1000);
  const told: string[] = [];
  const asked: (string | null)[] = [];
  const place = {
    ...{ folder, file, dataDir, clock, told, asked, read },
    settings: undefined as unknown as Settings,
    answer: (() => ({ kind: 'unchanged' })) as () => Fetched,
    refuses: undefined as string | undefined,
    keeper: undefined as unknown as PolicyKeeper,
    state: () => readPolicyState(dataDir),
    gives: (bytes: Buffer, etag: string | null = '"1"') => {
      place.answer = () => ({ kind: 'bundle', bytes, etag });
    },
  };
  const reload = async (): Promise<ReloadAnswer> => {
    const refused = place.refuses ?? null;
    if (refused === null) place.settings = await read();
    place.refuses = undefined;
    return { changed: [], restart: [], refused };
  };
  place.keeper = new PolicyKeeper({
    ...{ dataDir, clock, reload },
    log: silentLogger,
    version: '1',
    settings: () => place.settings,
    tryOut: async (candidate) => void (await read(candidate)),
    told: (action, text) => told.push(`${action}: ${text}`),
    fetch: async ({ etag }) => {
      asked.push(etag);
      return place.answer();
    },
    random: () => 0.5,
  });
  return place;
}

async function started(config = '') {
  const place = fleet(config);
  place.settings = await place.read();
  place.keeper.start();
  return place;
}

const quiet = { 'config.toml': '[detect]\nclose_updates = false\n', 'hashes/a.txt': `${'a'.repeat(64)}\n` };

test('a policy is put in force above the file, and confirmed by its ETag afterwards', async () => {
  const place = await started('[detect]\nclose_updates = true\n[log]\nlevel = "warn"\n');
  place.gives(bundle(3, quiet));
  await place.keeper.check();
  expect(place.settings.detect.closeUpdates).toBe(false);
  expect(place.settings.log.level).toBe('warn');
  expect(place.settings.scan.hashes).toEqual([expect.stringContaining('hashes/a.txt')]);
  expect(place.settings.origins.find(({ key }) => key === 'detect.close_updates')).toMatchObject({
    origin: 'policy',
    at: { line: 2, column: 1 },
  });
  expect(place.settings.origins.find(({ key }) => key === 'scan.hashes')?.origin).toBe('policy');
  expect(place.settings.origins.find(({ key }) => key === 'scan.yara')?.origin).toBe('default');
  expect(place.state()).toMatchObject({
    highest: 3,
    current: { version: 3 },
    trial: { starts: 0 },
    failure: null,
  });
  expect(place.told).toEqual([expect.stringMatching(/^policy-applied: version 3/)]);
  place.answer = () => ({ kind: 'unchanged' });
  place.clock.pass(60_000);
  expect(place.state().trial).toBeNull();
  await place.keeper.check();
  expect(place.asked).toEqual([null, '"1"']);
  expect(place.keeper.condition()).toMatchObject({ inForce: { version: 3 }, ageMs: 0, reasons: [] });
});

test.each([
  ['of an older version', () => bundle(2, quiet), 'policy/stale'],
  ['of the same version and other content', () => bundle(3, { 'config.toml': '' }), 'policy/same-version'],
  [
    'of another key',
    () => bundle(4, quiet, { key: readPrivateKey(makeKeyPair().privatePem, 'k') }),
    'policy/other-key',
  ],
  ['that has expired', () => bundle(4, quiet, { expires: '2026-11-21T00:00:00Z' }), 'policy/expired'],
  ['that is cut short', () => bundle(4, quiet).subarray(0, 300), 'policy/bad-signature'],
  ['with an unknown key', () => bundle(4, { 'config.toml': '[log]\nlevle = "x"\n' }), 'config/unknown-key'],
  [
    'with what it may not set',
    () => bundle(4, { 'config.toml': 'data_dir = "/x"\n' }),
    'policy/forbidden-key',
  ],
  ['with a rule that does not compile', () => bundle(4, { 'rules/a.toml': 'x = 1\n' }), 'policy/bad-rule'],
])('a bundle %s is refused and told, and the one before stays', async (_, make, code) => {
  const place = await started();
  place.gives(bundle(3, quiet));
  await place.keeper.check();
  const before = place.state();
  const folders = readdirSync(policyFolder(place.dataDir)).sort();
  place.gives(make(), '"2"');
  await place.keeper.check();
  const { current, highest, etag, failure } = place.state();
  expect({ current, highest, etag }).toEqual({ current: before.current, highest: 3, etag: '"1"' });
  expect(failure).toMatchObject({ code, times: 1 });
  expect(readdirSync(policyFolder(place.dataDir)).sort()).toEqual(folders);
  expect((await place.read()).policyInForce?.held?.version).toBe(3);
  expect(place.keeper.condition().reasons).toEqual([expect.stringContaining(code)]);
  // Told once, however often it is met.
  await place.keeper.check();
  expect(place.told.filter((text) => text.startsWith('policy-refused'))).toHaveLength(1);
  expect(place.state().failure).toMatchObject({ times: 2 });
});

test('an agent that cannot go on with a version takes it back, and tries only a newer one', async () => {
  const place = await started();
  place.gives(bundle(3, quiet));
  await place.keeper.check();
  place.refuses = 'rules cannot be run';
  place.gives(bundle(4, { 'config.toml': '' }));
  await place.keeper.check();
  expect(place.state()).toMatchObject({
    current: { version: 3 },
    previous: null,
    bad: [{ version: 4 }],
    highest: 4,
  });
  expect(place.settings.policyInForce?.held?.version).toBe(3);
  expect(place.told.at(-1)).toMatch(/^policy-rolled-back: version 4 .*rules cannot be run/);
  await place.keeper.check();
  expect(place.state().failure?.code).toBe('policy/known-bad');
  place.gives(bundle(5, { 'config.toml': '' }));
  await place.keeper.check();
  expect(place.state()).toMatchObject({ current: { version: 5 }, failure: null });
  expect(place.keeper.condition().reasons).toEqual([]);
});

test('starts that do not get ready with a version on trial take it back', async () => {
  const place = await started();
  place.gives(bundle(3, quiet));
  await place.keeper.check();
  place.clock.pass(60_000);
  place.gives(bundle(4, { 'config.toml': '' }));
  await place.keeper.check();
  const versions = [];
  for (let start = 0; start < 4; start++) {
    const settings = await place.read();
    const { policyInForce } = await settingsAtStart(
      { settings, clock: place.clock, reread: place.read },
      silentLogger,
    );
    versions.push(policyInForce?.held?.version);
  }
  expect(versions).toEqual([4, 4, 4, 3]);
  expect(place.state().bad).toMatchObject([
    { version: 4, reason: 'no agent became ready with it in 3 starts' },
  ]);
});

test('of several versions that have not proven themselves none is the last one to go back to', async () => {
  const place = await started();
  const start = async () => {
    const settings = await place.read();
    const options = { settings, clock: place.clock, reread: place.read };
    return (await settingsAtStart(options, silentLogger)).policyInForce?.held?.version;
  };
  for (const version of [3, 4, 5]) {
    if (version === 4) place.clock.pass(60_000);
    place.gives(bundle(version, { 'config.toml': `[retention]\nclosed_alerts = "${version}d"\n` }));
    await place.keeper.check();
  }
  const versions = [];
  for (let times = 0; times < 9; times++) versions.push(await start());
  expect(versions).toEqual([5, 5, 5, 4, 4, 4, 4, 3, 3]);
  expect(place.state()).toMatchObject({ current: { version: 3 }, previous: null, trial: null });
  // The agent that gets ready at last tells of it, once.
  const before = place.told.length;
  place.keeper.start();
  expect(place.told.slice(before)).toEqual([
    expect.stringMatching(/^policy-rolled-back: version 5 .* 3 starts/),
    expect.stringMatching(/^policy-rolled-back: version 4 .* 3 starts/),
  ]);
  place.keeper.start();
  expect(place.told).toHaveLength(before + 2);
});

test('a version that the agent ran with is in force again, and on trial again, when the next is taken back', async () => {
  const place = await started();
  place.gives(bundle(3, quiet));
  await place.keeper.check();
  place.refuses = 'rules cannot be run';
  place.gives(bundle(4, { 'config.toml': '' }));
  await place.keeper.check();
  expect(place.state()).toMatchObject({ current: { version: 3 }, trial: { starts: 0 } });
  place.clock.pass(60_000);
  expect(place.state()).toMatchObject({ current: { version: 3, proven: true }, trial: null });
});

test('a trial that ends while the server is asked has ended', async () => {
  const place = await started();
  place.gives(bundle(3, quiet));
  await place.keeper.check();
  place.answer = () => {
    place.clock.pass(60_000);
    return { kind: 'unchanged' };
  };
  await place.keeper.check();
  expect(place.state().trial).toBeNull();
});

test('the bundle itself is asked for while what is known is not in force, whatever was rolled back before', async () => {
  const place = await started();
  place.refuses = 'rules cannot be run';
  place.gives(bundle(3, quiet), '"3"');
  await place.keeper.check();
  place.gives(bundle(4, quiet), '"4"');
  await place.keeper.check();
  // Its files are lost, and the agent is started again.
  rmSync(heldFolder(place.dataDir, place.state().current as Held), { recursive: true });
  place.settings = await place.read();
  expect(place.settings.problems).toHaveLength(1);
  await place.keeper.check();
  expect(place.asked.at(-1)).toBeNull();
  expect(place.settings.policyInForce?.held?.version).toBe(4);
  expect(place.settings.problems).toEqual([]);
});

test.each<[string, (folder: string) => void, RegExp]>([
  ['lost', (folder) => rmSync(path.join(folder, 'hashes/a.txt')), /a\.txt" cannot be read/],
  [
    'cut short',
    (folder) => writeFileSync(path.join(folder, 'hashes/a.txt'), ''),
    /not those that were signed/,
  ],
  ['changed', (folder) => writeFileSync(path.join(folder, 'config.toml'), ''), /not those that were signed/],
  ['put beside', (folder) => writeFileSync(path.join(folder, 'hashes/b.txt'), ''), /b\.txt" is not of the/],
  [
    'a link',
    (folder) => {
      renameSync(path.join(folder, 'hashes/a.txt'), `${folder}.away`);
      symlinkSync(`${folder}.away`, path.join(folder, 'hashes/a.txt'));
    },
    /a\.txt" cannot be read/,
  ],
  [
    'its manifest',
    (folder) => writeFileSync(path.join(folder, 'manifest.json'), '{}'),
    /manifest was changed/,
  ],
])(
  'a file of the policy in force that is %s takes it out of force, which is said, until it is fetched again',
  async (_, harm, said) => {
    const place = await started();
    place.gives(bundle(3, quiet));
    await place.keeper.check();
    harm(heldFolder(place.dataDir, place.state().current as Held));
    place.settings = await place.read();
    expect(place.settings.policyInForce).toBeUndefined();
    expect(place.settings.problems.map(({ code, message }) => [code, message])).toEqual([
      ['policy/damaged-files', expect.stringMatching(said)],
    ]);
    // Nothing that shows the policy calls it in force.
    expect(place.keeper.status()).toMatchObject({ version: null, on_trial: false });
    const { dataDir, policy: source, policyInForce, problems } = place.settings;
    const condition = policyCondition({ dataDir, source, policyInForce, problems, now });
    expect(condition).toMatchObject({ inForce: undefined, reasons: [expect.stringMatching(said)] });
    await place.keeper.check();
    expect(place.settings.problems).toEqual([]);
    expect(place.settings.policyInForce?.held?.version).toBe(3);
  },
);

test.each([
  ['config.toml', 'data_dir = "/x"\n', 'config.toml:1:1: a policy may not set data_dir'],
  ['rules/a.toml', 'x = 1\n', 'rules/a.toml:'],
  ['hashes/a.txt', 'zzz\n', 'hashes/a.txt:1: not a SHA-256'],
  ['exceptions/a.toml', 'x = 1\n', 'exceptions/a.toml:1:1: '],
])('what is refused is named by its place in the bundle: %s', async (name, text, told) => {
  const place = await started();
  place.gives(bundle(3, { [name]: text }));
  await place.keeper.check();
  expect(place.state().failure?.message).toMatch(/^version 3 of the policy cannot be used: /);
  expect(place.state().failure?.message).toContain(`: ${told}`);
  expect(place.state().failure?.message).not.toContain(place.dataDir);
});

test('a disk that takes no word keeps no agent from starting, with a version on trial or after it', async () => {
  const place = await started();
  place.gives(bundle(3, quiet));
  await place.keeper.check();
  const start = async () => {
    const options = { settings: await place.read(), clock: place.clock, reread: place.read };
    return (await settingsAtStart(options, silentLogger)).policyInForce?.held?.version;
  };
  const state = path.join(policyFolder(place.dataDir), 'state.json');
  const write = vi.spyOn(fs, 'renameSync').mockImplementation(() => {
    throw new Error('ENOSPC: no space left on device');
  });
  syncBuiltinESMExports();
  onTestFinished(() => {
    write.mockRestore();
    syncBuiltinESMExports();
  });
  expect(await start()).toBe(3);
  const text = readFileSync(state, 'utf8');
  writeFileSync(state, text.replace('"starts": 0', '"starts": 3'));
  expect(await start()).toBeUndefined();
  expect(readdirSync(policyFolder(place.dataDir)).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('what a full disk lets be unpacked and not put in force is taken away again', async () => {
  const place = await started();
  place.gives(bundle(3, quiet));
  await place.keeper.check();
  const before = readdirSync(policyFolder(place.dataDir)).sort();
  const rename = fs.renameSync;
  const write = vi.spyOn(fs, 'renameSync').mockImplementation((from, to) => {
    if (String(to).endsWith('state.json')) throw new Error('ENOSPC: no space left on device');
    rename(from, to);
  });
  syncBuiltinESMExports();
  onTestFinished(() => {
    write.mockRestore();
    syncBuiltinESMExports();
  });
  place.gives(bundle(4, { 'config.toml': '' }));
  await place.keeper.check();
  expect(readdirSync(policyFolder(place.dataDir)).sort()).toEqual(before);
  expect(place.told.at(-1)).toMatch(/^policy-refused: .*no space left on device \[policy\/cannot-write\]/);
  expect((await place.read()).policyInForce?.held?.version).toBe(3);
});

test('a state that cannot be read just now is left as it is, and so is the policy', async () => {
  const place = await started();
  place.gives(bundle(3, quiet));
  await place.keeper.check();
  const before = place.state();
  const folders = readdirSync(policyFolder(place.dataDir)).sort();
  const open = fs.openSync;
  const reading = vi.spyOn(fs, 'openSync').mockImplementation((file, ...more) => {
    if (String(file).endsWith('state.json'))
      throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
    return open(file, ...more);
  });
  syncBuiltinESMExports();
  onTestFinished(() => {
    reading.mockRestore();
    syncBuiltinESMExports();
  });
  place.gives(bundle(4, { 'rules/a.toml': 'x = 1\n' }));
  await place.keeper.check();
  await place.keeper.check();
  expect(place.told.slice(1)).toEqual([
    expect.stringMatching(/^policy-refused: .*state\.json cannot be read: .* \[policy\/unsafe-state\]/),
  ]);
  const options = { settings: place.settings, clock: place.clock, reread: place.read };
  expect((await settingsAtStart(options, silentLogger)).policyInForce?.held?.version).toBe(3);
  place.keeper.start();
  reading.mockRestore();
  syncBuiltinESMExports();
  expect(place.state()).toEqual(before);
  expect(readdirSync(policyFolder(place.dataDir)).sort()).toEqual(folders);
});

test('what a policy takes from the eyes of a Mac is told with it', async () => {
  const place = await started();
  const exception = (id: string, more: string) =>
    `[[exception]]\nid = "${id}"\nreason = "r"\nauthor = "a"\nexpires = 2027-01-01\n${more}`;
  const wide = `item = 'file.path: /Library/LaunchAgents/com.corp.*'\n`;
  const bound = `sha256 = "${'a'.repeat(64)}"\n`;
  place.gives(
    bundle(3, {
      'exceptions/a.toml': `name = "n"\n${exception('wide', wide)}${exception('bound', bound)}`,
      'config.toml': '[rules]\ndisabled = ["a", "b"]\n',
    }),
  );
  await place.keeper.check();
  expect(place.told).toEqual([
    expect.stringMatching(
      /^policy-applied: version 3 .*; rules that it switches off: 2; exceptions bound to no signer .*: 1$/,
    ),
  ]);
});

test('a policy that has expired stays, and the agent is degraded; so it is when nothing confirms it for long', async () => {
  const place = await started();
  place.gives(bundle(3, quiet, { expires: '2026-11-22T01:00:00Z' }));
  await place.keeper.check();
  place.answer = () => {
    throw new UserError('policy/unreachable', 'no network');
  };
  await place.keeper.check();
  expect(place.keeper.condition().reasons).toEqual([]);
  place.clock.step(3 * 86_400_000);
  const { reasons, expired } = place.keeper.condition();
  expect(expired).toBe(true);
  expect(reasons).toEqual([
    expect.stringMatching(/version 3, expired on .*; it stays/),
    expect.stringMatching(/last confirmed 3 d ago.*no network/),
  ]);
  expect((await place.read()).policyInForce?.held?.version).toBe(3);
  // The network alone is nothing to tell a SIEM about.
  expect(place.told).toHaveLength(1);
});

test('a key that is trusted no more takes its policy out of force, and the rest of the configuration holds', async () => {
  const place = await started();
  place.gives(bundle(3, quiet));
  await place.keeper.check();
  writeFileSync(
    place.file,
    `[policy]\nurl = "https://fleet.example/p"\npublic_key = "${makeKeyPair().publicKey}"\n[log]\nlevel = "warn"\n`,
  );
  const settings = await place.read();
  expect(settings.problems.map(({ code }) => code)).toEqual(['policy/untrusted-key']);
  expect([settings.log.level, settings.detect.closeUpdates]).toEqual(['warn', true]);
});

test('an old key can be taken out when the new one signed too, also what was fetched before the new one was trusted', async () => {
  const next = makeKeyPair();
  const trust = async (...keys: string[]) => {
    const [first, ...more] = keys;
    writeFileSync(
      place.file,
      `[policy]\nurl = "https://fleet.example/p"\npublic_key = "${first}"\npublic_keys = ${JSON.stringify(more)}\n`,
    );
    place.settings = await place.read();
  };
  const place = await started();
  place.gives(signBundle(bundle(3, quiet), readPrivateKey(next.privatePem, 'next')));
  await place.keeper.check();
  await trust(pair.publicKey, next.publicKey);
  await place.keeper.check();
  // Another set of keys: whether both have signed is seen in the bundle alone.
  expect(place.asked).toEqual([null, null]);
  expect(place.told).toHaveLength(1);
  await trust(next.publicKey);
  expect(place.settings.problems).toEqual([]);
  expect(place.settings.policyInForce?.held?.version).toBe(3);
  await trust(makeKeyPair().publicKey);
  expect(place.settings.problems.map(({ code }) => code)).toEqual(['policy/untrusted-key']);
});

test('the ETag of one server is not sent to another one', async () => {
  const place = await started();
  place.gives(bundle(3, quiet), '"3"');
  await place.keeper.check();
  await place.keeper.check();
  writeFileSync(place.file, readFileSync(place.file, 'utf8').replace('fleet.example', 'other.example'));
  place.settings = await place.read();
  await place.keeper.check();
  await place.keeper.check();
  expect(place.asked).toEqual([null, '"3"', null, '"3"']);
});

test('a state that is damaged stops nothing, and brings no older version back', async () => {
  const place = await started();
  place.gives(bundle(3, quiet));
  await place.keeper.check();
  writeFileSync(path.join(policyFolder(place.dataDir), 'state.json'), '{"highest": 3, "cur');
  const settings = await place.read();
  expect(settings.problems.map(({ code }) => code)).toEqual(['policy/damaged-state']);
  place.settings = settings;
  place.gives(bundle(2, quiet));
  await place.keeper.check();
  expect(place.state()).toMatchObject({ current: null, highest: 3, failure: { code: 'policy/stale' } });
  place.gives(bundle(3, quiet));
  await place.keeper.check();
  expect(place.state().current?.version).toBe(3);
});

test('what a crash left half written is removed, and never in force', async () => {
  const place = await started();
  const left = path.join(policyFolder(place.dataDir), '.new-0123456789ab', 'rules');
  mkdirSync(left, { recursive: true });
  place.gives(bundle(3, quiet));
  await place.keeper.check();
  expect(existsSync(left)).toBe(false);
});

test('without a key nothing is fetched, and that is said', () => {
  const folder = tempFolder();
  const file = path.join(folder, 'c.toml');
  writeFileSync(file, '[policy]\nurl = "https://fleet.example/p"\n');
  const { policy, problems } = loadSettings({ flags: { config: file }, cwd: folder, platform: 'linux' });
  expect([policy, ...problems.map(({ code }) => code)]).toEqual([undefined, 'policy/no-key']);
});

test('what cannot be written down is an error, and the version before stays', async () => {
  const place = await started();
  place.gives(bundle(3, quiet));
  await place.keeper.check();
  const before = place.state();
  // Nothing can be made in a folder that is a file.
  const folder = policyFolder(place.dataDir);
  renameSync(folder, `${folder}.away`);
  writeFileSync(folder, '');
  place.gives(bundle(4, { 'config.toml': '' }));
  await place.keeper.check();
  rmSync(folder);
  renameSync(`${folder}.away`, folder);
  expect(place.state()).toEqual(before);
  await place.keeper.check();
  expect(place.state().current?.version).toBe(4);
});

test('the server is asked once an interval, and after failures with growing pauses', async () => {
  const place = await started();
  const asksAfter = async (milliseconds: number) => {
    const before = place.asked.length;
    place.clock.pass(milliseconds);
    // What is under way ends behind a further question.
    await place.keeper.check();
    return place.asked.length - before - 1;
  };
  expect(await asksAfter(14_000)).toBe(0);
  expect(await asksAfter(3_599_000)).toBe(0);
  expect(await asksAfter(3_601_000)).toBe(1);
  place.answer = () => {
    throw new UserError('policy/unreachable', 'no network');
  };
  await place.keeper.check();
  // The second failure in a row waits for 120 s, half of it by chance, ...
  await place.keeper.check();
  expect(place.state().failure?.times).toBe(2);
  expect(await asksAfter(89_000)).toBe(0);
  // ... and none for longer than the interval.
  for (let more = 0; more < 20; more++) await place.keeper.check();
  expect(await asksAfter(3_601_000)).toBe(1);
  await place.keeper.stop();
  expect(place.clock.waiting).toBe(0);
});
