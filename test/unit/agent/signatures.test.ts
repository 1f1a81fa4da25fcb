import { expect, onTestFinished, test, vi } from 'vitest';
import { Pipeline } from '../../../src/agent/pipeline.js';
import { type RunTool, runBounded, Signatures } from '../../../src/agent/signatures.js';
import { silentLogger } from '../../../src/base/log.js';
import { RootMap } from '../../../src/base/root.js';
import type { ToolAnswer } from '../../../src/base/tool.js';
import { Enricher, trustedRequirement } from '../../../src/enrich/index.js';
import type { LaunchItemFields } from '../../../src/event/document.js';
import type { Event } from '../../../src/event/event.js';
import type { Store } from '../../../src/store/index.js';
import {
  candidate,
  context,
  detection,
  fileEvent,
  processEvent,
  standingClock,
  temporaryStore,
} from '../store/samples.js';

const signed = [
  'Executable=/opt/x',
  'Identifier=org.example.x',
  'Signature size=9051',
  'Authority=Developer ID Application: Example Org (ABCDE12345)',
  'TeamIdentifier=ABCDE12345',
].join('\n');
const trusted = {
  exists: true,
  trusted: true,
  status: 'trusted',
  signing_id: 'org.example.x',
  team_id: 'ABCDE12345',
  subject_name: 'Developer ID Application: Example Org (ABCDE12345)',
};

/** The tools of a Mac, scripted: files with what stat says of them. */
class FakeTools {
  readonly calls: string[][] = [];
  readonly files = new Map<string, string>([['/opt/x', 'Regular File 1 2 3 4.5 6.7']]);
  description: ToolAnswer = { status: 0, stdout: '', stderr: signed };
  verification: ToolAnswer = { status: 0, stdout: '', stderr: '' };
  running = 0;
  most = 0;
  /** What a run of codesign waits for. */
  gate: Promise<void> = Promise.resolve();

  readonly uids: (number | undefined)[] = [];

  readonly run: RunTool = async (program, args, { uid }) => {
    this.calls.push([program, ...args]);
    this.uids.push(uid);
    const path = args.at(-1) ?? '';
    this.running++;
    this.most = Math.max(this.most, this.running);
    try {
      if (program === '/usr/bin/codesign') await this.gate;
      if (program === '/usr/bin/stat') {
        const facts = this.files.get(path);
        return facts === undefined
          ? { status: 1, stdout: '', stderr: `stat: ${path}: stat: No such file or directory\n` }
          : { status: 0, stdout: `${facts}\n`, stderr: '' };
      }
      return args[0] === '-d' ? this.description : this.verification;
    } finally {
      this.running--;
    }
  };

  get asked(): number {
    return this.calls.filter(([program, first]) => program === '/usr/bin/codesign' && first === '-d').length;
  }
}

interface Rig {
  readonly store: Store;
  readonly tools: FakeTools;
  readonly signatures: Signatures;
  readonly pipeline: Pipeline;
  /** Commits an alert on a launch item, as detection does. */
  alert(name: string, plist?: LaunchItemFields): string;
  signatureOf(alertId: string): unknown;
}

function rig(
  where: {
    readonly simulated?: boolean;
    readonly platform?: NodeJS.Platform;
    readonly decider?: number;
  } = {},
): Rig {
  const store = temporaryStore();
  const tools = new FakeTools();
  const clock = standingClock();
  const identity = { version: '1', agentId: 'agent', hostId: 'host', boot: 'boot' };
  const pipeline: Pipeline = new Pipeline({
    store,
    enricher: new Enricher({ root: new RootMap(), clock, ...identity }),
    rules: [],
    clock,
    log: silentLogger,
    destinations: ['siem'],
    muted: () => false,
    ask: () => {},
    context: () => context,
    journaled: () => {},
    committed: (alerts) => signatures.committed(alerts),
    amended: (event) => signatures.amended(event),
  });
  const signatures = new Signatures({
    events: store.events,
    log: silentLogger,
    simulated: where.simulated ?? false,
    platform: where.platform ?? 'darwin',
    amend: (event) => pipeline.amend(event),
    run: tools.run,
    decider: () => where.decider,
  });
  onTestFinished(() => signatures.stop());
  return {
    store,
    tools,
    signatures,
    pipeline,
    alert(name, plist = { program: '/opt/x' }) {
      const file = item(`f-${name}`, plist);
      store.events.append([file]);
      const found = detection(name, {
        events: [file, processEvent(`p-${name}`)],
        candidates: [candidate(file)],
      });
      const { alert } = store.alerts.upsert(found, context, ['siem']);
      signatures.committed([alert]);
      return alert.id;
    },
    signatureOf: (id) => store.alerts.get(id)?.doc.launchwarden?.plist?.code_signature,
  };
}

