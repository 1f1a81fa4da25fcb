import { expect, test } from 'vitest';
import { conditionsOf } from '../../../src/detect/index.js';
import { parseEql, parseKql, planConditions, type Query, RawFilter } from '../../../src/rules/index.js';
import { fc } from '../../helpers/property.js';
import { sourceRules } from '../../helpers/source-rules.js';

function queryOf(language: 'eql' | 'kql', text: string): Query {
  const parsed = language === 'eql' ? parseEql(text) : parseKql(text);
  if ('diagnostics' in parsed) throw new Error(JSON.stringify(parsed.diagnostics));
  return parsed.query;
}

const filterOf = (...queries: Query[]) => RawFilter.of(queries.flatMap(conditionsOf));

/** Which lines of a chunk may matter. */
function kept(filter: RawFilter, lines: readonly string[]): boolean[] {
  const chunk = Buffer.from(`${lines.join('\n')}\n`);
  const places = filter.places(chunk, chunk.length);
  let start = 0;
  return lines.map((line) => {
    const end = start + Buffer.byteLength(line);
    const has = places.some((place) => place >= start && place < end);
    start = end + 1;
    return has;
  });
}

const queries = [
  queryOf('eql', 'process where process.name == "launchctl"'),
  queryOf('eql', 'process where process.name : ("osascript*", "?kextload*") and not process.args == "-q"'),
  queryOf('eql', 'file where file.path like~ "/Users/*/Library/LaunchAgents/*" or file.name : "*.DSPLUG"'),
  queryOf('eql', 'any where stringContains~(process.command_line, "skype") or endsWith(file.path, "Kiosk")'),
  queryOf('kql', 'file.path:/Library/DirectoryServices/PlugIns/*.dsplug and not event.type:deletion'),
  queryOf('kql', 'process.name:(launchctl or "softwareupdate")'),
];

test('the source rules are filtered by three texts: a line without them is passed over', () => {
  const filter = filterOf(...sourceRules().map((rule) => rule.query));
  expect(filter).toBeDefined();
  if (filter === undefined) return;
  expect(
    kept(filter, [
      '{"process":{"name":"ls"}}',
      '{"process":{"name":"launchctl"}}',
      '{"file":{"path":"/library/LAUNCHAGENTS/x"}}',
      '{"file":{"path":"\\/Library\\/LaunchAgents\\/x"}}',
      '{"process":{"name":"la\\u0075nchctl"}}',
      '{"file":{"path":"/Library/Launch"}}',
    ]),
  ).toEqual([false, true, true, true, true, false]);
});

test.each([
  'any where true',
  'process where process.name != "launchctl"',
  'process where process.pid == 1234567',
  'process where process.name : "*1234*"',
  'process where process.name regex "launch.*"',
  'process where process.args == "ls"',
  'process where descendant of [process where process.name == "launchctl"] and process.name == "osascript"',
])('nothing can be passed over for: %s', (text) => {
  expect(filterOf(queryOf('eql', text))).toBeUndefined();
});

test('a rule that cannot be filtered keeps every line for all of them', () => {
  expect(filterOf(queries[0] as Query, queryOf('eql', 'any where true'))).toBeUndefined();
});

/** A value near what the queries look for: parts of it, in odd case, with characters that fold to ASCII. */
const nearText = fc
  .array(
    fc.constantFrom(
      'launchctl', 'LAUNCHCTL', 'osascript', 'kextload', '/Users/a/Library/LaunchAgents/', '/library/launchagents/', '.dsplug',
      '/Library/DirectoryServices/PlugIns/', 's\u212aype', '\u017fkype', 'SKYPE', 'Kiosk', '\u212aiosk', 'softwareupdate', 'x', '/', '"',
      '\\', '\n', '\u00e9', '\u0130', '\ud800', '1234567',
    ), // biome-ignore format: a list
    { maxLength: 5 },
  )
  .map((parts) => parts.join(''));

const document = fc.record(
  {
    event: fc.record({
      category: fc.constantFrom<unknown>('file', 'process', ['file', 'process']),
      type: fc.constantFrom('change', 'deletion'),
    }),
    process: fc.record(
      { name: nearText, args: fc.array(nearText, { maxLength: 3 }), command_line: nearText },
      { requiredKeys: [] },
    ),
    file: fc.record({ path: nearText, name: nearText }, { requiredKeys: [] }),
  },
  { requiredKeys: ['event'] },
);

/** JSON spells the same document in many ways. */
const spelled = fc.tuple(document, fc.boolean(), fc.boolean()).map(([doc, slashes, unicode]) => {
  let text = JSON.stringify(doc);
  if (slashes) text = text.replaceAll('/', '\\/');
  if (unicode)
    text = text.replace(
      /[a-z](?=[^"\\]*")/,
      (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
  return text;
});

test('a line that is passed over meets no condition', () => {
  const sets = queries.map((query) => {
    const filter = filterOf(query);
    if (filter === undefined) throw new Error('this query was to be filtered');
    return { filter, conditions: planConditions(conditionsOf(query)) };
  });
  let matched = 0;
  let passed = 0;
  fc.assert(
    fc.property(fc.array(spelled, { minLength: 1, maxLength: 6 }), (lines) => {
      for (const { filter, conditions } of sets) {
        const may = kept(filter, lines);
        lines.forEach((line, index) => {
          const hits: number[] = [];
          conditions.match(JSON.parse(line), hits);
          if (hits.length > 0) matched++;
          if (may[index] === false) passed++;
          if (may[index] === false && hits.length > 0) throw new Error(`passed over: ${line}`);
        });
      }
    }),
    { numRuns: 2_000 },
  );
  // The property says nothing unless both happened.
  expect(matched).toBeGreaterThan(100);
  expect(passed).toBeGreaterThan(100);
});

test('what is derived from a launchctl process is looked for by what it is derived from', () => {
  const filter = filterOf(queryOf('eql', 'process where launchwarden.launchctl.effect == "unknown"'));
  expect(filter).toBeDefined();
  if (filter === undefined) return;
  expect(
    kept(filter, [
      '{"process":{"name":"launchctl","args":["launchctl","activate"]}}',
      '{"process":{"name":"x","args":["x","bootstrap","system"]}}',
      '{"process":{"name":"x","args":["x","download"]}}',
    ]),
  ).toEqual([true, true, false]);
});
