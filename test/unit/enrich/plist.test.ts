import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type PlistValue, plistToJson, readPlist } from '../../../src/enrich/index.js';
import { ascii, binaryPlist, trailer, xml } from './plist-samples.js';

function value(bytes: Uint8Array): PlistValue {
  const result = readPlist(bytes);
  if (!result.ok) throw new Error(`${result.finding}: ${result.detail}`);
  return result.value;
}

function finding(bytes: Uint8Array): string {
  const result = readPlist(bytes);
  return result.ok ? `read as ${plistToJson(result.value)}` : result.finding;
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
    ['an attribute with a closing bracket', '<string a="x>y" b=\'/>\'>z</string>', 'z'],
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
    const latin = '<?xml version="1.0" encoding="ISO-8859-1"?><plist><string>\xfc</string></plist>';
    expect(value(Buffer.from(latin, 'latin1'))).toBe('ü');
  });

  test('without a plist element around it', () => {
    expect(value(Buffer.from('<dict><key>Label</key><string>x</string></dict>'))).toEqual(
      new Map([['Label', 'x']]),
    );
  });

  test.each([
    [
      'an entity of its own',
      '<!DOCTYPE x [<!ENTITY a "b">]><plist><string>&a;</string></plist>',
      'plist-doctype',
    ],
    ['a declaration outside the document type', '<!ENTITY a "b"><plist><true/></plist>', 'plist-doctype'],
    ['an unknown entity', '<plist><string>&nbsp;</string></plist>', 'plist-unparsable'],
    [
      'an entity named as a property of every object',
      '<plist><string>&constructor;</string></plist>',
      'plist-unparsable',
    ],
    ['a bare ampersand', '<plist><string>a & b</string></plist>', 'plist-unparsable'],
    ['a reference to a surrogate', '<plist><string>&#xD800;</string></plist>', 'plist-unparsable'],
    ['an unknown element', '<plist><sting>a</sting></plist>', 'plist-unparsable'],
    ['an element in a text', '<plist><string><b>a</b></string></plist>', 'plist-unparsable'],
    ['a wrong end', '<plist><array><true/></dict></plist>', 'plist-unparsable'],
    ['the end of the file', '<plist><dict><key>a</key><string>b', 'plist-unparsable'],
    ['an open comment', '<plist><!-- <true/></plist>', 'plist-unparsable'],
    ['an open CDATA', '<plist><string><![CDATA[a</string></plist>', 'plist-unparsable'],
    ['an open tag', '<plist><string a="', 'plist-unparsable'],
    ['a key without a value', '<plist><dict><key>a</key></dict></plist>', 'plist-unparsable'],
    ['a value without a key', '<plist><dict><true/></dict></plist>', 'plist-unparsable'],
    ['no value', '<plist></plist>', 'plist-unparsable'],
    ['nothing but a declaration', '<?xml version="1.0"?>', 'plist-unparsable'],
    ['an integer that is none', '<plist><integer>12a</integer></plist>', 'plist-unparsable'],
    [
      'an integer of a million digits',
      `<plist><integer>${'9'.repeat(1e6)}</integer></plist>`,
      'plist-unparsable',
    ],
    ['a date that is none', '<plist><date>nope</date></plist>', 'plist-unparsable'],
    ['data that is none', '<plist><data>*</data></plist>', 'plist-unparsable'],
    ['100,000 levels', '<plist>' + '<array>'.repeat(1e5), 'plist-too-complex'],
    ['60,000 values', `<plist><array>${'<true/>'.repeat(60_000)}`, 'plist-too-complex'],
    ['60,000 keys', `<plist><dict>${'<key/><true/>'.repeat(40_000)}`, 'plist-too-complex'],
    ['HTML', '<html><body></body></html>', 'plist-unparsable'],
  ])('refused: %s', (_, text, expected) => {
    expect(finding(Buffer.from(text))).toBe(expected);
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
    expect(finding(binaryPlist([wide, [0x09]]))).toBe('plist-too-complex');
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
    expect(finding(bytes)).toBe('plist-too-complex');
  });

  test.each<[string, Uint8Array, string]>([
    ['the header alone', Buffer.from('bplist00'), 'plist-unparsable'],
    ['a list that contains itself', binaryPlist([[0xa1, 0]]), 'plist-cycle'],
    ['a dictionary that contains itself', binaryPlist([[0xd1, 1, 0], ascii('k')]), 'plist-cycle'],
    [
      'a longer circle',
      binaryPlist([
        [0xa1, 1],
        [0xa1, 2],
        [0xa1, 0],
      ]),
      'plist-cycle',
    ],
    [
      '100 levels',
      binaryPlist([...Array.from({ length: 100 }, (_, n) => [0xa1, n + 1]), [0x09]]),
      'plist-too-complex',
    ],
    ['a reference to nothing', binaryPlist([[0xa1, 9]]), 'plist-unparsable'],
    ['a top object that is not there', binaryPlist([[0x09]], 5), 'plist-unparsable'],
    ['a key that is no text', binaryPlist([[0xd1, 1, 1], [0x09]]), 'plist-unparsable'],
    ['a text beyond the end', binaryPlist([[0x5f, 0x12, 0x7f, 0xff, 0xff, 0xff]]), 'plist-unparsable'],
    [
      'a length of 2^63',
      binaryPlist([[0x5f, 0x13, 0x7f, 255, 255, 255, 255, 255, 255, 255]]),
      'plist-unparsable',
    ],
    ['a length that is a text', binaryPlist([[0x5f, 0x50]]), 'plist-unparsable'],
    ['an unknown type', binaryPlist([[0x7f]]), 'plist-unparsable'],
    [
      'a date beyond all calendars',
      binaryPlist([[0x33, 0x7f, 0xef, 255, 255, 255, 255, 255, 255]]),
      'plist-unparsable',
    ],
    [
      'a million objects in the trailer',
      Uint8Array.from([
        ...Buffer.from('bplist00'),
        9,
        8,
        ...trailer({ offsetSize: 1, refSize: 1, count: 1e6, top: 0, table: 9 }),
      ]),
      'plist-too-complex',
    ],
    [
      'an offset table beyond the end',
      Uint8Array.from([
        ...Buffer.from('bplist00'),
        9,
        8,
        ...trailer({ offsetSize: 1, refSize: 1, count: 1, top: 0, table: 2 ** 40 }),
      ]),
      'plist-unparsable',
    ],
    [
      'impossible sizes',
      Uint8Array.from([
        ...Buffer.from('bplist00'),
        9,
        8,
        ...trailer({ offsetSize: 0, refSize: 200, count: 1, top: 0, table: 9 }),
      ]),
      'plist-unparsable',
    ],
  ])('refused: %s', (_, bytes, expected) => {
    expect(finding(bytes)).toBe(expected);
  });
});

describe('any bytes', () => {
  test.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'plist-empty'],
    ['the old text form', Buffer.from('{ Label = "x"; }'), 'plist-unknown-format'],
    ['a program', Uint8Array.of(0xcf, 0xfa, 0xed, 0xfe), 'plist-unknown-format'],
    ['two megabytes', new Uint8Array(2 * 1024 * 1024), 'plist-too-complex'],
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
