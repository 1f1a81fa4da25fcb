import { describe, expect, test } from 'vitest';
import { supplyOf } from '../../../src/event/supply.js';
import {
  covers,
  degradedReasons,
  type PathPattern,
  type Rule,
  readRuleFile,
  ruleRequirements,
  watchPatterns,
} from '../../../src/rules/index.js';
import { fc } from '../../helpers/property.js';

function rule(query: string, type = 'eql', more = ''): Rule {
  const text = `[rule]\nrule_id = "r"\nname = "n"\ntype = "${type}"\nseverity = "low"\nquery = '''${query}'''\n${more}`;
  const result = readRuleFile(text, 'r.toml');
  if ('diagnostics' in result) throw new Error(result.diagnostics[0]?.message);
  return result.rule;
}
const first = (query: string, type?: string) => ruleRequirements(rule(query, type))[0];
const pathsOf = (query: string, type?: string) =>
  first(query, type)?.paths?.map(
    ({ text, wildcards, insensitive }) => `${text}${wildcards && ' '}${wildcards}${insensitive ? ' i' : ''}`,
  ) ?? null;

describe('paths: positive conditions only', () => {
  test.each([
    ['file where file.path == "/a*"', ['/a*']],
    ['file where "/a" == file.path', ['/a']],
    ['file where file.path in~ ("/a", "/b")', ['/a i', '/b i']],
    ['file where file.path like ("/a/*", "/b")', ['/a/* *?', '/b']],
    ['file where file.path : "/a?"', ['/a? *? i']],
    ['file where startsWith~(file.path, "/a/")', ['/a/* * i']],
    ['file where endsWith(file.path, ".plist")', ['*.plist *']],
    ['file where stringContains(file.path, "x")', ['*x* *']],
    ['file where startsWith(file.path, "/a*b")', null],
    ['file where file.path regex "/a.*"', null],
    ['file where file.path != "/a"', null],
    ['file where not file.path == "/a"', null],
    ['file where not (not file.path == "/a")', ['/a']],
    ['file where file.path == "/a" or file.path == "/b"', ['/a', '/b']],
    ['file where file.path == "/a" or file.name == "b"', null],
    ['file where file.path : ("/a/*", "/b/*") and file.path : "/a/x"', ['/a/x i']],
    ['file where file.name == "x" and (file.path == "/a" or file.path == "/b")', ['/a', '/b']],
    ['file where not (file.path != "/a" or file.name == "x")', null],
  ])('%s', (query, expected) => expect(pathsOf(query)).toEqual(expected));

  test.each([
    ['event.category: file and file.path: (/a/* or "/b/*")', ['/a/* *', '/b/*']],
    ['file.path: /a?b*', ['/a?b* *']],
    ['not file.path: /a', null],
    [String.raw`file.path: /a\**`, null],
  ])('%s', (query, expected) => expect(pathsOf(query, 'query')).toEqual(expected));
});

