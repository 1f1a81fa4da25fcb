import { expect, test } from 'vitest';
import { launchItemFacts } from '../../../src/mechanisms/launch-item-facts.js';
import { lookAlike } from '../../../src/mechanisms/look-alike.js';
import { xmlPlist } from '../../helpers/plist-writer.js';

test.each([
  ['com.app1e.update', 'com.apple', 'letters'],
  ['com.appIe.update', 'com.apple', 'letters'],
  ['com.аpple.softwareupdate', 'com.apple', 'letters'],
  ['соm.apple.x', 'com.apple', 'letters'],
  ['com.a\u200bpple.x', 'com.apple', 'letters'],
  ['com.äpple.x', 'com.apple', 'letters'],
  ['com.g00gle.keystone', 'com.google', 'letters'],
  ['corn.apple.x', 'com.apple', 'letters'],
  ['com․apple.x', 'com.apple', 'letters'],
  ['com.aple.x', 'com.apple', 'spelling'],
  ['com.appel.x', 'com.apple', 'spelling'],
  ['com.applle.x', 'com.apple', 'spelling'],
  ['com.googel.keystone', 'com.google', 'spelling'],
  ['com.micosoft.teams', 'com.microsoft', 'spelling'],
  ['com.dropb0x.x', 'com.dropbox', 'letters'],
  ['com.aodbe.x', 'com.adobe', 'spelling'],
  ['us.zomo.x', 'us.zoom', 'spelling'],
  ['com.jmaf.management', 'com.jamf', 'spelling'],
  ['ocm.google.x', 'com.google', 'spelling'],
  ['com.google.keystone.agent ', 'com.google.keystone.agent', 'letters'],
  [' com.example.helper', 'com.example.helper', 'letters'],
  ['com.google.key\u200bstone', 'com.google.keystone', 'letters'],
  ['com.example.helper\u3164', 'com.example.helper', 'letters'],
  ['com.example.helper\ufe0f', 'com.example.helper', 'letters'],
  ['apple.com.update', 'com.apple', 'form'],
  ['com-apple.update', 'com.apple', 'form'],
  ['org.apple.update', 'com.apple', 'form'],
  ['com.apple-update', 'com.apple', 'form'],
  ['com.appleupdate.agent', 'com.apple', 'form'],
])('%s looks like one of %s (%s)', (label, of, by) => {
  expect(lookAlike(label)).toEqual({ of, by });
});

test.each([
  'com.apple.update',
  'com.google.keystone.agent',
  'com.GOOGLE.x',
  'us.zoom.ZoomDaemon',
  'com.example.helper',
  'com.applidium.x',
  'com.abode.x',
  'com.login.x',
  'com.example.two words',
  'com.example.ü',
  'org.pqrs.karabiner',
  'homebrew.mxcl.redis',
  'io.tailscale.ipn',
  '',
  'x',
  'com.'.repeat(100),
  '\0\uffff.\ud800',
])('%j looks like nobody else', (label) => {
  expect(lookAlike(label)).toBeUndefined();
});

test('a label of this Mac is imitated by its look and by swapped letters, not by another number', () => {
  const installed = ['com.smallvendor.helper', 'com.smallvendor.agent1'];
  expect(lookAlike('com.smallvend0r.helper', installed)).toEqual({
    of: 'com.smallvendor.helper',
    by: 'letters',
  });
  expect(lookAlike('com.smallvendor.hepler', installed)).toEqual({
    of: 'com.smallvendor.helper',
    by: 'spelling',
  });
  expect(lookAlike('com.ab.cd', ['com.ab.dc'])).toEqual({ of: 'com.ab.dc', by: 'spelling' });
  expect(lookAlike('com.smallvendor.agent2', installed)).toBeUndefined();
  expect(lookAlike('com.smallvendor.helpex', installed)).toBeUndefined();
  expect(lookAlike('com.smallvendor.other', installed)).toBeUndefined();
  expect(lookAlike('com.smallvend0r.other', installed)).toEqual({ of: 'com.smallvendor', by: 'letters' });
  expect(lookAlike('com.smallbendor.helper', installed)).toEqual({
    of: 'com.smallvendor.helper',
    by: 'spelling',
  });
  // Nothing is known of the other vendor's name, and a short one is a letter away from too many.
  expect(lookAlike('com.sma11.x', ['com.small.x.y'])).toBeUndefined();
  expect(lookAlike('com.smallvendor.helper', installed)).toBeUndefined();
});

test('a launch item with such a label has the finding, one of the system has none', () => {
  const bytes = Buffer.from(xmlPlist({ Label: 'com.app1e.x', Program: '/usr/local/bin/x' }));
  const content = { bytes, size: bytes.length, truncated: false };
  const findings = (path: string) => launchItemFacts({ path, type: 'file' }, content)?.findings;
  expect(findings('/Library/LaunchAgents/com.app1e.x.plist')).toContain('look-alike-label');
  expect(findings('/System/Library/LaunchAgents/com.app1e.x.plist')).not.toContain('look-alike-label');
});

test('a label or a file name that a terminal would show as another is odd', () => {
  const found = (label: string, name: string) => {
    const bytes = Buffer.from(xmlPlist({ Label: label, Program: '/usr/local/bin/x' }));
    const content = { bytes, size: bytes.length, truncated: false };
    return launchItemFacts({ path: `/Library/LaunchAgents/${name}.plist`, type: 'file' }, content)?.findings;
  };
  expect(found('com.x\u202egnp', 'com.x\u202egnp')).toContain('hidden-characters');
  expect(found('com.x\u200b', 'com.x')).toContain('hidden-characters');
  expect(found('com.x', 'com.\u001b[31mx')).toContain('hidden-characters');
  expect(found('com.größe.\u65e5', 'com.größe.\u65e5')).not.toContain('hidden-characters');
});
