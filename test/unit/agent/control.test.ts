import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ControlServer, controlPath, requestControl } from '../../../src/agent/control.js';
import { UserError } from '../../../src/base/errors.js';
import { silentLogger } from '../../../src/base/log.js';

let dataDir: string;
let server: ControlServer | undefined;

beforeEach(() => {
  dataDir = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-control-'));
});

afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(dataDir, { recursive: true, force: true });
});

const serve = async () => {
  server = await ControlServer.listen(
    dataDir,
    {
      echo: (args) => args,
      later: async () => 'later',
      unspeakable: () => 1n,
      refuse: () => {
        throw new UserError('alert/unknown', 'no such alert', { hint: 'Look again.' });
      },
      fail: () => {
        throw new Error('broken inside');
      },
    },
    silentLogger,
  );
};

test('no daemon: undefined, so that the caller can do it itself', async () => {
  expect(await requestControl(dataDir, { op: 'echo' })).toBeUndefined();
});

test('a socket that a killed daemon left behind counts as no daemon, and the next daemon replaces it', async () => {
  writeFileSync(controlPath(dataDir), '');
  expect(await requestControl(dataDir, { op: 'echo' })).toBeUndefined();
  await serve();
  expect(await requestControl(dataDir, { op: 'echo', args: 1 })).toEqual({ result: 1 });
});

test('answers, also those that take a while', async () => {
  await serve();
  expect(await requestControl(dataDir, { op: 'echo', args: { a: ['ü\n'] } })).toEqual({
    result: { a: ['ü\n'] },
  });
  expect(await requestControl(dataDir, { op: 'later' })).toEqual({ result: 'later' });
});

test('an answer that JSON cannot say is none, and the next request has one', async () => {
  await serve();
  await expect(requestControl(dataDir, { op: 'unspeakable' })).rejects.toMatchObject({
    code: 'control/unreachable',
  });
  expect(await requestControl(dataDir, { op: 'echo', args: 1 })).toEqual({ result: 1 });
});

test('only its owner can reach it', async () => {
  await serve();
  expect(statSync(controlPath(dataDir)).mode & 0o777).toBe(0o600);
});

test('a data folder whose path is longer than the address of a socket can be', async () => {
  const short = dataDir;
  dataDir = path.join(short, 'd'.repeat(90), 'e'.repeat(90));
  try {
    mkdirSync(dataDir, { recursive: true });
    expect(await requestControl(dataDir, { op: 'echo' })).toBeUndefined();
    await serve();
    expect(readdirSync(dataDir)).toEqual(['control.sock']);
    expect(statSync(controlPath(dataDir)).mode & 0o777).toBe(0o600);
    expect(await requestControl(dataDir, { op: 'echo', args: 3 })).toEqual({ result: 3 });
    await server?.close();
    server = undefined;
    expect(readdirSync(dataDir)).toEqual([]);
    expect(readdirSync(short)).toEqual(['d'.repeat(90)]);
  } finally {
    dataDir = short;
  }
});

test('a folder that is closed to us is not taken for a daemon that hangs', async ({ skip }) => {
  await serve();
  if (process.geteuid?.() === 0) {
    // Root may enter everywhere: become nobody for the question.
    process.seteuid?.(65534);
    try {
      await expect(requestControl(dataDir, { op: 'echo' })).rejects.toMatchObject({
        code: 'control/forbidden',
        exitCode: 3,
      });
    } finally {
      process.seteuid?.(0);
    }
    return;
  }
  process.stdout.write('skipped: needs root to become somebody else\n');
  skip();
});

test('a refusal keeps its code and hint', async () => {
  await serve();
  await expect(requestControl(dataDir, { op: 'refuse' })).rejects.toMatchObject({
    code: 'alert/unknown',
    hint: 'Look again.',
  });
  await expect(requestControl(dataDir, { op: 'fail' })).rejects.toMatchObject({ code: 'control/failed' });
});

