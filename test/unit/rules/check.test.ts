import { describe, expect, test } from 'vitest';
import { compileQuery, functionNames, signatureOf } from '../../../src/rules/index.js';

/** `code@text` of each finding, the text being what stands at its place; warnings begin with `?`. */
function findings(language: 'eql' | 'kuery', query: string): string[] {
  const result = compileQuery(language, query);
  const found = 'query' in result ? result.warnings : result.diagnostics;
  return found.map(({ severity, code, line, column }) => {
    const at = (query.split('\n')[line - 1] ?? '').slice(column - 1);
    return `${severity === 'warning' ? '?' : ''}${code}@${/^(?:[\w.]+|.)/.exec(at)?.[0] ?? ''}`;
  });
}
const eql = (query: string) => findings('eql', query);
const kql = (query: string) => findings('kuery', query);

describe('types', () => {
  test.each([
    ['process where process.code_signature.trusted', []],
    ['process where process.name', ['eql/not-boolean@process.name']],
    ['process where not process.pid', ['eql/not-boolean@process.pid']],
    ['process where true and 1', ['eql/not-boolean@1']],
    ['process where length(process.name)', ['eql/not-boolean@length']],
    ['process where null', []],
    ['process where process.unheard_of', ['?field/unknown@process.unheard_of']],
    ['process where ?process.unheard_of', []],
    ['process where process.name like 5', ['eql/type@5']],
    ['process where process.name : null', ['eql/type@null']],
    ['process where process.name regex true', ['eql/type@true']],
    ['process where process.pid like "1*"', ['?eql/type@process.pid']],
    ['process where (1 + 1) like "2"', ['eql/type@1']],
    ['process where process.args_count + "x" == 1', ['eql/type@"']],
    ['process where process.name + 1 == 1', ['?eql/type@process.name']],
    ['process where -length(process.name) == -1', []],
    ['process where process.args_count / 0 == 1', ['?eql/division@0']],
    ['process where modulo(process.args_count, 0) == 1', ['?eql/division@0']],
  ])('%s', (query, expected) => expect(eql(query)).toEqual(expected));
});

describe('comparisons that never hold, or look as if something else was meant', () => {
  test.each([
    ['process where process.pid == "12"', ['?eql/text-number@"']],
    ['process where process.pid == "x"', ['?eql/never@"']],
    ['process where "x" != process.pid', ['?eql/never@"']],
    ['process where process.pid in (1, "2", "y")', ['?eql/text-number@"', '?eql/never@"']],
    ['process where process.code_signature.trusted == "yes"', ['?eql/never@"']],
    ['process where user.id == 0 and user.id == "0"', []],
    ['process where user.id == "1" and user.id == "0"', ['?eql/never@user.id']],
    ['process where destination.ip == "localhost"', ['?eql/never@"']],
    ['process where process.start > "2026-01-01T00:00:00Z"', []],
    ['process where process.start > "soon"', ['?eql/never@"']],
    ['process where process.name == "a*b"', ['?eql/literal-wildcard@"']],
    ['process where process.name in ("x", "*.sh")', ['?eql/literal-wildcard@"']],
    ['process where process.args == "*"', []],
    ['process where process.name == null', []],
  ])('%s', (query, expected) => expect(eql(query)).toEqual(expected));
});

describe('two fields', () => {
  test.each([
    ['any where process.name == process.parent.name', ['eql/field-comparison@process.parent.name']],
    ['any where length(process.name) == length(file.name)', ['eql/field-comparison@file.name']],
    ['any where process.name in ("x", file.name)', ['eql/field-comparison@file.name']],
    ['any where ?process.name == ?file.name', []],
    ['any where startsWith(process.executable, file.path)', []],
    ['any where add(process.args_count, process.parent.args_count) == 3', []],
    ['any where null == (process.exit_code > -1)', []],
    ['sequence with maxspan=1s [file where true] as event0 [file where file.path == event0.file.path]', []],
  ])('%s', (query, expected) => expect(eql(query)).toEqual(expected));
});

describe('functions', () => {
  test.each([
    ['any where stringContain(file.name, "x")', ['eql/function@stringContain']],
    ['any where arrayContains(file.name, "x")', ['eql/function@arrayContains']],
    ['any where length~(file.name) == 1', ['eql/function@length']],
    ['any where startsWith~(file.name)', ['eql/arguments@startsWith']],
    ['any where length() == 1', ['eql/arguments@length']],
    ['any where between(file.name, "a", "b", true, 1) == ""', ['eql/arguments@between']],
    ['any where between(file.name, "a", "b", "yes") == ""', ['eql/type@"']],
    ['any where substring(file.name, 0, -1) == "x"', []],
    ['any where substring(file.name, "0") == "x"', ['eql/type@"']],
    ['any where startsWith(file.size, "1")', ['?eql/type@file.size']],
    ['any where startsWith(null, "1")', []],
    ['any where cidrMatch(destination.ip, "10.0.0.0/8", "::1", "0.0.0.0")', []],
    ['any where cidrMatch(destination.ip, "10.0.0.0/33")', ['eql/cidr@"']],
    ['any where cidrMatch(destination.ip, "10.0.0/8")', ['eql/cidr@"']],
    ['any where cidrMatch(destination.ip, source.ip)', ['eql/type@source.ip']],
    ['any where cidrMatch(destination.ip, null)', []],
    ['any where cidrMatch(5, "::1")', ['eql/type@5']],
    ['any where concat("a", 1, true, null) == "x"', []],
    ['any where number("0x1", 16) == 1', []],
    ['any where process.name regex "[a-"', ['eql/regex@"']],
    ['any where process.name regex~ ("[a-z]+", "x{2,1}")', ['eql/regex@"']],
  ])('%s', (query, expected) => expect(eql(query)).toEqual(expected));

  test('every function of the reference is there, in any case', () => {
    expect(functionNames()).toEqual([
      ...[
        'add',
        'between',
        'cidrMatch',
        'concat',
        'divide',
        'endsWith',
        'indexOf',
        'length',
        'modulo',
        'multiply',
      ],
      ...['number', 'startsWith', 'string', 'stringContains', 'substring', 'subtract'],
    ]);
    for (const name of functionNames()) expect(signatureOf(name.toUpperCase())?.name).toBe(name);
  });
});

