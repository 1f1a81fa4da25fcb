import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { chained, contentOf } from '../../../src/event/chain.js';
import type { EcsDocument } from '../../../src/event/document.js';
import { heartbeatDocument } from '../../../src/forward/status.js';
import { asUpdate } from '../../../src/forward/updates.js';
import { ChainVerifier, type Verification, type VerifyOptions } from '../../../src/forward/verify.js';
import { openStore, type Store } from '../../../src/store/index.js';
import { fuzzRuns } from '../../helpers/fuzz-runs.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { fc } from '../../helpers/property.js';
import { cli, documents, tempFolder } from '../../helpers/run-cli.js';
import { context, detection, start, temporaryStore } from '../store/samples.js';

const status = { version: '1', agentId: context.agentId, simulated: false };

function beat(store: Store): EcsDocument {
  const chain = store.alerts.chain();
  return JSON.parse(heartbeatDocument({ chain, health: {}, next: start }, start, status).body) as EcsDocument;
}

/** What a destination gets of what waits, as it would send it. */
function sent(store: Store, settle: boolean): EcsDocument[] {
  const now = start / 1000 + 1e9;
  const rows = store.outbox.take('siem', 'alert', { maxItems: 100, maxBytes: 1e9, now });
  const settlements = rows.map(({ seq, revision }) => ({ seq, revision, outcome: 'delivered' as const }));
  if (settle) store.outbox.settle('siem', 'alert', { settlements, now });
  return rows.map((row) => JSON.parse(asUpdate(row).body) as EcsDocument);
}

function verified(docs: readonly EcsDocument[], head?: string, options: VerifyOptions = {}): Verification {
  const verifier = new ChainVerifier();
  for (const doc of docs) verifier.add(JSON.parse(JSON.stringify(doc)) as EcsDocument);
  return verifier.end({ ...options, head });
}

const isAlert = (doc: EcsDocument) => doc.launchwarden?.['alert'] !== undefined;
const isUpdate = (doc: EcsDocument) =>
  (doc.launchwarden?.['alert'] as { update?: boolean } | undefined)?.update === true;
const kinds = ({ findings }: Verification) => findings.map(({ kind }) => kind);

type Step =
  | { readonly do: 'alert' }
  | { readonly do: 'grow'; readonly which: number }
  | { readonly do: 'send'; readonly acknowledged: boolean }
  | { readonly do: 'beat' };

const steps = fc.array(
  fc.oneof(
    fc.constant<Step>({ do: 'alert' }),
    fc.record({ do: fc.constant('grow' as const), which: fc.nat(20) }),
    fc.record({ do: fc.constant('send' as const), acknowledged: fc.boolean() }),
    fc.constant<Step>({ do: 'beat' }),
  ),
  { minLength: 1, maxLength: 25 },
);

/** A store and what its destination got, to the end; at least two alerts. */
function streamOf(plan: readonly Step[]): { readonly docs: EcsDocument[]; readonly store: Store } {
  const store = temporaryStore();
  const docs: EcsDocument[] = [];
  const repeats: number[] = [];
  const upsert = (n: number) =>
    store.alerts.upsert(detection(`a${n}`, { repeats: repeats[n] ?? 0 }), context, ['siem']);
  const add = () => {
    repeats.push(0);
    upsert(repeats.length - 1);
  };
  add();
  add();
  for (const step of plan) {
    if (step.do === 'alert') add();
    else if (step.do === 'beat') docs.push(beat(store));
    else if (step.do === 'send') docs.push(...sent(store, step.acknowledged));
    else {
      const n = step.which % repeats.length;
      repeats[n] = (repeats[n] ?? 0) + 1;
      upsert(n);
    }
  }
  docs.push(...sent(store, true), beat(store));
  return { docs, store };
}

const runs = { numRuns: fuzzRuns(10) };

test('a stream as it was sent, with copies and revisions, is proven; its end too', () => {
  fc.assert(
    fc.property(steps, (plan) => {
      const { docs, store } = streamOf(plan);
      const proof = verified(docs, store.alerts.chain().digest);
      // What was sent again without an answer may stand behind later ones.
      expect(kinds(proof).filter((kind) => kind !== 'order')).toEqual([]);
      expect(proof.ok).toBe(true);
      expect(proof.chains).toMatchObject([{ first: 1, last: store.alerts.chain().length }]);
    }),
    runs,
  );
});