function item(id: string, plist: LaunchItemFields): Event {
  const event = fileEvent(id);
  return { ...event, doc: { ...event.doc, launchwarden: { plist } } };
}

test('an alert grows by who signed the program of its launch item, and is sent again', async () => {
  const { alert, store, signatureOf, tools, signatures } = rig();
  const id = alert('a', { label: 'org.example', program: '/opt/x', json: '{}' });
  await vi.waitFor(() => expect(signatureOf(id)).toEqual(trusted));
  const grown = store.alerts.get(id);
  expect(grown?.revision).toBe(2);
  expect(grown?.doc.launchwarden?.plist).toMatchObject({ label: 'org.example', json: '{}' });
  expect(grown?.doc['Events']).toMatchObject([
    { launchwarden: { plist: { code_signature: trusted } } },
    { process: { pid: 7 } },
  ]);
  expect(store.events.get('f-a')?.doc.launchwarden?.plist?.code_signature).toEqual(trusted);
  const rows = store.outbox.take('siem', 'alert', { maxItems: 10, maxBytes: 1e6, now: 0 });
  expect(rows.map(({ revision }) => revision)).toContain(2);
  expect(signatures.status()).toEqual({ asked: 1, cached: 0, amended: 1, dropped: 0, unanswered: 0 });
  // The change time (%Fc) is in it: a file cannot be put in the place of another unseen.
  const stat = ['/usr/bin/stat', '-L', '-f', '%HT %d %i %z %Fm %Fc', '/opt/x'];
  expect(tools.calls).toEqual([
    stat,
    ['/usr/bin/codesign', '-d', '--verbose=4', '/opt/x'],
    ['/usr/bin/codesign', '--verify', '--strict', '-R', `=${trustedRequirement}`, '/opt/x'],
    stat,
  ]);
});

test('the first argument is the program when there is no Program', async () => {
  const { alert, signatureOf } = rig();
  const id = alert('a', { program_arguments: ['/opt/x', '--daemon'] });
  await vi.waitFor(() => expect(signatureOf(id)).toEqual(trusted));
});

test.each([
  ['relative', { program: 'x' }],
  ['longer than a path can be', { program: `/${'x'.repeat(2_000)}` }],
  ['none', {}],
] as const)('a program that is %s is not asked about', async (_, plist) => {
  const { alert, signatureOf, tools } = rig();
  const id = alert('a', plist);
  // Behind it in the queue: once this one is answered, the first was looked at.
  const next = alert('b');
  await vi.waitFor(() => expect(signatureOf(next)).toEqual(trusted));
  expect(signatureOf(id)).toBeUndefined();
  expect(tools.asked).toBe(1);
});

test.each([
  ['/opt/none', 'not checked: no such file'],
  ['/opt/folder', 'not checked: not a regular file'],
  ['/opt/x\nTeamIdentifier=ABCDE12345', 'not checked: its path holds control characters'],
])('%j is told as it is, without codesign', async (program, status) => {
  const { alert, signatureOf, tools } = rig();
  tools.files.set('/opt/folder', 'Directory 1 2 3 4.5 6.7');
  const id = alert('a', { program });
  await vi.waitFor(() => expect(signatureOf(id)).toEqual({ status }));
  expect(tools.asked).toBe(0);
});

