import { describe, expect, test } from 'vitest';
import { canonicalMacPath, macPathAliases } from '../../../src/base/root.js';
import { compileQuery, type Rule, watchPatterns } from '../../../src/rules/index.js';

function warnings(language: 'eql' | 'kuery', text: string) {
  const compiled = compileQuery(language, text);
  if ('diagnostics' in compiled) throw new Error(text);
  return compiled.warnings.filter(({ code }) => code === 'path/never');
}

function watched(text: string): readonly string[] {
  const compiled = compileQuery('eql', text);
  if ('diagnostics' in compiled) throw new Error(text);
  return watchPatterns([{ meta: { id: 'a' }, query: compiled.query } as Rule]).patterns.map(
    (one) => one.text,
  );
}

describe('a path that no event carries is a warning with the right spelling', () => {
  test.each([
    ['file.path == "~/Library/LaunchAgents/x.plist"', '/Users/*/Library/LaunchAgents/x.plist'],
    ['file.path like "$HOME/Library/*"', '/Users/*/Library/*'],
    ['file.path : "Library/LaunchAgents/*"', '/Library/LaunchAgents/*'],
    ['file.path in ("/Library//LaunchAgents/x", "/ok")', '/Library/LaunchAgents/x'],
    ['file.path != "/usr/local/../bin/x"', '/usr/bin/x'],
    ['file.path == "/private/tmp/"', '/private/tmp'],
    ['file.path like "/a/./b/*"', '/a/b/*'],
    ['startsWith(process.executable, "file:///usr/bin/x")', '/usr/bin/x'],
    ['not process.parent.executable like~ ("/bin//sh")', '/bin/sh'],
  ])('%s', (condition, right) => {
    const [first, ...more] = warnings('eql', `any where ${condition}`);
    expect(first?.hint).toContain(`"${right}"`);
    expect(more).toEqual([]);
  });

  test('in KQL', () => {
    expect(warnings('kuery', 'file.path: ~/Library/*')[0]?.hint).toContain('"/Users/*/Library/*"');
    expect(warnings('kuery', 'file.path: ("/a//b" or /c/*)').map(({ hint }) => hint)).toEqual([
      'Write "/a/b".',
    ]);
  });

  test('where nothing is known to be better nothing is proposed', () => {
    expect(warnings('eql', 'any where file.path like "/Users/*/../x"')).toMatchObject([
      { code: 'path/never' },
    ]);
    expect(warnings('eql', 'any where file.path like "*/x/"')).toMatchObject([{ code: 'path/never' }]);
  });

  test.each([
    'file.path == "/tmp/x" or file.path like ("/etc/*", "*/x", "?x/y") or startsWith(file.path, "/tmp/")',
    'process.executable : ("C:\\\\Windows\\\\*", "?:\\\\x") or endsWith(file.path, "x/")',
    'process.name == "~/x" or process.args == "a//b" or my.path == "~/x" or file.path == "" or file.path == "/"',
    'file.path like "/a/*..b/*" or file.path == "/..x/.y"',
  ])('nothing is said of %s', (condition) => {
    expect(warnings('eql', `any where ${condition}`)).toEqual([]);
  });
});

describe('the watch scope has the spelling of events alone', () => {
  test.each([
    ['file.path == "/tmp/x"', ['/private/tmp/x']],
    ['file.path like ("/etc/*", "/Library/*")', ['/Library/*', '/private/etc/*']],
    ['file.path : "/TMP/*"', ['/private/tmp/*']],
    ['startsWith(file.path, "/var/db")', ['/private/var/db*']],
    ['file.path in ("/System/Volumes/Data/tmp/x")', ['/private/tmp/x']],
    // A wildcard that would take in the data volume does not mean the whole disk.
    ['file.path like "/System/*"', ['/System/*']],
    ['file.path like ("/Library/x/*", "C:\\\\x\\\\*", "?:\\\\x")', ['/Library/x/*']],
    ['file.name == ".zshrc" and file.path like "/Users/*"', ['/Users/*/.zshrc', '/Users/.zshrc']],
    ['file.name == ".zshrc" and file.path like "/Users/*/a/b/*"', ['/Users/*/a/b/*']],
    ['file.path like "/private/tmp/*" or file.path like "/tmp/*"', ['/private/tmp/*']],
  ])('%s', (condition, patterns) => {
    expect(
      watched(`file where ${condition}`)
        .map((one) => one.toLowerCase())
        .sort(),
    ).toEqual(patterns.map((one) => one.toLowerCase()).sort());
  });
});

test('the aliases lead where the spelling of events leads', () => {
  for (const { from, to } of macPathAliases) {
    expect(canonicalMacPath(`${from}/x`)).toBe(`${to}/x`);
    expect(canonicalMacPath(from)).toBe(to === '' ? '/' : to);
  }
});
