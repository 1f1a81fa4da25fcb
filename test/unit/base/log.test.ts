import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lchownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createLogger } from '../../../src/base/log.js';

function folder(): string {
  const made = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-log-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

const messages = (file: string): unknown[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { msg: unknown }).msg);

test('a log file is private and is appended to', () => {
  const file = path.join(folder(), 'agent.log');
  createLogger({ level: 'info', file }).info({}, 'one');
  createLogger({ level: 'info', file }).info({}, 'two');
  expect(messages(file)).toEqual(['one', 'two']);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('after a rotation the next line is in the new file', () => {
  const file = path.join(folder(), 'agent.log');
  const log = createLogger({ level: 'info', file });
  log.info({}, 'one');
  renameSync(file, `${file}.0`);
  log.child({ stage: 'x' }).info({}, 'two');
  log.info({}, 'three');
  expect(messages(`${file}.0`)).toEqual(['one']);
  expect(messages(file)).toEqual(['two', 'three']);
});

test('a folder that is gone costs no line and no crash; once it is back the file is', () => {
  const base = path.join(folder(), 'logs');
  mkdirSync(base);
  const file = path.join(base, 'agent.log');
  const log = createLogger({ level: 'info', file });
  log.info({}, 'one');
  renameSync(base, `${base}.old`);
  log.info({}, 'two');
  mkdirSync(base);
  log.info({}, 'three');
  expect(messages(path.join(`${base}.old`, 'agent.log'))).toEqual(['one', 'two']);
  expect(messages(file)).toEqual(['three']);
});

test('a file that cannot be opened is a UserError', () => {
  const file = path.join(folder(), 'none', 'none', 'agent.log');
  expect(() => createLogger({ level: 'info', file })).toThrow(
    expect.objectContaining({ code: 'log/cannot-open', exitCode: 2 }),
  );
});

test('a FIFO that nobody reads, where the log file was or should be, is never waited for', () => {
  const file = path.join(folder(), 'agent.log');
  const log = createLogger({ level: 'info', file });
  renameSync(file, `${file}.0`);
  execFileSync('mkfifo', [file]);
  log.info({}, 'one');
  expect(messages(`${file}.0`)).toEqual(['one']);
  expect(() => createLogger({ level: 'info', file })).toThrow(
    expect.objectContaining({ code: 'log/cannot-open' }),
  );
});

test('a link that somebody puts where the log file was is not followed; the one that its owner made is', () => {
  const base = folder();
  const file = path.join(base, 'agent.log');
  const victim = path.join(base, 'victim');
  writeFileSync(victim, '');
  const log = createLogger({ level: 'info', file });
  renameSync(file, `${file}.0`);
  symlinkSync(victim, file);
  log.info({}, 'one');
  expect(readFileSync(victim, 'utf8')).toBe('');
  expect(messages(`${file}.0`)).toEqual(['one']);
  createLogger({ level: 'info', file }).info({}, 'two');
  expect(messages(victim)).toEqual(['two']);
});

test('a file with a second name is not written to', () => {
  const base = folder();
  const victim = path.join(base, 'victim');
  const file = path.join(base, 'agent.log');
  writeFileSync(victim, 'of somebody else');
  linkSync(victim, file);
  expect(() => createLogger({ level: 'info', file })).toThrow(
    expect.objectContaining({ code: 'log/cannot-open' }),
  );
  expect(readFileSync(victim, 'utf8')).toBe('of somebody else');
});

test('group and others lose the right to write to an older log', () => {
  const file = path.join(folder(), 'agent.log');
  createLogger({ level: 'info', file }).info({}, 'one');
  chmodSync(file, 0o662);
  if (process.geteuid?.() === 0) {
    // As root nobody else may have written to it before either.
    expect(() => createLogger({ level: 'info', file })).toThrow(
      expect.objectContaining({ code: 'log/unsafe-path' }),
    );
    return;
  }
  createLogger({ level: 'info', file }).info({}, 'two');
  expect(statSync(file).mode & 0o777).toBe(0o640);
});

describe('as root', () => {
  const user = 41_001;
  /** Prepares a folder and gives the log file to be opened. */
  const unsafe: [what: string, code: string, make: (base: string) => string][] = [
    [
      "a folder of a user's",
      'log/unsafe-path',
      (base) => {
        chownSync(base, user, user);
        return path.join(base, 'agent.log');
      },
    ],
    [
      "a folder below a user's that is to be made",
      'log/unsafe-path',
      (base) => {
        chownSync(base, user, user);
        return path.join(base, 'logs', 'agent.log');
      },
    ],
    [
      'a folder that everybody may write to',
      'log/unsafe-path',
      (base) => {
        chmodSync(base, 0o777);
        return path.join(base, 'agent.log');
      },
    ],
    [
      "a user's file in a folder like /tmp",
      'log/unsafe-path',
      (base) => {
        chmodSync(base, 0o1777);
        const file = path.join(base, 'agent.log');
        writeFileSync(file, '');
        chownSync(file, user, user);
        return file;
      },
    ],
    [
      "a user's link in a folder like /tmp",
      'log/unsafe-path',
      (base) => {
        chmodSync(base, 0o1777);
        mkdirSync(path.join(base, 'etc'), { mode: 0o755 });
        const file = path.join(base, 'agent.log');
        symlinkSync('etc/agent.log', file);
        lchownSync(file, user, user);
        return file;
      },
    ],
  ];
  test.skipIf(process.geteuid?.() !== 0).each(unsafe)('%s is refused', (_what, code, make) => {
    const file = make(folder());
    expect(() => createLogger({ level: 'info', file })).toThrow(expect.objectContaining({ code }));
  });

  test("a folder of root's and the administrators', as /Library/Logs is, passes", () => {
    const base = folder();
    chmodSync(base, 0o775);
    const file = path.join(base, 'agent.log');
    createLogger({ level: 'info', file }).info({}, 'one');
    expect(messages(file)).toEqual(['one']);
  });

  test("a user's file that comes in the place of the log gets no line", (context) => {
    if (process.geteuid?.() !== 0) context.skip('only root can give a file away');
    const base = folder();
    chmodSync(base, 0o1777);
    const file = path.join(base, 'agent.log');
    const log = createLogger({ level: 'info', file });
    renameSync(file, `${file}.0`);
    writeFileSync(file, '');
    chownSync(file, user, user);
    log.info({}, 'one');
    expect(readFileSync(file, 'utf8')).toBe('');
    expect(messages(`${file}.0`)).toEqual(['one']);
  });
});

test('what the caller has opened, and devices that are meant as such, are written to as they are', () => {
  for (const file of ['/dev/null', '/dev/../dev/null'])
    expect(() => createLogger({ level: 'error', file }).info({}, 'not written')).not.toThrow();
  // A folder that everybody may write to is not safe for standing below /dev.
  expect(() => createLogger({ level: 'info', file: '/dev/launchwarden-none/agent.log' })).toThrow(
    expect.objectContaining({ code: 'log/cannot-open' }),
  );
});