test('an unsigned program needs no verification', async () => {
  const { alert, signatureOf, tools } = rig();
  const status = 'code object is not signed at all';
  tools.description = { status: 1, stdout: '', stderr: `/opt/x: ${status}\n` };
  const id = alert('a');
  await vi.waitFor(() => expect(signatureOf(id)).toEqual({ exists: false, status }));
  expect(tools.calls.flat()).not.toContain('--verify');
});

test('the same file is asked about once, a changed one again', async () => {
  const { alert, signatureOf, tools } = rig();
  const first = alert('a');
  await vi.waitFor(() => expect(signatureOf(first)).toEqual(trusted));
  const second = alert('b');
  await vi.waitFor(() => expect(signatureOf(second)).toEqual(trusted));
  expect(tools.asked).toBe(1);
  // Only the change time differs: size, inode and modification time are the attacker's to choose.
  tools.files.set('/opt/x', 'Regular File 1 2 3 4.5 6.8');
  const third = alert('c');
  await vi.waitFor(() => expect(signatureOf(third)).toEqual(trusted));
  expect(tools.asked).toBe(2);
});

test('a program that is exchanged while it is checked is not called trusted', async () => {
  const { alert, signatureOf, tools } = rig();
  tools.gate = new Promise((resolve) => {
    queueMicrotask(() => {
      tools.files.set('/opt/x', 'Regular File 1 9 3 4.5 6.7');
      resolve();
    });
  });
  const id = alert('a');
  await vi.waitFor(() => expect(signatureOf(id)).toEqual({ status: 'not checked: it changed meanwhile' }));
});

test('no answer in time is said, counted, and not remembered', async () => {
  const { alert, signatureOf, tools, signatures } = rig();
  tools.verification = { status: null, stdout: '', stderr: '' };
  const first = alert('a');
  await vi.waitFor(() =>
    expect(signatureOf(first)).toMatchObject({ exists: true, status: 'could not be verified' }),
  );
  expect(signatureOf(first)).not.toHaveProperty('trusted');
  expect(signatures.status()).toMatchObject({ unanswered: 1 });
  tools.verification = { status: 0, stdout: '', stderr: '' };
  const second = alert('b');
  await vi.waitFor(() => expect(signatureOf(second)).toEqual(trusted));
});

test('a burst: two at once, what does not fit is counted', async () => {
  const { alert, tools, signatures, signatureOf } = rig();
  let open = () => {};
  tools.gate = new Promise((resolve) => {
    open = resolve;
  });
  const ids = Array.from({ length: 300 }, (_, index) => {
    tools.files.set(`/opt/${index}`, 'Regular File 1 2 3 4.5 6.7');
    return alert(String(index), { program: `/opt/${index}` });
  });
  await vi.waitFor(() => expect(tools.running).toBe(2));
  // Two run, 256 wait.
  expect(signatures.status()).toMatchObject({ dropped: 300 - 2 - 256 });
  open();
  await vi.waitFor(() => expect(signatures.status()).toMatchObject({ amended: 258 }), { timeout: 20_000 });
  expect(tools.most).toBe(2);
  expect(signatureOf(ids[257] as string)).toEqual(trusted);
  expect(signatureOf(ids[258] as string)).toBeUndefined();
});

test('a launch item that is told anew, with another program, is asked about again', async () => {
  const { alert, signatureOf, pipeline, tools } = rig();
  const id = alert('a');
  await vi.waitFor(() => expect(signatureOf(id)).toEqual(trusted));
  tools.description = { status: 1, stdout: '', stderr: '/opt/y: code object is not signed at all\n' };
  tools.files.set('/opt/y', 'Regular File 1 5 3 4.5 6.7');
  pipeline.amend(item('f-a', { program: '/opt/y' }));
  await vi.waitFor(() => expect(signatureOf(id)).toMatchObject({ exists: false }));
});