test('an alert that is taken out is told, wherever it stood', () => {
  fc.assert(
    fc.property(steps, fc.nat(), (plan, which) => {
      const { docs } = streamOf(plan);
      const ids = [...new Set(docs.filter(isAlert).map(({ event }) => event?.id))];
      const id = ids[which % ids.length];
      const proof = verified(docs.filter((doc) => !isAlert(doc) || doc.event?.id !== id));
      expect(kinds(proof)).toContainEqual(expect.stringMatching(/^(?:missing|begins-late)$/));
    }),
    runs,
  );
});

test('a first document that is taken out is told when only an update of it is left', () => {
  const { docs } = streamOf([
    { do: 'send', acknowledged: true },
    { do: 'grow', which: 1 },
  ]);
  expect(docs.filter(isUpdate)).toHaveLength(1);
  const proof = verified(docs.filter((doc) => isUpdate(doc) || doc.event?.id !== detection('a1').id));
  expect(proof.findings).toMatchObject([{ kind: 'missing', from: 2, to: 2 }]);
});

/** Every place of a document that holds something. */
function placesOf(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, one]) =>
    placesOf(one, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}

function changed(doc: EcsDocument, place: readonly (string | number)[]): EcsDocument {
  const copy = structuredClone(doc);
  let holder = copy as unknown as Record<string | number, unknown>;
  for (const step of place.slice(0, -1)) holder = holder[step] as Record<string | number, unknown>;
  const key = place.at(-1) as string;
  const old = holder[key];
  holder[key] = typeof old === 'number' ? old + 1 : typeof old === 'boolean' ? !old : `${String(old)}x`;
  return copy;
}

/** What a destination or its receiver sets by itself: a change of it says nothing. */
const free = /^(?:event\.dataset|data_stream\.(?:dataset|namespace)|launchwarden\.alert\.update)$/;
/** In an update the destination sets these, too. */
const freeOfUpdate = /^event\.(?:kind|type\.0|action)$/;

test('a value that was altered anywhere in an alert is told', () => {
  fc.assert(
    fc.property(steps, fc.nat(), fc.nat(), (plan, which, where) => {
      const { docs } = streamOf(plan);
      const alerts = docs.filter(isAlert);
      const doc = alerts[which % alerts.length] as EcsDocument;
      const places = placesOf(doc).filter((place) => {
        const name = place.join('.');
        return !free.test(name) && !(isUpdate(doc) && freeOfUpdate.test(name));
      });
      const place = places[where % places.length] as readonly (string | number)[];
      const proof = verified(docs.map((one) => (one === doc ? changed(doc, place) : one)));
      expect([place.join('.'), proof.findings.length > 0]).toEqual([place.join('.'), true]);
    }),
    runs,
  );
});

test('two alerts that changed places are told', () => {
  fc.assert(
    fc.property(steps, fc.nat(), (plan, which) => {
      const docs = streamOf(plan.filter((step) => step.do !== 'send')).docs;
      const places = [...docs.keys()].filter((at) => isAlert(docs[at] as EcsDocument));
      const at = which % (places.length - 1);
      const [a, b] = [places[at] as number, places[at + 1] as number];
      const swapped = docs.with(a, docs[b] as EcsDocument).with(b, docs[a] as EcsDocument);
      expect(kinds(verified(swapped))).toEqual(['order']);
    }),
    runs,
  );
});

test('an alert with another content under its number, a replaced database, and an end that is not the named one', () => {
  const one = streamOf([]);
  const other = streamOf([{ do: 'alert' }]);
  const both = verified([...one.docs, ...other.docs]);
  expect(kinds(both)).toEqual(['unlinked']);
  expect(both.ok).toBe(false);
  expect(both.chains).toHaveLength(2);
  expect(verified([...one.docs, ...other.docs], undefined, { accept: ['unlinked'] }).ok).toBe(true);
  expect(kinds(verified(one.docs, other.store.alerts.chain().digest))).toEqual(['missing']);
  expect(kinds(verified(one.docs.filter(isAlert)))).toEqual(['open-end']);
});

test('what could not be checked is not called whole', async () => {
  const { docs } = streamOf([{ do: 'alert' }]);
  const file = path.join(tempFolder(), 'alerts.ndjson');
  const told = async (lines: readonly EcsDocument[], more = '') => {
    writeFileSync(file, `${lines.map((doc) => JSON.stringify(doc)).join('\n')}\n${more}`);
    const { code, stdout } = await cli(['verify', file]);
    return [code, stdout.trim().split('\n').at(-1)];
  };
  const partly = [0, 'Nothing is missing, and nothing was altered in what could be checked: see above.'];
  expect(await told(docs)).toEqual([
    0,
    expect.stringContaining('Nothing is missing and nothing was altered'),
  ]);
  expect(await told(docs, '{"cut')).toEqual(partly);
  const marked = {
    ...docs[0],
    message: 'forged',
    launchwarden: { ...docs[0]?.launchwarden, truncated: true },
  };
  const forged = [marked as EcsDocument, ...docs.slice(1)];
  expect(await told(forged)).toEqual([1, expect.stringContaining('cannot be proven')]);
  expect((await cli(['verify', file, '--accept', 'not-checked'])).code).toBe(0);
});