describe('fields', () => {
  test.each([
    ['process where process.name == "x" and process.pid > 1', ['process.name', 'process.pid'], [], []],
    ['process where process.name == "x" or process.pid > 1', [], ['process.name', 'process.pid'], []],
    [
      'process where (process.name == "x" and user.id == "0") or process.name == "y"',
      ['process.name'],
      ['user.id'],
      [],
    ],
    ['process where not process.name == "x"', [], [], ['process.name']],
    ['process where process.name != "x"', [], [], ['process.name']],
    ['process where not process.name != "x"', ['process.name'], [], []],
    ['process where process.name == null', [], [], ['process.name']],
    ['process where process.name != null', ['process.name'], [], []],
    ['process where not (process.name == "x" and user.id == "0")', [], [], ['process.name', 'user.id']],
    ['process where not (process.name != "x" and user.id != "0")', [], ['process.name', 'user.id'], []],
    ['process where not (process.name != "x" or user.id != "0")', ['process.name', 'user.id'], [], []],
    ['process where length(process.name) > 3', ['process.name'], [], []],
  ])('%s', (query, required, alternative, negated) => {
    expect(first(query)).toMatchObject({ required, alternative, negated });
  });

  test('join keys, names of earlier steps, until and ancestors', () => {
    const steps = ruleRequirements(
      rule(`sequence by host.id with maxspan=1s
  [file where true] by ?user.id as event0
  ![process where not process.name == event0.file.name and descendant of [process where process.pid == 1]] by user.id
  until [any where event.action == "end"] by process.pid`),
    );
    expect(
      steps.map(({ role, index, categories, required, negated }) => ({
        role,
        index,
        categories,
        required,
        negated,
      })),
    ).toEqual([
      { role: 'step', index: 0, categories: ['file'], required: ['host.id'], negated: ['file.name'] },
      {
        role: 'missing',
        index: 1,
        categories: ['process'],
        required: ['host.id', 'process.Ext.ancestry', 'user.id'],
        negated: ['process.name'],
      },
      { role: 'ancestor', index: 1, categories: ['process'], required: ['process.pid'], negated: [] },
      {
        role: 'until',
        index: 2,
        categories: null,
        required: ['event.action', 'host.id', 'process.pid'],
        negated: [],
      },
    ]);
  });

  test('fields of threshold and new_terms are required', () => {
    const counted = rule(
      'process.name: x',
      'threshold',
      '[rule.threshold]\nfield = ["user.id"]\nvalue = 2\n',
    );
    expect(ruleRequirements(counted)[0]?.required).toEqual(['process.name', 'user.id']);
  });

  test('inside a nested KQL group names are relative', () => {
    expect(first('process: { name: x and not pid: 1 }', 'query')).toMatchObject({
      required: ['process.name'],
      negated: ['process.pid'],
    });
  });
});

test('actions and categories', () => {
  const facts = (query: string, type?: string) => {
    const step = first(query, type);
    return [step?.categories, step?.actions];
  };
  expect(facts('any where event.category == "file" and event.action in ("rename", "open")')).toEqual([
    ['file'],
    ['rename', 'open'],
  ]);
  expect(facts('file where event.action like "re*"')).toEqual([['file'], null]);
  expect(facts('file where event.action != "open"')).toEqual([['file'], null]);
  expect(facts('event.category: (file or process) and event.action: exec', 'query')).toEqual([
    ['file', 'process'],
    ['exec'],
  ]);
});

