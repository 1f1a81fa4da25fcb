import { describe, expect, test } from 'vitest';
import { insidePlugIn, isLaunchFolder, launchItemKind } from '../../../src/base/launch-paths.js';
import { canonicalMacPath, RootMap } from '../../../src/base/root.js';

test.each([
  ['/tmp/x', '/private/tmp/x'],
  ['/var', '/private/var'],
  ['/etc/../etc/x', '/private/etc/x'],
  ['/tmpfile', '/tmpfile'],
  ['/private/tmp/x', '/private/tmp/x'],
  ['/System/Volumes/Data/Library/x', '/Library/x'],
  ['/System/Volumes/Data/tmp/x', '/private/tmp/x'],
  ['/System/Volumes/Data', '/'],
  ['/System/Volumes/Database', '/System/Volumes/Database'],
  ['/Library//LaunchAgents/./x/', '/Library/LaunchAgents/x'],
  ['/..', '/'],
])('%s is %s', (given, expected) => {
  expect(canonicalMacPath(given)).toBe(expected);
});

describe('a root', () => {
  const root = new RootMap('/srv/mac/');

  test('a sentence names the paths of the Mac', () => {
    expect(root.inText("EACCES: permission denied, open '/srv/mac/Library/x'")).toBe(
      "EACCES: permission denied, open '/Library/x'",
    );
    expect(root.inText('/srv/mac: not there, /srv/macro and /opt/srv/mac/x stay (/srv/mac/a)')).toBe(
      '/: not there, /srv/macro and /opt/srv/mac/x stay (/a)',
    );
    expect(new RootMap().inText('/srv/mac/x')).toBe('/srv/mac/x');
  });

  test('maps paths both ways', () => {
    expect(root.simulated).toBe(true);
    expect(root.toHost('/Library/x')).toBe('/srv/mac/Library/x');
    expect(root.toHost('/../../etc/passwd')).toBe('/srv/mac/etc/passwd');
    expect(root.toMac('/srv/mac/Library/x')).toBe('/Library/x');
    expect(root.toMac('/srv/mac')).toBe('/');
    expect(root.toMac('/srv/mac/tmp/x')).toBe('/private/tmp/x');
    expect(root.toMac('/srv/machine/x')).toBe('/srv/machine/x');
  });

  test('is cut off arguments where a path can begin, and nowhere else', () => {
    expect(root.stripArgument('/srv/mac/x')).toBe('/x');
    expect(root.stripArgument('--file=/srv/mac/x')).toBe('--file=/x');
    expect(root.stripArgument('/srv/mac/a:/srv/mac/b')).toBe('/a:/b');
    expect(root.stripArgument('/srv/mac')).toBe('/');
    expect(root.stripArgument('/srv/machine')).toBe('/srv/machine');
    expect(root.stripArgument('echo /srv/mac/x')).toBe('echo /srv/mac/x');
  });
});

test('the machine itself', () => {
  for (const root of [new RootMap(), new RootMap('/')]) {
    expect(root.simulated).toBe(false);
    expect(root.toHost('/Library/x')).toBe('/Library/x');
    expect(root.toMac('/tmp/x')).toBe('/private/tmp/x');
    expect(root.stripArgument('/x')).toBe('/x');
  }
});

describe('launch directories', () => {
  test.each<[string, 'agent' | 'daemon' | undefined]>([
    ['/Library/LaunchAgents/x.plist', 'agent'],
    ['/Library/LaunchDaemons/x.plist', 'daemon'],
    ['/library/launchdaemons/x.plist', 'daemon'],
    ['/System/Library/LaunchAngels/x', 'agent'],
    ['/Library/Apple/System/Library/LaunchDaemons/x', 'daemon'],
    ['/Users/alice/Library/LaunchAgents/a/b.plist', 'agent'],
    ['/private/var/root/Library/LaunchAgents/x', 'agent'],
    ['/Library/LaunchAgents', undefined],
    ['/Users/alice/Desktop/Library/LaunchAgents/x', undefined],
    ['/private/tmp/Library/LaunchAgents/x', undefined],
    ['/Volumes/SSD/nick/Library/LaunchAgents/x', 'agent'],
    ['/Volumes/SSD/nick/Library/LaunchDaemons/x', undefined],
  ])('%s: %s', (path, kind) => {
    expect(launchItemKind(path)).toBe(kind);
  });

  test('the folders themselves, and what is inside a plug-in', () => {
    expect(isLaunchFolder('/Users/alice/Library/LaunchAgents')).toBe(true);
    expect(isLaunchFolder('/Library/DirectoryServices/PlugIns')).toBe(true);
    expect(isLaunchFolder('/Library/LaunchAgents/LaunchAgents')).toBe(false);
    expect(isLaunchFolder('/Library')).toBe(false);
    expect(insidePlugIn('/Library/DirectoryServices/PlugIns/x.dsplug/Contents')).toBe(true);
    expect(insidePlugIn('/Library/DirectoryServices/PlugIns/x.dsplug')).toBe(false);
  });
});