test.each(['constructor', '__proto__', 'toString', 'nothing'])('"%s" is no request', async (op) => {
  await serve();
  await expect(requestControl(dataDir, { op })).rejects.toMatchObject({ code: 'control/unknown-op' });
});

/** Sends raw bytes; resolves with what came back once the server closed the connection or answered a line. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(controlPath(dataDir));
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('\n')) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
    socket.write(bytes);
  });
}

test('garbage is answered, a line without end is cut off, and both leave the server alive', async () => {
  await serve();
  for (const line of ['garbage', 'null', '[]', '1', '{"op":1}']) {
    expect(JSON.parse(await raw(`${line}\n`))).toMatchObject({ ok: false });
  }
  expect(await raw('x'.repeat(2_000_000))).toBe('');
  expect(await requestControl(dataDir, { op: 'echo', args: 2 })).toEqual({ result: 2 });
});

test('a client that never hangs up does not keep the daemon from ending', async () => {
  await serve();
  const socket = connect(controlPath(dataDir));
  socket.on('error', () => undefined);
  const closed = new Promise((resolve) => socket.on('close', resolve));
  await new Promise((resolve) => {
    socket.once('data', resolve);
    socket.write('{"op":"echo","args":1}\n');
  });
  await server?.close();
  await closed;
});

/** A server that counts what it is asked, with short limits. */
async function counting(limits: { requestMs: number; sessionMs: number }) {
  const asked = { count: 0 };
  const handlers = {
    big: () => {
      asked.count++;
      return 'x'.repeat(64 * 1024);
    },
  };
  server = await ControlServer.listen(dataDir, handlers, silentLogger, limits);
  return asked;
}

/** Resolves once the server closed the connection. */
function closed(socket: Socket): Promise<void> {
  socket.on('error', () => undefined);
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

test('who asks thousands of things and reads nothing is answered little, and is cut off', async () => {
  const asked = await counting({ requestMs: 300, sessionMs: 60_000 });
  const socket = connect(controlPath(dataDir));
  socket.pause();
  const gone = closed(socket);
  socket.write('{"op":"big"}\n'.repeat(50_000));
  // A paused socket does not notice that it was closed: writing does.
  const poke = setInterval(() => socket.write('{"op":"big"}\n'), 50);
  await gone;
  clearInterval(poke);
  // What fits into the buffers of the kernel, not 50,000 answers of 64 KiB.
  expect(asked.count).toBeGreaterThan(0);
  expect(asked.count).toBeLessThan(500);
  expect(await requestControl(dataDir, { op: 'big' })).toBeDefined();
});

test('many requests of one client are answered in turn', async () => {
  await serve();
  const socket = connect(controlPath(dataDir));
  socket.setEncoding('utf8');
  let text = '';
  const all = new Promise<void>((resolve) =>
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.split('\n').length > 300) resolve();
    }),
  );
  for (let n = 0; n < 300; n++) socket.write(`{"op":"${n % 2 === 0 ? 'echo' : 'later'}","args":${n}}\n`);
  await all;
  socket.destroy();
  const results = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).result);
  expect(results).toEqual(Array.from({ length: 300 }, (_, n) => (n % 2 === 0 ? n : 'later')));
});

test('a request that comes byte by byte is not waited for without end', async () => {
  await counting({ requestMs: 200, sessionMs: 60_000 });
  const socket = connect(controlPath(dataDir));
  const drip = setInterval(() => socket.write(' '), 20);
  await closed(socket);
  clearInterval(drip);
  expect(await requestControl(dataDir, { op: 'big' })).toBeDefined();
});

test('who asks again and again stays no longer than a session', async () => {
  const asked = await counting({ requestMs: 10_000, sessionMs: 300 });
  const socket = connect(controlPath(dataDir));
  socket.resume();
  const ask = setInterval(() => socket.write('{"op":"big"}\n'), 20);
  await closed(socket);
  clearInterval(ask);
  expect(asked.count).toBeGreaterThan(0);
});