const linkOf = (doc: EcsDocument) => doc.launchwarden?.['chain'] as Record<string, unknown>;

/** What a forger can write into a document so that nobody can check it, each beside a change. */
const hidings: readonly (readonly [string, (doc: EcsDocument) => Record<string, unknown>])[] = [
  ['as cut', (doc) => ({ ...doc.launchwarden, truncated: true })],
  [
    'as of an older version',
    (doc) => {
      const { revised: _, ...chain } = linkOf(doc);
      return { ...doc.launchwarden, chain };
    },
  ],
  [
    'as of no chain',
    (doc) => Object.fromEntries(Object.entries(doc.launchwarden ?? {}).filter(([key]) => key !== 'chain')),
  ],
];

test.each(hidings)('a change cannot be hidden by marking the document %s', (_, hide) => {
  const { docs } = streamOf([
    { do: 'send', acknowledged: true },
    { do: 'grow', which: 1 },
  ]);
  const doc = docs.find(isUpdate) as EcsDocument;
  const forged = { ...doc, '@timestamp': '2020-01-01T00:00:00Z', launchwarden: hide(doc) } as EcsDocument;
  const proof = verified(docs.map((one) => (one === doc ? forged : one)));
  expect(kinds(proof)).toEqual(['not-checked']);
  expect(proof.ok).toBe(false);
});

test('a beginning that a heartbeat proves is missing when it is cut off, and any with --whole', () => {
  const { docs } = streamOf([{ do: 'send', acknowledged: true }, { do: 'alert' }, { do: 'beat' }]);
  const early = { do: 'beat' } as const;
  const begun = streamOf([early, { do: 'alert' }]).docs;
  const number = (doc: EcsDocument) => Number(linkOf(doc)['index']);
  const later = (all: readonly EcsDocument[]) => all.filter((doc) => !isAlert(doc) || number(doc) > 2);
  expect(verified(later(docs))).toMatchObject({ ok: true, findings: [{ kind: 'begins-late', to: 2 }] });
  expect(verified(later(docs), undefined, { whole: true }).ok).toBe(false);
  // The heartbeat counts two alerts; without the third it is not from before it.
  const third = begun.filter((doc) => !isAlert(doc) || number(doc) !== 3);
  expect(verified(third)).toMatchObject({ ok: false, findings: [{ kind: 'missing', from: 3, to: 3 }] });
  const first = [beatOf(begun, 0), ...begun];
  expect(verified(later(first))).toMatchObject({ ok: false });
  const ended = begun.filter(isAlert);
  expect(verified(ended).ok).toBe(true);
  expect(verified(ended, undefined, { whole: true })).toMatchObject({
    ok: false,
    findings: [{ kind: 'open-end', wrong: true }],
  });
  const quiet = verified(docs.filter((doc) => !isAlert(doc)).slice(-1));
  expect(quiet).toMatchObject({ ok: true, findings: [{ kind: 'begins-late', from: 1, to: 3 }] });
});

/** A heartbeat from when the chain had no alert yet. */
function beatOf(docs: readonly EcsDocument[], length: number): EcsDocument {
  const made = structuredClone(docs.find((doc) => !isAlert(doc))) as EcsDocument;
  const status = made.launchwarden?.['status'] as { chain: Record<string, unknown> };
  Object.assign(status.chain, { length, digest: status.chain['id'] });
  return made;
}

test('streams of two Macs and an older stream are told apart from what was sent', () => {
  const { docs } = streamOf([{ do: 'alert' }, { do: 'beat' }]);
  const foreign = (doc: EcsDocument) =>
    ({ ...doc, agent: { ...doc.agent, id: 'other' }, host: { name: 'other' } }) as EcsDocument;
  // Documents of one Mac under the name of another one are not what was sent.
  expect(kinds(verified(docs.map((doc, at) => (at === 1 ? foreign(doc) : doc))))).toContain('altered');
  const told = docs.findLast((doc) => !isAlert(doc));
  expect(verified(docs).chains).toMatchObject([{ heard: told?.['@timestamp'] }]);
});