describe('degraded', () => {
  const watch: PathPattern = { text: '/Library/*', wildcards: '*', insensitive: false };
  const polled = { supply: supplyOf(['process-scan', 'file-watch']), paths: [watch] };
  const full = { supply: supplyOf(['endpoint-security']), paths: 'all' as const };

  test.each([
    ['process where process.name == "x"', []],
    ['process where event.action == "end"', ['the rule needs end events, which no running sensor delivers']],
    ['network where true', ['the rule needs network events, which no running sensor delivers']],
    [
      'process where process.Ext.effective_parent.name == "x"',
      ['the rule never matches: it needs process.Ext.effective_parent.name'],
    ],
    [
      'process where process.name == "x" or process.code_signature.trusted == false',
      ['the rule misses an alternative that needs process.code_signature.trusted'],
    ],
    [
      'process where process.name == "x" and not process.code_signature.signing_id == "a" and process.unheard != 1',
      [
        'the rule reports what it should leave out: it excludes by process.code_signature.signing_id, process.unheard (not a known field)',
      ],
    ],
    ['file where file.path like "/Library/LaunchAgents/*"', []],
    ['file where file.path like "/Users/*"', ['the rule looks at /Users/*, which is not watched']],
    ['file where file.size > 5', ['the rule looks at files anywhere; only some folders are watched']],
    // Such files are looked for in homes: less than the rule says, but where they are.
    ['file where file.name == "x"', []],
    ['file where launchwarden.persistence.mechanism == "cron"', []],
    [
      'file where process.name == "x" and file.path == "/Library/x"',
      ['the rule never matches: it needs process.name'],
    ],
    ['persistence where Persistence.runatload == true', []],
    ['file where event.action == "launch_daemon" and Persistence.name : ".*"', []],
    [
      'sequence with maxspan=1s [process where process.name == "x"] [file where event.action == "open"]',
      ['step 2 needs open events, which no running sensor delivers'],
    ],
    ['process where event.type == "end"', ['the rule needs end events, which no running sensor delivers']],
  ])('%s', (query, expected) => {
    expect(degradedReasons(rule(query), polled)).toEqual(expected);
  });

  // A field that stands on other events than those that the step names helps nobody.
  test.each([
    [
      'file where event.action == "deletion" and file.hash.sha256 == "x"',
      ['the rule never matches: it needs file.hash.sha256'],
    ],
    [
      'file where event.action == "modification" and file.Ext.original.path == "/x"',
      ['the rule never matches: it needs file.Ext.original.path'],
    ],
    ['file where event.action in ("modification", "rename") and file.Ext.original.path == "/x"', []],
    [
      'file where event.action == "launch_daemon" and file.path like "/Library/*"',
      ['the rule never matches: it needs file.path'],
    ],
    [
      'process where event.action == "exec" and process.exit_code == 1',
      ['the rule never matches: it needs process.exit_code'],
    ],
    [
      'process where process.exit_code == 1 and process.Ext.script.path == "/x"',
      ['the rule never matches: it needs process.exit_code'],
    ],
    [
      'process where event.action == "exec" and process.env_vars : "DYLD*"',
      ['the rule never matches: it needs process.env_vars'],
    ],
    [
      'process where event.action == "fork" and not process.Ext.script.path == "/x"',
      ['the rule reports what it should leave out: it excludes by process.Ext.script.path'],
    ],
    [
      'process where event.action == "remote_thread"',
      ['the rule needs remote_thread events, which no running sensor delivers'],
    ],
    [
      'process where event.action == "already_running"',
      ['the rule needs already_running events, which no running sensor delivers'],
    ],
    [
      'file where event.type == "deletion" and file.hash.sha256 == "x"',
      ['the rule never matches: it needs file.hash.sha256'],
    ],
    [
      'file where event.type != "change" and file.hash.sha256 == "x"',
      ['the rule never matches: it needs file.hash.sha256'],
    ],
    [
      'file where not event.action in ("rename", "clone", "open") and file.Ext.original.extension == "x"',
      ['the rule never matches: it needs file.Ext.original.extension'],
    ],
    [
      'process where event.type == "start" and process.exit_code == 1',
      ['the rule never matches: it needs process.exit_code'],
    ],
    ['process where (event.type == "end" or event.type == "start") and process.exit_code == 1', []],
    ['process where (event.type != "end" or event.type != "start") and process.exit_code == 1', []],
  ])('%s, with EndpointSecurity', (query, expected) => {
    expect(degradedReasons(rule(query), full)).toEqual(expected);
  });

  test('eslogger is not asked for every file that anybody opens', () => {
    const tier = { supply: supplyOf(['eslogger']), paths: 'all' as const };
    expect(degradedReasons(rule('file where event.action == "open"'), tier)).not.toEqual([]);
    expect(degradedReasons(rule('file where event.action == "extended_attributes_delete"'), tier)).toEqual(
      [],
    );
  });

  test('EndpointSecurity sees what polling does not; a capture may hold anything', () => {
    for (const query of [
      'process where event.action == "end" and not process.code_signature.trusted == true',
      'file where event.action == "open" and file.name == "x" and Effective_process.name == "y"',
    ]) {
      expect(degradedReasons(rule(query), full)).toEqual([]);
      expect(degradedReasons(rule(query), polled)).not.toEqual([]);
    }
    expect(
      degradedReasons(rule('network where destination.port == 1'), {
        supply: supplyOf(['capture']),
        paths: [],
      }),
    ).toEqual([]);
  });
});

