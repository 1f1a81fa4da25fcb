import { describe, expect, test } from 'vitest';
import { type PlistValue, plistToJson, readPlist } from '../../../../src/base/plist/index.js';
import { fc } from '../../../helpers/property.js';
import { ascii, binaryPlist, trailer, xml } from './samples.js';

function value(bytes: Uint8Array): PlistValue {
  const result = readPlist(bytes);
  if (!result.ok) throw new Error(`${result.finding}: ${result.detail}`);
  return result.value;
}

function finding(bytes: Uint8Array): string {
  const result = readPlist(bytes);
  return result.ok ? `read as ${plistToJson(result.value)}` : result.finding;
}

/** What was kept, as JSON, and the findings. */
function kept(bytes: Uint8Array): { readonly json: unknown; readonly findings: readonly string[] } {
  const result = readPlist(bytes);
  if (!result.ok) return { json: undefined, findings: [result.finding] };
  return { json: JSON.parse(plistToJson(result.value)), findings: result.findings };
}

describe('XML', () => {
  test('every type', () => {
    const body = `<dict>
      <key>text</key><string> kept as it is </string>
      <key>number</key><integer>-42</integer>
      <key>large</key><integer>18446744073709551615</integer>
      <key>hex</key><integer>0x1F</integer>
      <key>real</key><real>1.5e3</real>
      <key>yes</key><true/>
      <key>no</key><false></false>
      <key>data</key><data>
        AQID
      </data>
      <key>date</key><date>2026-11-22T05:40:13Z</date>
      <key>list</key><array><string/><integer>1</integer></array>
      <key>empty</key><dict/>
    </dict>`;
    expect(value(xml(body))).toEqual(
      new Map<string, PlistValue>([
        ['text', ' kept as it is '],
        ['number', -42],
        ['large', 18446744073709551615n],
        ['hex', 31],
        ['real', 1500],
        ['yes', true],
        ['no', false],
        ['data', Uint8Array.of(1, 2, 3)],
        ['date', new Date('2026-11-22T05:40:13Z')],
        ['list', ['', 1]],
        ['empty', new Map()],
      ]),
    );
  });

  test.each<[string, string, PlistValue]>([
    [
      'the five entities and character references',
      '<string>&lt;&gt;&amp;&quot;&apos;&#65;&#x1F600;</string>',
      `<>&"'A😀`,
    ],
    ['CDATA, which resolves nothing', '<string>a<![CDATA[<&amp;]]>b</string>', 'a<&amp;b'],
    ['a comment inside a text', '<string>a<!-- <string>x</string> -->b</string>', 'ab'],
    ['an instruction inside a text', '<string>a<?x y?>b</string>', 'ab'],
    ['line ends', '<string>a\r\nb\rc</string>', 'a\nb\nc'],
    // CFPropertyList.c knows no quotes: a tag ends at its first bracket.
    ['an attribute with a closing bracket', '<string a=">x</string>', 'x'],
    ['an empty key', '<dict><key/><string>x</string></dict>', new Map([['', 'x']])],
    [
      'the last of two equal keys',
      '<dict><key>a</key><true/><key>a</key><false/></dict>',
      new Map([['a', false]]),
    ],
    [
      'keys that mean something to JavaScript',
      '<dict><key>__proto__</key><true/></dict>',
      new Map([['__proto__', true]]),
    ],
    [
      'infinity',
      '<array><real>-Infinity</real><real>nan</real></array>',
      [Number.NEGATIVE_INFINITY, Number.NaN],
    ],
    ['a comment between values', '<array><!-- --><true/><!----></array>', [true]],
    ['text between values, which launchd passes over', '<array> x <true/> y </array>', [true]],
  ])('%s', (_, body, expected) => {
    expect(value(xml(body))).toEqual(expected);
  });

  test('other encodings', () => {
    const text = '<?xml version="1.0"?><plist><string>ü😀</string></plist>';
    expect(value(Buffer.from(`\ufeff${text}`))).toBe('ü😀');
    expect(value(Buffer.from(`\ufeff${text}`, 'utf16le'))).toBe('ü😀');
    expect(value(Buffer.from(text, 'utf16le'))).toBe('ü😀');
    expect(value(Buffer.from(`\ufeff${text}`, 'utf16le').swap16())).toBe('ü😀');
    expect(value(Buffer.from(text, 'utf16le').swap16())).toBe('ü😀');
  });

  test.each<[string, number[], string, string[]]>([
    ['ISO-8859-1', [0xfc], 'ü', []],
    ['windows-1252', [0x80], '€', []],
    ['macintosh', [0x8a], 'ä', []],
    ['x-mac-roman', [0x8a], 'ä', []],
    ['Shift_JIS', [0x83, 0x8b], 'ル', []],
    ['UTF-7', [...Buffer.from('+APw-')], 'ü', []],
    ['UTF-16', [0xc3, 0xbc], 'ü', ['plist-odd-encoding']],
    ['no-such-thing', [0xc3, 0xbc], 'ü', ['plist-odd-encoding']],
    ['UTF-8', [0xfc], '\ufffd', ['plist-odd-encoding']],
  ])('declared as %s', (name, bytes, expected, findings) => {
    const [before = '', after = ''] =
      `<?xml version="1.0" encoding='${name}'?><plist><string>|</string></plist>`.split('|');
    const result = readPlist(Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]));
    expect(result.ok && [result.value, result.findings]).toEqual([expected, findings]);
  });

  test.each([false, true])('UTF-32, with a byte order mark: %s', (marked) => {
    const units = [...`${marked ? '\ufeff' : ''}<plist><string>ü😀</string></plist>`].map(
      (one) => one.codePointAt(0)!,
    );
    const little = Buffer.alloc(units.length * 4);
    for (const [index, unit] of units.entries()) little.writeUInt32LE(unit, index * 4);
    expect(value(little)).toBe('ü😀');
    expect(value(Buffer.from(little).swap32())).toBe('ü😀');
  });

  test('without a plist element around it', () => {
    expect(value(Buffer.from('<dict><key>Label</key><string>x</string></dict>'))).toEqual(
      new Map([['Label', 'x']]),
    );
  });

  test.each<[string, string, unknown, string[]]>([
    [
      'an entity of its own',
      '<!DOCTYPE x [<!ENTITY a "b">]><plist><string>&a;</string></plist>',
      '&a;',
      ['plist-doctype', 'plist-odd-entity'],
    ],
    [
      'a declaration outside the document type',
      '<!ENTITY a "b"><plist><true/></plist>',
      true,
      ['plist-doctype'],
    ],
    [
      'a comment and brackets in the document type',
      '<!DOCTYPE plist [<!-- ]> --><!ELEMENT n (#PCDATA)>] ><plist><true/></plist>',
      true,
      ['plist-doctype'],
    ],
    ['a document type in lower case', '<!doctype plist><plist><true/></plist>', true, ['plist-doctype']],
    ['an unknown entity', '<plist><string>a&nbsp;b</string></plist>', 'a&nbsp;b', ['plist-odd-entity']],
    [
      'an entity named as a property of every object',
      '<plist><string>&constructor;</string></plist>',
      '&constructor;',
      ['plist-odd-entity'],
    ],
    ['a bare ampersand', '<plist><string>R&D & b</string></plist>', 'R&D & b', ['plist-odd-entity']],
    [
      'a reference to a surrogate',
      '<plist><string>&#xD800;</string></plist>',
      '&#xD800;',
      ['plist-odd-entity'],
    ],
    [
      'a reference that Apple cuts to 16 bits',
      '<plist><string>&#x10041;</string></plist>',
      '\u{10041}',
      ['plist-odd-entity'],
    ],
    [
      'an unknown element',
      '<plist><dict><key>k</key><int>3</int><key>l</key><true/></dict></plist>',
      { k: '3', l: true },
      ['plist-unknown-element'],
    ],
    [
      'an unknown empty element',
      '<plist><array><int/><true/></array></plist>',
      [true],
      ['plist-unknown-element'],
    ],
    ['an element in a text', '<plist><string><b>a</b></string></plist>', 'a', ['plist-unknown-element']],
    [
      'a smaller-than in a text',
      '<plist><dict><key>k</key><string>1 < 2</string></dict></plist>',
      { k: '1 < 2' },
      ['plist-unparsable'],
    ],
    [
      'a wrong end',
      '<plist><dict><key>k</key><array><true/></string></array><key>l</key><true/></dict></plist>',
      { k: [true], l: true },
      ['plist-unparsable'],
    ],
    [
      'a list that is not closed',
      '<plist><dict><key>k</key><array><true/><key>l</key><true/></dict></plist>',
      { k: [true], l: true },
      ['plist-unparsable'],
    ],
    [
      'a text that is not closed',
      '<plist><dict><key>k</key><string>a<key>l</key><true/></dict></plist>',
      { k: 'a', l: true },
      ['plist-unparsable'],
    ],
    ['the end of the file', '<plist><dict><key>a</key><string>b', { a: 'b' }, ['plist-cut']],
    ['an end inside of a tag', '<plist><dict><key>a</key><string>b</string><key', { a: 'b' }, ['plist-cut']],
    [
      'the end alone',
      'ing>x</string><key>a</key><string>b</string></dict></plist>',
      undefined,
      ['plist-unknown-format'],
    ],
    ['a comment that is not closed', '<plist><!-- <true/></plist>', true, ['plist-unparsable']],
    ['a CDATA that is not closed', '<plist><string><![CDATA[a</string></plist>', 'a', ['plist-unparsable']],
    ['a comment in a text', '<plist><string>a<!-- c -->b</string></plist>', 'ab', ['plist-odd-text']],
    [
      'text between values',
      '<plist><dict>x<key>k</key>y<true/></dict></plist>',
      { k: true },
      ['plist-odd-text'],
    ],
    [
      'a key without a value',
      '<plist><dict><key>k</key><key>l</key><true/></dict></plist>',
      { k: null, l: true },
      ['plist-unparsable'],
    ],
    [
      'a value without a key',
      '<plist><dict><true/><key>l</key><true/></dict></plist>',
      { l: true },
      ['plist-unparsable'],
    ],
    [
      'an integer that is none',
      '<plist><array><integer>12a</integer><integer/><integer> + 0x10 </integer></array></plist>',
      ['12a', '', 16],
      ['plist-odd-value'],
    ],
    [
      'an integer beyond 64 bits',
      '<plist><integer>18446744073709551616</integer></plist>',
      '18446744073709551616',
      ['plist-odd-value'],
    ],
    ['a real that is none', '<plist><real>1,5</real></plist>', '1,5', ['plist-odd-value']],
    ['a date that is none', '<plist><date>nope</date></plist>', 'nope', ['plist-odd-value']],
    [
      'dates of other ages',
      '<plist><array><date>12026-01-01T00:00:00Z</date><date>5-01-01T00:00:00Z</date></array></plist>',
      [{ $date: '+012026-01-01T00:00:00.000Z' }, { $date: '0005-01-01T00:00:00.000Z' }],
      [],
    ],
    [
      'a date beyond the calendar',
      '<plist><date>999999-01-01T00:00:00Z</date></plist>',
      '999999-01-01T00:00:00Z',
      ['plist-odd-value'],
    ],
    [
      'data with junk',
      '<plist><data>AA*-_AA</data></plist>',
      { $data: 'AAAA', $bytes: 3 },
      ['plist-odd-value'],
    ],
    ['a true with a content', '<plist><true>no</true></plist>', true, ['plist-odd-value']],
    [
      'a key that occurs twice',
      '<plist><dict><key>k</key><true/><key>k</key><false/></dict></plist>',
      { k: false },
      ['plist-duplicate-key'],
    ],
    ['a second list', '<plist><true/></plist><plist><false/></plist>', true, ['plist-unparsable']],
    ['something behind', '<plist><dict/></plist>\0\0x', {}, ['plist-trailing-bytes']],
    ['something before', '0\x82\x01<?xml version="1.0"?><plist><dict/></plist>', {}, ['plist-leading-bytes']],
    ['600 blanks before', `${' '.repeat(600)}<plist><dict/></plist>`, {}, []],
    [
      'a dictionary behind another value',
      '<plist><string>x</string><dict><key>k</key><true/></dict></plist>',
      { k: true },
      [],
    ],
    [
      'keys behind an end too many',
      '<plist><dict><key>a</key><array></array></array><key>k</key><true/></dict></plist>',
      { a: [], k: true },
      ['plist-unparsable'],
    ],
  ])('what can be read is kept: %s', (_, text, json, findings) => {
    expect(
      kept(Buffer.from(text, 'latin1').includes(0x82) ? Buffer.from(text, 'latin1') : Buffer.from(text)),
    ).toEqual({
      json,
      findings: expect.arrayContaining(findings) as string[],
    });
    expect(kept(Buffer.from(text)).findings.length === 0).toBe(findings.length === 0);
  });

  test.each([
    ['a tag that is not closed', '<plist><string a="'],
    ['no value', '<plist></plist>'],
    ['nothing but a declaration', '<?xml version="1.0"?>'],
    ['HTML', '<html><body></body></html>'],
  ])('refused: %s', (_, text) => {
    expect(finding(Buffer.from(text))).toBe('plist-unparsable');
  });

  const label = '<key>Label</key><string>com.example</string>';
  test.each<[string, string]>([
    ['65 levels', `<key>x</key>${'<array>'.repeat(65)}${'</array>'.repeat(65)}`],
    ['20,000 levels', `<key>x</key>${'<array>'.repeat(2e4)}${'</array>'.repeat(2e4)}`],
    ['60,000 values', `<key>x</key><array>${'<true/>'.repeat(6e4)}</array>`],
    [
      '20,000 keys of many values',
      Array.from({ length: 2e4 }, (_, n) => `<key>${n}</key><array><true/><true/></array>`).join(''),
    ],
    ['60,000 values of a known key', `<key>WatchPaths</key><array>${'<true/>'.repeat(6e4)}</array>`],
  ])('a budget that is used up hides nothing of launchd behind it: %s', (_, many) => {
    for (const body of [`${many}${label}`, `${label}${many}`]) {
      const result = readPlist(Buffer.from(`<plist><dict>${body}</dict></plist>`));
      expect(result.ok && result.value instanceof Map && result.value.get('Label')).toBe('com.example');
      expect(result.ok && result.findings).toContain('plist-too-complex');
    }
  });

  test.each<[string, (text: string) => Buffer]>([
    ['UTF-8', (text) => Buffer.from(text)],
    ['UTF-16', (text) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
  ])('a file beyond the budget of bytes is read from both ends: %s', (_, encode) => {
    const pad = `<key>pad</key><array>${'<string>x</string>'.repeat(1e5)}</array>`;
    const inner = '<key>in</key><dict><key>Label</key><string>no</string></dict>';
    const bytes = encode(
      `<plist><dict><key>Program</key><string>/a</string>${pad}${inner}${label}</dict></plist>`,
    );
    expect(bytes.length).toBeGreaterThan(1.5 * 1024 * 1024);
    const front = bytes.subarray(0, 1024 * 1024);
    const tail = bytes.subarray(-100_001);
    for (const result of [
      readPlist(bytes),
      readPlist(front, { tail, tailOffset: bytes.length - tail.length }),
    ]) {
      const value = result.ok && result.value instanceof Map ? result.value : new Map<string, PlistValue>();
      expect([value.get('Label'), value.get('Program')]).toEqual(['com.example', '/a']);
      expect(result.ok && result.findings).toContain('plist-cut');
    }
  });

  test('values of a repeated key are kept beside the one that counts', () => {
    const result = readPlist(
      xml('<dict><key>a</key><string>1</string><key>a</key><string>2</string></dict>'),
    );
    expect(result.ok && [...result.repeated]).toEqual([['a', ['1']]]);
    expect(result.ok && plistToJson(result.value, result.repeated)).toBe('{"a":"2","$repeated":{"a":["1"]}}');
  });

  test('any number of marks that are never closed costs one search', () => {
    const started = process.cpuUsage().user;
    for (const mark of [
      '<!--',
      '<![CDATA[',
      '<?x ',
      '<!DOCTYPE [',
      '<dict><!-',
      '</array>',
      '<string>',
      '&#',
      '<a ',
      '<',
    ])
      readPlist(Buffer.from(`<plist><dict>${mark.repeat(1e6 / mark.length)}`));
    // Searched anew at each mark it would be minutes.
    expect(process.cpuUsage().user - started).toBeLessThan(20e6);
  });
});