/** Two databases of one Mac, one after the other. `lose` is what becomes of the data folder in between. */
function twoChains(lose: (dataDir: string) => void, more = 0) {
  const dataDir = path.join(tempFolder(), 'data');
  const open = () => {
    const store = openStore({ dataDir, clock: new ManualClock(), keepGoing: true });
    store.outbox.configure(['siem'], 1, 0);
    return store;
  };
  const old = open();
  old.meta.set('agent.id', context.agentId);
  for (const name of ['a', 'b']) old.alerts.upsert(detection(name), context, ['siem']);
  const first = [...sent(old, true), beat(old)];
  old.close();
  const kept = path.join(path.dirname(dataDir), 'kept');
  cpSync(dataDir, kept, { recursive: true });
  if (more > 0) {
    const grown = open();
    for (let n = 0; n < more; n++) grown.alerts.upsert(detection(`m${n}`), context, ['siem']);
    first.push(...sent(grown, true), beat(grown));
    grown.close();
  }
  lose(dataDir);
  const next = open();
  const notices = next.takeNotices().map(({ reason, detail }) => `${reason}: ${detail}`);
  const begun = beat(next);
  next.alerts.upsert(detection('c'), context, ['siem']);
  const second = [begun, ...sent(next, true), beat(next)];
  const chain = next.alerts.chain();
  const agent = next.meta.get('agent.id');
  next.close();
  return { first, second, notices, chain, agent, kept };
}

const remove =
  (...names: readonly string[]) =>
  (dataDir: string) => {
    for (const name of readdirSync(dataDir))
      if (names.some((one) => name.startsWith(one))) rmSync(path.join(dataDir, name), { recursive: true });
  };

test('a database that was deleted is followed by a chain that names the one before; an agent keeps its id', () => {
  for (const names of [['launchwarden.db'], ['launchwarden.db', 'events.db']]) {
    const { first, second, notices, chain, agent } = twoChains(remove(...names));
    const old = verified(first).chains[0]?.chain as string;
    expect(chain).toMatchObject({ length: 1, before: { id: old, length: 2 } });
    expect(agent).toBe(context.agentId);
    expect(notices).toContainEqual(expect.stringMatching(`^store-lost: .*begins anew.*${old}, had 2 alerts`));
    const proof = verified([...first, ...second]);
    expect(proof).toMatchObject({ ok: true, findings: [{ kind: 'new-chain', chain: chain.id }] });
    expect(verified(second)).toMatchObject({ ok: true, findings: [] });
    // The forger: the end of the old chain, the link, and what it names.
    expect(kinds(verified([...first.slice(0, 1), ...second]))).toContain('missing');
    const without = (doc: EcsDocument) => JSON.parse(JSON.stringify(doc, dropBefore)) as EcsDocument;
    expect(verified([...first, ...second.map(without)]).ok).toBe(false);
    const shorter = (doc: EcsDocument) =>
      JSON.parse(JSON.stringify(doc, (key, one) => (key === 'before' ? { ...one, length: 1 } : one)));
    expect(verified(second.map(shorter) as EcsDocument[]).ok).toBe(false);
    expect(verified([...first, ...second].filter((doc) => !isAlert(doc)).map(without)).ok).toBe(false);
  }
});

const dropBefore = (key: string, one: unknown) => (key === 'before' ? undefined : one);

test('without what stood beside the database the new chain is unlinked, and that is told where evidence is left', () => {
  const { first, second, notices, chain } = twoChains((dataDir) => {
    remove('launchwarden.db', 'events.db', 'chain.json')(dataDir);
    mkdirSync(path.join(dataDir, 'evidence'), { recursive: true });
  });
  expect(chain).not.toHaveProperty('before');
  expect(notices).toEqual([expect.stringContaining('the one before is unknown')]);
  expect(verified([...first, ...second])).toMatchObject({ ok: false, findings: [{ kind: 'unlinked' }] });
  // Another id of the agent does not hide it: the Mac is the same.
  const named = (doc: EcsDocument, id: string) => ({
    ...doc,
    agent: { ...doc.agent, id },
    host: { id: 'mac' },
  });
  const beats = [...first, ...second].filter((doc) => !isAlert(doc));
  const two = beats.map((doc, at) => named(doc, at === 0 ? 'one' : 'two')) as EcsDocument[];
  expect(kinds(verified(two))).toContain('unlinked');
});