test('a program that changes while the first is looked at: the answer is about the last', async () => {
  const { alert, signatureOf, pipeline, tools } = rig();
  tools.files.set('/opt/y', 'Regular File 1 5 3 4.5 6.7');
  tools.gate = new Promise((resolve) => {
    queueMicrotask(() => {
      pipeline.amend(item('f-a', { program: '/opt/y' }));
      resolve();
    });
  });
  const id = alert('a');
  await vi.waitFor(() => expect(signatureOf(id)).toEqual(trusted));
  const described = tools.calls.filter(([, first]) => first === '-d').map((call) => call.at(-1));
  expect(described).toEqual(['/opt/x', '/opt/y']);
});

test('a stopped one amends nothing more', async () => {
  const { alert, signatureOf, signatures, tools, store } = rig();
  let open = () => {};
  tools.gate = new Promise((resolve) => {
    open = resolve;
  });
  const id = alert('a');
  await vi.waitFor(() => expect(tools.asked).toBe(1));
  signatures.stop();
  open();
  await vi.waitFor(() => expect(tools.running).toBe(0));
  await new Promise((resolve) => setImmediate(resolve));
  expect(signatureOf(id)).toBeUndefined();
  // The next run of the agent asks for what is still missing.
  const again = new Signatures({
    events: store.events,
    log: silentLogger,
    simulated: false,
    platform: 'darwin',
    amend: (event) => store.alerts.amendEvent(event, []),
    run: tools.run,
  });
  again.committed(store.alerts.list({ limit: 10 }));
  await vi.waitFor(() => expect(signatureOf(id)).toEqual(trusted));
});

test.each([
  [{ platform: 'linux' }, 'codesign is a tool of macOS'],
  [{ simulated: true }, "the programs of a --root tree are not this machine's"],
] as const)('where there is no codesign (%o) nothing runs, and the status says why', async (where, off) => {
  const { alert, signatures, tools } = rig(where);
  alert('a');
  await new Promise((resolve) => setImmediate(resolve));
  expect(tools.calls).toEqual([]);
  expect(signatures.status()).toEqual({ off });
});

test("of a user's item codesign is asked with that user's rights", async () => {
  const { alert, signatureOf, tools } = rig({ decider: 501 });
  const id = alert('a');
  await vi.waitFor(() => expect(signatureOf(id)).toEqual(trusted));
  expect(new Set(tools.uids)).toEqual(new Set([501]));
});

test("a tool that runs as a user has neither root's rights nor its groups", async (context) => {
  if (process.geteuid?.() !== 0) context.skip('only root can run something as somebody else');
  const { signal } = new AbortController();
  const groups = await runBounded('/usr/bin/id', ['-G'], { signal, uid: 41_001 });
  expect(groups.stdout).toBe('4294967294\n');
  expect((await runBounded('/usr/bin/id', ['-u'], { signal, uid: 4_294_967_294 })).stdout).toBe(
    '4294967294\n',
  );
  expect((await runBounded('/bin/cat', ['/etc/shadow'], { signal, uid: 41_001 })).status).not.toBe(0);
});

test('tools run without a shell and with an environment of their own; what does not start has no status', async () => {
  const how = { signal: new AbortController().signal, uid: undefined };
  expect(await runBounded('/bin/echo', ['$HOME', ';', 'x'], how)).toEqual({
    status: 0,
    stdout: '$HOME ; x\n',
    stderr: '',
  });
  const environment = await runBounded('/usr/bin/env', [], how);
  expect(environment.stdout).not.toContain('VITEST');
  expect(await runBounded('/bin/sh', ['-c', 'echo no >&2; exit 3'], how)).toEqual({
    status: 3,
    stdout: '',
    stderr: 'no\n',
  });
  expect((await runBounded('/nonexistent/tool', [], how)).status).toBeNull();
});

test('a tool that is told to end has no status, and one that prints too much is cut off', async () => {
  const stop = new AbortController();
  const running = runBounded('/bin/sleep', ['60'], { signal: stop.signal, uid: undefined });
  stop.abort();
  expect((await running).status).toBeNull();
  const flood = await runBounded('/bin/sh', ['-c', 'while :; do echo flood; done'], {
    signal: new AbortController().signal,
    uid: undefined,
  });
  expect(flood.status).toBeNull();
  expect(flood.stdout.length).toBeLessThanOrEqual(256 * 1024);
});
