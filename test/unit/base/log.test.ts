import { execFileSync } from 'node:child_process';
import {
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
import { expect, onTestFinished, test } from 'vitest';
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
  const file = path.join(folder(), 'none', 'agent.log');
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
