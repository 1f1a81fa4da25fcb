import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { openStore } from '../../../src/store/index.js';
import { FakeElasticsearch } from '../../contract/receivers/elasticsearch.js';
import { HttpReceiver } from '../../contract/receivers/http.js';

const kills = 200;
const batch = 10;

test(`${kills} kills while it drains: every committed alert arrives, at most one batch a kill twice`, async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'launchwarden-kill-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const dataDir = path.join(folder, 'data');
  const fake = new FakeElasticsearch();
  let received = 0;
  const receiver = await HttpReceiver.listen(async (request) => {
    received += (request.body.match(/\n/g)?.length ?? 0) / 2;
    const answer = fake.handler(request);
    // Stored and not yet answered: the moment in which a kill costs a second sending.
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 8));
    return answer;
  });
  onTestFinished(() => receiver.close());
  const committed = new Set<string>();
  const script = path.join(import.meta.dirname, 'drainer.ts');
  const run = async (round: string, killAfter: number | undefined) => {
    const args = [
      '--import',
      path.resolve('test/helpers/typescript.mjs'),
      script,
      dataDir,
      receiver.url,
      round,
      '15',
    ];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, DRAINER_KEY: 'aWQ6a2V5' },
    });
    let held = '';
    child.stdout.on('data', (chunk) => {
      held += chunk;
      const lines = held.split('\n');
      held = lines.pop() ?? '';
      for (const id of lines) committed.add(id);
      if (killAfter !== undefined && !child.killed) setTimeout(() => child.kill('SIGKILL'), killAfter);
    });
    const [code] = await once(child, 'close');
    return code as number | null;
  };
  let killed = 0;
  for (let round = 0; round < kills; round++)
    if ((await run(String(round), Math.random() * 40)) === null) killed++;
  expect(await run('last', undefined)).toBe(0);
  expect(killed).toBeGreaterThan(kills / 2);
  expect(committed.size).toBeGreaterThan(kills);
  const stored = new Set(fake.stored());
  expect([...committed].filter((id) => !stored.has(id))).toEqual([]);
  expect(received - stored.size).toBeLessThanOrEqual(killed * batch);
  const store = openStore({ dataDir, clock: systemClock });
  expect(store.check()).toEqual([]);
  expect(store.outbox.state('siem')).toMatchObject({ dead: 0, evicted: 0 });
  // What was committed a moment before the kill and not reported any more has arrived as well.
  expect(store.alerts.ids(100_000).filter((id) => !stored.has(id))).toEqual([]);
  store.close();
}, 300_000);