describe('binary', () => {
  test('every type', () => {
    const objects = [
      [0xd9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18],
      ...['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].map(ascii),
      ascii('longer than fourteen characters'),
      [0x62, 0xd8, 0x3d, 0xde, 0x00],
      [0x10, 0xff],
      [0x13, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
      [0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
      [0x23, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0],
      [0x33, 0, 0, 0, 0, 0, 0, 0, 0],
      [0x43, 1, 2, 3],
      [0xa3, 19, 20, 21],
      [0x09],
      [0x08],
      [0x81, 1, 0],
    ];
    expect(value(binaryPlist(objects))).toEqual(
      new Map<string, PlistValue>([
        ['a', 'longer than fourteen characters'],
        ['b', '😀'],
        ['c', 255],
        ['d', -1],
        ['e', 18446744073709551615n],
        ['f', 1.5],
        ['g', new Date('2001-01-01T00:00:00Z')],
        ['h', Uint8Array.of(1, 2, 3)],
        ['i', [true, false, { uid: 256n }]],
      ]),
    );
  });

  test('a value may be referred to twice', () => {
    expect(value(binaryPlist([[0xa2, 1, 1], ascii('x')]))).toEqual(['x', 'x']);
  });

  test('a few hundred bytes that name a billion values cost nothing', () => {
    // Each list holds ten times the next one.
    const levels = Array.from({ length: 12 }, (_, n) => [0xaa, ...Array<number>(10).fill(n + 1)]);
    const bytes = binaryPlist([...levels, ascii('lol')]);
    const started = process.memoryUsage.rss();
    const result = readPlist(bytes);
    expect(result.ok).toBe(true);
    expect(plistToJson(result.ok ? result.value : '').length).toBeLessThan(40_000);
    expect(process.memoryUsage.rss() - started).toBeLessThan(100e6);
  });

  test('references are counted, not objects', () => {
    const wide = [0xaf, 0x11, 0xea, 0x60, ...Array<number>(60_000).fill(1)];
    const result = readPlist(binaryPlist([wide, [0x09]]));
    expect(result.ok && (result.value as PlistValue[]).length).toBeLessThan(50_001);
    expect(result.ok && result.findings).toEqual(['plist-too-complex']);
  });

  test('texts that overlap cannot decode into more than the file holds', () => {
    const count = 200;
    const text = [0x5f, 0x10, 250, ...Array<number>(250).fill(0x5f)];
    const header = [...Buffer.from('bplist00')];
    const list = [0xaf, 0x10, count, ...Array.from({ length: count }, (_, n) => n + 1)];
    const body = [...header, ...list, ...text, ...Array<number>(600).fill(0x10)];
    const textAt = header.length + list.length;
    const offsets = [8, ...Array<number>(count).fill(textAt)];
    const bytes = Uint8Array.from([
      ...body,
      ...offsets.flatMap((offset) => [offset >> 8, offset & 0xff]),
      ...trailer({ offsetSize: 2, refSize: 1, count: count + 1, top: 0, table: body.length }),
    ]);
    const result = readPlist(bytes);
    expect(result.ok && result.findings).toEqual(['plist-too-complex']);
    expect(result.ok && (result.value as PlistValue[]).filter((one) => one !== null).length).toBeLessThan(10);
  });

  const dictionary = [[0xd2, 1, 2, 3, 4], ascii('Label'), ascii('k'), ascii('com.example')];
  const huge = [0x33, 0x7f, 0xef, 255, 255, 255, 255, 255, 255];
  test.each<[string, Uint8Array, unknown, string[]]>([
    ['a list that contains itself', binaryPlist([[0xa2, 0, 1], [0x09]]), [null, true], ['plist-cycle']],
    [
      'a dictionary that contains itself',
      binaryPlist([[0xd1, 1, 0], ascii('k')]),
      { k: null },
      ['plist-cycle'],
    ],
    ['a reference to nothing', binaryPlist([[0xa2, 9, 1], [0x09]]), [null, true], ['plist-unparsable']],
    [
      'a key that is no text',
      binaryPlist([[0xd2, 1, 2, 1, 1], [0x09], ascii('k')]),
      { k: true },
      ['plist-unparsable'],
    ],
    [
      'an unknown type',
      binaryPlist([...dictionary, [0x0e, ...Array<number>(16).fill(1)]]),
      { Label: 'com.example', k: null },
      ['plist-odd-value'],
    ],
    [
      'a date beyond all calendars',
      binaryPlist([...dictionary, huge]),
      { Label: 'com.example', k: '1.7976931348623157e+308' },
      ['plist-odd-value'],
    ],
    [
      'an object beyond the end',
      binaryPlist([...dictionary, [0x5f, 0x12, 0x7f, 0xff, 0xff, 0xff]]),
      { Label: 'com.example', k: null },
      ['plist-unparsable'],
    ],
    [
      'a length of 2^63',
      binaryPlist([...dictionary, [0x5f, 0x13, 0x7f, 255, 255, 255, 255, 255, 255, 255]]),
      { Label: 'com.example', k: null },
      ['plist-unparsable'],
    ],
    [
      'a length that is a text',
      binaryPlist([...dictionary, [0x5f, 0x50]]),
      { Label: 'com.example', k: null },
      ['plist-unparsable'],
    ],
    [
      '100 levels',
      binaryPlist([
        [0xd2, 1, 2, 3, 4],
        ascii('Label'),
        ascii('k'),
        ascii('com.example'),
        ...Array.from({ length: 100 }, (_, n) => [0xa1, n + 5]),
        [0x09],
      ]),
      { Label: 'com.example', k: expect.anything() },
      ['plist-too-complex'],
    ],
    [
      'a key that occurs twice',
      binaryPlist([[0xd2, 1, 1, 2, 3], ascii('Label'), ascii('first'), ascii('last')]),
      { Label: 'last' },
      ['plist-duplicate-key'],
    ],
    [
      'another version',
      Buffer.from(
        Buffer.from(binaryPlist([...dictionary, [0x09]]))
          .toString('latin1')
          .replace('bplist00', 'bplist15'),
        'latin1',
      ),
      { Label: 'com.example', k: true },
      ['plist-odd-version'],
    ],
    [
      'something behind the trailer',
      Buffer.concat([binaryPlist([...dictionary, [0x09]]), Buffer.from('appended')]),
      { Label: 'com.example', k: true },
      ['plist-trailing-bytes'],
    ],
    [
      'no trailer',
      binaryPlist([...dictionary, [0x09]]).subarray(0, -40),
      { Label: 'com.example', k: true },
      ['plist-cut'],
    ],
    [
      'the beginning alone',
      binaryPlist([...dictionary, ascii('x'.repeat(200))]).subarray(0, 100),
      { Label: 'com.example', k: null },
      ['plist-cut', 'plist-unparsable'],
    ],
    ['a high bit in ASCII', binaryPlist([ascii('re\xe4l')]), 're\xe4l', ['plist-odd-encoding']],
  ])('what can be read is kept: %s', (_, bytes, json, findings) => {
    expect(kept(bytes)).toEqual({ json, findings });
  });

  test('a list of more values than are read does not hide the label behind it', () => {
    const many = [0xaf, 0x11, 0xea, 0x60, ...Array<number>(60_000).fill(5)];
    const bytes = binaryPlist([
      [0xd2, 1, 2, 3, 4],
      ascii('k'),
      ascii('Label'),
      many,
      ascii('com.example'),
      [0x09],
    ]);
    const result = readPlist(bytes);
    expect(result.ok && result.value instanceof Map && result.value.get('Label')).toBe('com.example');
  });

  const header = [...Buffer.from('bplist00'), 9, 8];
  test.each<[string, Uint8Array]>([
    ['the header alone', Buffer.from('bplist00')],
    ['a top object that is not there', binaryPlist([[0x09]], 5)],
    [
      'an offset table beyond the end',
      Uint8Array.from([
        ...header,
        ...trailer({ offsetSize: 1, refSize: 1, count: 1, top: 0, table: 2 ** 40 }),
      ]),
    ],
    [
      'a million objects in the trailer',
      Uint8Array.from([...header, ...trailer({ offsetSize: 1, refSize: 1, count: 1e6, top: 0, table: 9 })]),
    ],
    [
      'impossible sizes',
      Uint8Array.from([...header, ...trailer({ offsetSize: 0, refSize: 200, count: 1, top: 0, table: 9 })]),
    ],
  ])('refused: %s', (_, bytes) => {
    expect(finding(bytes)).toBe('plist-unparsable');
  });
});

describe('the text form of before XML, and JSON', () => {
  test.each<[string, string, unknown, string[]]>([
    [
      'every type',
      '{ Label = "a\\"b\\U00e4\\101"; l = (a, \'b c\', ("x")); d = <0102 03>; e = {}; // c\n f = /usr/bin/x; /* c */ }',
      {
        Label: 'a"b\u00e4A',
        l: ['a', 'b c', ['x']],
        d: { $data: 'AQID', $bytes: 3 },
        e: {},
        f: '/usr/bin/x',
      },
      [],
    ],
    [
      'JSON',
      '{"Label":"\\u0061","n":-1.5e1,"t":true,"z":null,"l":[1,{"a":"b"}]}',
      { Label: 'a', n: -15, t: true, z: null, l: [1, { a: 'b' }] },
      [],
    ],
    ['a strings file', 'Label = "x"; Program = /a/b;', { Label: 'x', Program: '/a/b' }, []],
    ['a missing semicolon', '{ Label = x Program = y; }', { Label: 'x', Program: 'y' }, ['plist-unparsable']],
    [
      'the end of the file',
      '{ Label = x; Arguments = (a, "b',
      { Label: 'x', Arguments: ['a', 'b'] },
      ['plist-cut'],
    ],
    [
      '100 levels',
      `{ Label = x; a = ${'('.repeat(100)}${')'.repeat(100)}; b = y; }`,
      { Label: 'x', a: expect.anything(), b: 'y' },
      ['plist-too-complex'],
    ],
    ['a key that occurs twice', '{ Label = x; Label = y; }', { Label: 'y' }, ['plist-duplicate-key']],
  ])('%s', (_, text, json, findings) => {
    expect(kept(Buffer.from(text))).toEqual({ json, findings: ['plist-old-format', ...findings] });
    expect(kept(Buffer.from(`\ufeff${text}`, 'utf16le')).json).toEqual(json);
  });
});

describe('any bytes', () => {
  test.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'plist-empty'],
    ['a program', Uint8Array.of(0xcf, 0xfa, 0xed, 0xfe), 'plist-unknown-format'],
    ['two megabytes of nothing', new Uint8Array(2 * 1024 * 1024), 'plist-unknown-format'],
    ['a compressed file', Uint8Array.of(0x1f, 0x8b, 8, 0, 1, 2, 3), 'plist-unknown-format'],
  ])('%s', (_, bytes, expected) => {
    expect(finding(bytes)).toBe(expected);
  });

  const valid = [
    binaryPlist([
      [0xd2, 1, 2, 3, 4],
      ascii('Label'),
      ascii('Args'),
      ascii('com.example'),
      [0xa2, 5, 6],
      [0x10, 1],
      [0x09],
    ]),
    xml(
      '<dict><key>Label</key><string>x&amp;y</string><key>n</key><array><integer>1</integer><real>2</real></array></dict>',
    ),
  ];

  test('never an exception and always a value or a finding, whatever is changed in a good file', () => {
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(
        fc.constantFrom(...valid),
        fc.array(change, { maxLength: 8 }),
        fc.nat(),
        (bytes, changes, cut) => {
          const broken = Uint8Array.from(bytes);
          for (const [at, byte] of changes) broken[at % broken.length] = byte;
          const result = readPlist(cut % 4 === 0 ? broken.subarray(0, cut % broken.length) : broken);
          if (result.ok) JSON.parse(plistToJson(result.value));
          else expect(result.finding).toMatch(/^plist-/);
          expect(result.ok || !result.detail.includes('RangeError')).toBe(true);
        },
      ),
      { numRuns: 3_000 },
    );
  });

  test('random text in a plist element', () => {
    const part = fc.constantFrom(
      '<dict>',
      '</dict>',
      '<key>',
      '</key>',
      '<string>',
      '</string>',
      '<array/>',
      '&',
      'a',
      '<![CDATA[',
      ']]>',
      '<!--',
      '-->',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
        const result = readPlist(xml(parts.join('')));
        expect(result.ok || /^plist-/.test(result.finding)).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('as JSON text', () => {
  test('what JSON has no form for is tagged', () => {
    const all: PlistValue = new Map<string, PlistValue>([
      ['data', Uint8Array.of(1)],
      ['date', new Date(0)],
      ['uid', { uid: 7n }],
      ['large', 2n ** 64n],
      ['nan', Number.NaN],
      ['__proto__', null],
    ]);
    expect(plistToJson(all)).toBe(
      '{"data":{"$data":"AQ==","$bytes":1},"date":{"$date":"1970-01-01T00:00:00.000Z"},"uid":{"$uid":"7"},"large":"18446744073709551616","nan":"NaN","__proto__":null}',
    );
  });

  test('of much data the beginning and the length', () => {
    const { $data, $bytes } = JSON.parse(plistToJson(new Uint8Array(1e6))) as {
      $data: string;
      $bytes: number;
    };
    expect($bytes).toBe(1e6);
    expect($data).toBe('A'.repeat(4_096));
  });

  test.each<[string, PlistValue]>([
    ['a long text', 'x'.repeat(1e6)],
    ['a text of quotes', '"'.repeat(1e6)],
    ['a long list', Array<PlistValue>(1e5).fill('x')],
    ['many keys', new Map(Array.from({ length: 1e5 }, (_, n) => [`key ${n}`, n]))],
    ['long keys', new Map(Array.from({ length: 100 }, (_, n) => [`${n}`.repeat(10_000), n]))],
    ['deep', Array.from({ length: 60 }).reduce<PlistValue>((inner) => [inner], 'x')],
  ])('bounded and still JSON: %s', (_, given) => {
    const text = plistToJson(given);
    expect(text.length).toBeLessThan(40_000);
    expect(JSON.stringify(JSON.parse(text))).toContain('…');
  });
});
