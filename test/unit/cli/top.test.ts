import { expect, test } from 'vitest';
import { ControlServer } from '../../../src/agent/control.js';
import { silentLogger } from '../../../src/base/log.js';
import { cli, documents, tempFolder } from '../../helpers/run-cli.js';

const said = {
  seconds: 30,
  events: 12_345,
  processes: [{ name: '/usr/bin/cc\u001b[2J', events: 12_000, per_second: 400, error: 7 }],
  paths: [],
  rules: [{ id: 'r', name: 'Launch item created', events: 3, per_second: 0.1, error: 0 }],
};
const status = { figures: { memory_bytes: 100 * 2 ** 20, cpu_share: 0.021 } };

async function withDaemon(use: (dataDir: string, asked: unknown[]) => Promise<void>): Promise<void> {
  const dataDir = tempFolder();
  const asked: unknown[] = [];
  const handlers = {
    status: () => status,
    top(args: unknown) {
      asked.push(args);
      return said;
    },
  };
  const daemon = await ControlServer.listen(dataDir, handlers, silentLogger);
  try {
    await use(dataDir, asked);
  } finally {
    await daemon.close();
  }
}

test('printed once when it is piped, escaped, with what the agent uses', async () => {
  await withDaemon(async (dataDir, asked) => {
    const { code, stdout } = await cli(['top', '--lines', '3', '--data-dir', dataDir]);
    expect(code).toBe(0);
    expect(asked).toEqual([{ most: 3 }]);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toContain('12,345 events in 30 s; the agent uses 2.1 % of a processor, 100 MiB');
    expect(stdout).toMatch(/400 +12,000 +7 +\/usr\/bin\/cc/);
    expect(stdout).toContain('FOLDER  no events');
  });
});

test('on a terminal it asks again until it is interrupted', async () => {
  await withDaemon(async (dataDir, asked) => {
    const stop = new AbortController();
    const onOutput = () => {
      if (asked.length >= 2) stop.abort();
    };
    const run = await cli(['top', '--every', '500ms', '--data-dir', dataDir], {
      columns: 80,
      signal: stop.signal,
      onOutput,
    });
    expect(run.code).toBe(0);
    expect(asked.length).toBe(2);
    expect((await cli(['top', '--once', '--data-dir', dataDir], { columns: 80 })).code).toBe(0);
  });
});

test('as a document; and 3 without an agent', async () => {
  await withDaemon(async (dataDir) => {
    const { stdout } = await cli(['top', '--json', '--data-dir', dataDir], { columns: 80 });
    expect(documents(stdout)).toEqual([{ schema: 'launchwarden.top/1', ...said }]);
  });
  expect((await cli(['top', '--data-dir', tempFolder()])).code).toBe(3);
  expect((await cli(['top', '--every', '1ms'])).code).toBe(2);
});