const [a, b] = ['[file where true]', '[process where true]'];
describe('sequences and samples', () => {
  test.each([
    [`sequence with maxspan=1s ${a} ${b}`, []],
    [`sequence ${a} ${b}`, ['?eql/no-maxspan@sequence']],
    [`sequence with maxspan=1s ${a}`, ['eql/sequence@sequence']],
    [`sequence with maxspan=1s ${a} with runs=2`, []],
    [`sequence with maxspan=1s ${Array(4).fill(`${a} with runs=100`).join(' ')}`, ['eql/sequence@sequence']],
    [`sequence with maxspan=1s ![file where true] ![process where true]`, ['eql/missing-event@sequence']],
    [`sequence ${a} ![process where true]`, ['eql/missing-event@!']],
    [`sequence with maxspan=1s ${a} ![process where true]`, []],
    [`sequence with maxspan=1s ${a} by host.id ${b}`, ['eql/join-keys@[']],
    [`sequence with maxspan=1s ${a} by host.id ${b} by host.id, user.id`, ['eql/join-keys@host.id']],
    [`sequence with maxspan=1s ${a} by host.id ${b} by host.id until ${b}`, ['eql/join-keys@[']],
    [`sequence with maxspan=1s ${a} ${b} until ${b} with runs=2`, ['eql/sequence@[']],
    [`sequence with maxspan=1s ${a} ${b} until [file where file.name]`, ['eql/not-boolean@file.name']],
    [`sequence by hots.id with maxspan=1s ${a} ${b}`, ['?field/unknown@hots.id']],
    [`sequence with maxspan=1s ${a} [file where event0.file.path != null]`, ['eql/alias@event0.file.path']],
    [
      `sequence with maxspan=1s [file where event0.file.path != null] as event0 ${b}`,
      ['eql/alias@event0.file.path'],
    ],
    [`sequence with maxspan=1s ${a} as process ${b}`, ['eql/alias@[']],
    [`sequence with maxspan=1s ![file where true] as event0 ${b}`, ['eql/alias@!']],
    [
      `sequence with maxspan=1s ${a} by host.id as event0 ${b} by event0.host.id`,
      ['eql/alias@event0.host.id'],
    ],
    [`sample by host.id ${a} ${b}`, []],
    [`sample ${a} by user.id ${b} by user.id`, []],
    [`sample ${a} ${b}`, ['eql/sample@sample']],
    [`sample by host.id ${a}`, ['eql/sample@sample']],
    [`sample by host.id ${Array(6).fill(a).join(' ')}`, ['eql/sample@sample']],
    [`sample by host.id ${a} ${b} with runs=2`, ['eql/sample@[']],
    [`sample by host.id ${a} ![process where true]`, ['eql/sample@!']],
    [`sample by host.id ${a} ${b} | head 1`, ['eql/sample@|']],
    ['proces where true', ['?eql/category@proces']],
    ['my_own_events where true', []],
    [`sequence with maxspan=1s [fille where true] ${b}`, ['?eql/category@[']],
    ['process where descendant of [process where process.name]', ['eql/not-boolean@process.name']],
  ])('%s', (query, expected) => expect(eql(query)).toEqual(expected));
});

describe('KQL', () => {
  test.each([
    ['event.category:file and file.path:/Library/*', []],
    ['file.pth: x and file.pth: y', ['?field/unknown@file.pth']],
    ['process.*: x and unheard.*: y and *name: z and process.*.executable: w', ['?field/unknown@unheard.']],
    ['destination.port:"80" and destination.port > 79', []],
    ['destination.port: http', ['?kql/never@destination.port']],
    ['destination.port: 8*', ['?kql/never@destination.port']],
    ['destination.port > many', ['?kql/never@destination.port']],
    ['process.code_signature.trusted: (true or "false" or perhaps)', ['?kql/never@perhaps']],
    ['destination.ip: (10.0.0.0/8 or "::1" or localhost)', ['?kql/never@localhost']],
    ['process.name: a?b', ['?kql/question-mark@process.name']],
    ['process.name: "a?b"', []],
    ['process: { name: x and nme: y }', ['?field/unknown@nme']],
    ['process.name: x or', ['?kql/keyword@process.name']],
    ['process.name: "x or" and process.name: xor', []],
    ['free text', []],
  ])('%s', (query, expected) => expect(kql(query)).toEqual(expected));
});

test('findings come in the order of the text', () => {
  expect(eql('any where a.b == 1 and length() == 2 and process.name == "x*y" and process.pid')).toEqual([
    '?field/unknown@a.b',
    'eql/arguments@length',
    '?eql/literal-wildcard@"',
    'eql/not-boolean@process.pid',
  ]);
});