test('the watch scope is what all rules read, once', () => {
  const scope = watchPatterns([
    rule('file where file.path : ("/a/*", "/b/*")'),
    rule('file where file.path : "/a/*"'),
    rule('process where process.name == "x"'),
  ]);
  expect(scope.patterns.map(({ text }) => text)).toEqual(['/a/*', '/b/*']);
  expect(scope.unbounded).toEqual([]);
  expect(watchPatterns([rule('file where file.size > 5')]).unbounded).toEqual(['r']);
});

test.each([
  ['file where file.name == ".zshrc"', ['.zshrc']],
  ['file where file.name : (".zshrc", "*.bashrc") and file.size > 0', ['.zshrc', '*.bashrc']],
  ['file where file.name == ".zshrc" or file.name == "tasks.json"', ['.zshrc', 'tasks.json']],
  // It may be in any folder, but that one is watched.
  ['file where file.name == ".zshrc" and file.path : "/a/*"', []],
  ['file where not file.name == ".zshrc"', []],
  ['file where file.name : "*"', []],
  ['file where file.name == "a/b"', []],
  [
    'file where file.path : ("*/.config/x.json", "*/.claude/*", "/a/*", "*/*.plist")',
    ['.config/x.json', '.claude/*'],
  ],
  ['process where process.name == "x"', []],
])('names that are looked for in any folder: %s', (query, names) => {
  expect(watchPatterns([rule(query)]).names).toEqual(names);
});

test('a rule about persistent items reads their places, and is degraded where those are not watched', () => {
  const one = rule('file where launchwarden.persistence.mechanism == "cron"');
  expect(watchPatterns([one])).toEqual({ patterns: [], names: [], unbounded: [] });
  expect(degradedReasons(one, { supply: supplyOf(['file-watch']), paths: [], mechanisms: false })).toEqual([
    'the rule looks at persistent items, whose places are not watched (`[watch] mechanisms`)',
  ]);
});

describe('covers', () => {
  const pattern = (
    text: string,
    wildcards: PathPattern['wildcards'] = '*?',
    insensitive = false,
  ): PathPattern => ({ text, wildcards, insensitive });
  test.each([
    ['/a/*', '/a/b', true],
    ['/a/*', '/a/*/c?', true],
    ['/a/*', '/a', false],
    ['/a/?', '/a/*', false],
    ['/a/?', '/a/?', true],
    ['/a/b', '/a/?', false],
    ['*', '/x/*', true],
    ['/*.plist', '/a/*.plist', true],
    ['/*.plist', '/a/*', false],
    ['/Users/*/Library/*', '/Users/*/Library/LaunchAgents/*', true],
  ])('%s covers %s: %s', (outer, inner, expected) =>
    expect(covers(pattern(outer), pattern(inner))).toBe(expected),
  );

  test('case and literal wildcards', () => {
    expect(covers(pattern('/A/*', '*', true), pattern('/a/b'))).toBe(true);
    expect(covers(pattern('/a/*'), pattern('/a/b', '', true))).toBe(false);
    expect(covers(pattern('/a*', ''), pattern('/a*', '*'))).toBe(false);
    expect(covers(pattern('/a*', ''), pattern('/a*', ''))).toBe(true);
  });

  test('a covered pattern has no path that the covering one lacks', () => {
    const matches = (one: PathPattern, path: string) => {
      const source = [...one.text].map((c) =>
        c === '*' && one.wildcards !== '' ? '.*' : c === '?' && one.wildcards === '*?' ? '.' : `\\${c}`,
      );
      return new RegExp(`^${source.join('')}$`, one.insensitive ? 'si' : 's').test(path);
    };
    const any = fc.record({
      text: fc.string({ unit: fc.constantFrom('/', '*', '?', '.'), maxLength: 6 }),
      wildcards: fc.constantFrom('' as const, '*' as const, '*?' as const),
      insensitive: fc.boolean(),
    });
    const path = fc.string({ unit: fc.constantFrom('/', '*', '?', '.'), maxLength: 8 });
    fc.assert(
      fc.property(any, any, path, (outer, inner, text) => {
        if (covers(outer, inner) && matches(inner, text)) expect(matches(outer, text)).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });
});
