import { describe, expect, test } from 'vitest';
import { readDomain, readService } from '../../../src/sensors/launchd-state/read-print.js';
import { FakeLaunchd, servicePrint } from './fake-launchd.js';

const target = 'gui/501/com.example.x';
const answer = (stdout: string, status: number | null = 0) => ({ status, stdout, stderr: '' });

describe('the answer about a service', () => {
  test('top-level keys count, nested ones do not', () => {
    expect(readService(answer(servicePrint(target, '/Library/LaunchAgents/x.plist')), target)).toEqual({
      state: 'loaded',
      facts: {
        path: '/Library/LaunchAgents/x.plist',
        program: '/private/tmp/evil',
        state: 'running',
        pid: 4711,
        runs: 1,
        last_exit: '(never exited)',
        type: 'LaunchAgent',
      },
    });
  });

  test('without a program the first argument is it', () => {
    const text = `${target} = {\n\targuments = {\n\t\t/bin/sh\n\t\t-c\n\t}\n\tpid = none\n}\n`;
    expect(readService(answer(text), target)).toEqual({ state: 'loaded', facts: { program: '/bin/sh' } });
  });

  test.each([
    ['status 113', answer('', 113), 'not-loaded'],
    ['nothing printed', answer(''), 'unknown'],
    ['another header', answer('usage: launchctl\n'), 'unknown'],
    ['another service', answer('gui/501/com.example.y = {\n}\n'), 'unknown'],
    ['a domain', answer(`${target} = {\n\ttype = user\n\tservices = {\n\t}\n}\n`), 'unknown'],
    ['another exit status', answer(servicePrint(target, '/x'), 1), 'unknown'],
    ['killed or cut off', answer(servicePrint(target, '/x'), null), 'unknown'],
    ['binary rubbish', answer('\0\uffff\n\t'.repeat(10_000)), 'unknown'],
  ])('%s', (_name, given, state) => {
    expect(readService(given, target).state).toBe(state);
  });

  test('an endless text is read in bounded time and kept in bounded length', () => {
    const text = `${target} = {\n\tpath = ${'x'.repeat(1_000_000)}\n${'\tstate = a\n'.repeat(200_000)}}\n`;
    const read = readService(answer(text), target);
    expect(read.state === 'loaded' && read.facts.path?.length).toBe(4_096);
  });
});

describe('the answer about a domain', () => {
  test('labels of the services, and the sessions that are named', async () => {
    const launchd = new FakeLaunchd();
    launchd.load('system/com.example.a');
    launchd.load('system/odd label {');
    launchd.load('gui/501/com.example.b');
    launchd.sessions.add('gui/501');
    const read = readDomain(await launchd.run(['print', 'system']));
    expect([...(read?.labels.keys() ?? [])]).toEqual(['com.example.a', 'odd label {']);
    expect(read?.users).toEqual([501]);
  });

  test('a domain that is not there has no jobs; what is not understood is not taken for an empty one', () => {
    expect(readDomain(answer('', 112))).toMatchObject({ exists: false, labels: new Map(), users: [] });
    expect(readDomain(answer(''))).toBeUndefined();
    expect(readDomain(answer('system = {\n}\n'))).toBeUndefined();
    expect(readDomain(answer('system = {\n\tservices = {\n\t}\n}\n', 1))).toBeUndefined();
  });
});