test('a database from before begins a new chain: no number is given twice', () => {
  const { first, second, chain } = twoChains((dataDir) => {
    remove('launchwarden.db')(dataDir);
    cpSync(
      path.join(path.dirname(dataDir), 'kept', 'launchwarden.db'),
      path.join(dataDir, 'launchwarden.db'),
    );
  }, 2);
  expect(chain).toMatchObject({ length: 1, before: { length: 4 } });
  expect(verified([...first, ...second])).toMatchObject({ ok: true, findings: [{ kind: 'new-chain' }] });
  expect(verified([...first.slice(0, 3), ...second]).ok).toBe(false);
});

test('what stands beside the database is read with care', () => {
  for (const text of ['', '{', '{"schema":"launchwarden.chain/1","id":7}', 'x'.repeat(10_000)]) {
    const { chain } = twoChains((dataDir) => {
      remove('launchwarden.db', 'events.db')(dataDir);
      writeFileSync(path.join(dataDir, 'chain.json'), text);
    });
    expect(chain).not.toHaveProperty('before');
  }
});

test('the chain goes on over a restart, and alerts that are forgotten leave no hole', () => {
  const dataDir = path.join(tempFolder(), 'data');
  const docs: EcsDocument[] = [];
  for (const name of ['a', 'b', 'c']) {
    const store = openStore({ dataDir, clock: new ManualClock() });
    store.alerts.upsert(detection(name), context, ['siem']);
    store.alerts.setStatus(detection(name).id, 'closed', { author: 'me', text: '' });
    docs.push(...sent(store, true), beat(store));
    store.alerts.prune(Number.MAX_SAFE_INTEGER);
    expect(store.alerts.ids()).toEqual([]);
    store.close();
  }
  const proof = verified(docs);
  expect(proof).toMatchObject({ ok: true, findings: [], chains: [{ first: 1, last: 3 }] });
});

test('the command reads what a destination wrote, packed too, and what a SIEM gives back', async () => {
  const { docs, store } = streamOf([{ do: 'alert' }, { do: 'beat' }]);
  const folder = tempFolder();
  const lines = (all: readonly unknown[]) => all.map((one) => `${JSON.stringify(one)}\n`).join('');
  const write = (name: string, content: string | Buffer) => {
    const file = path.join(folder, name);
    writeFileSync(file, content);
    return file;
  };
  const whole = write('alerts.ndjson', lines(docs));
  const { digest: head } = store.alerts.chain();
  const good = await cli(['verify', whole, '--head', head]);
  expect([good.code, good.stdout]).toEqual([0, expect.stringContaining('Nothing is missing')]);
  const packed = write('alerts.ndjson.gz', gzipSync(lines(docs)));
  expect((await cli(['verify', packed])).code).toBe(0);
  const hits = write(
    'hits.json',
    JSON.stringify({ hits: { hits: docs.map((_source) => ({ _source })) } }, null, 2),
  );
  expect((await cli(['verify', hits])).code).toBe(0);
  const half = write('half.ndjson', `no json\n${lines(docs.filter((_, at) => at !== 2))}`);
  const bad = await cli(['verify', half, '--json']);
  expect(bad.code).toBe(1);
  expect(documents(bad.stdout)).toMatchObject([
    { schema: 'launchwarden.verify-finding/1', kind: 'missing', wrong: true, from: 2, to: 2 },
    { schema: 'launchwarden.verify/1', ok: false, unreadable: 1 },
  ]);
  const none = await cli(['verify', write('none.ndjson', lines([{ '@timestamp': '2026-11-29T00:00:00Z' }]))]);
  expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('verify/no-alert')]);
});

test('a document in its place reads as any other', () => {
  const doc = { '@timestamp': 'now', missing: undefined, launchwarden: {}, tags: ['a'] } as EcsDocument;
  const link = { id: 'c', index: 1, previous: 'c', content: '', digest: 'd' };
  for (const launchwarden of [{}, { findings: ['x'], chain: 'older' }]) {
    const made = { ...doc, launchwarden } as EcsDocument;
    const text = chained(made, (content) => ({ ...link, content }));
    expect(text).toBe(JSON.stringify(made));
    expect(JSON.parse(text)).toMatchObject({ launchwarden: { chain: { content: contentOf(made) } } });
  }
});

test('what the receiver adds is no alteration: other streams, the time of arrival', () => {
  const { docs } = streamOf([
    { do: 'send', acknowledged: true },
    { do: 'grow', which: 0 },
  ]);
  const arrived = docs.map((doc) => ({
    ...doc,
    event: { ...doc.event, ingested: '2026-11-29T00:00:00Z', dataset: 'launchwarden.alerts' },
    data_stream: { type: 'logs', dataset: 'launchwarden.alerts', namespace: 'macs' },
  }));
  expect(verified(arrived as EcsDocument[]).findings).toEqual([]);
});
