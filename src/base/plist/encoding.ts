import { isUtf8 } from 'node:buffer';
import type { Oddities } from './value.js';

/** How the bytes of a text are to be read. */
export interface TextEncoding {
  readonly name: 'utf8' | 'utf16le' | 'utf16be' | 'utf32le' | 'utf32be' | 'latin1' | 'utf7' | 'other';
  /** Bytes of the byte order mark. */
  readonly mark: number;
  /** For `other`: a label of the Encoding Standard. */
  readonly label?: string;
}

const marks: readonly (readonly [readonly number[], TextEncoding['name']])[] = [
  [[0x00, 0x00, 0xfe, 0xff], 'utf32be'],
  [[0xff, 0xfe, 0x00, 0x00], 'utf32le'],
  [[0xef, 0xbb, 0xbf], 'utf8'],
  [[0xff, 0xfe], 'utf16le'],
  [[0xfe, 0xff], 'utf16be'],
];

/** The encodings that an XML declaration may name and that TextDecoder knows under another name, or not at all. */
const renamed: Readonly<Record<string, TextEncoding['name'] | string>> = {
  'utf-8': 'utf8',
  utf8: 'utf8',
  'us-ascii': 'utf8',
  ascii: 'utf8',
  'iso-8859-1': 'latin1',
  latin1: 'latin1',
  'iso-latin-1': 'latin1',
  iso_8859_1: 'latin1',
  'utf-7': 'utf7',
  'x-mac-roman': 'macintosh',
  macroman: 'macintosh',
  mac: 'macintosh',
  cp1252: 'windows-1252',
};

/**
 * By the byte order mark, the zero bytes of the first character, or the XML declaration, in this order; as
 * `encodingForXMLData` of Apple's CFPropertyList.c does. A wide encoding that only the declaration claims is not
 * believed, since the declaration was read byte by byte.
 */
export function encodingOf(bytes: Uint8Array, oddities: Oddities): TextEncoding {
  for (const [mark, name] of marks)
    if (mark.every((byte, index) => bytes[index] === byte)) return { name, mark: mark.length };
  const [a, b, c, d] = bytes;
  if (bytes.length >= 4 && a === 0 && b === 0 && c === 0 && d !== 0) return { name: 'utf32be', mark: 0 };
  if (bytes.length >= 4 && a !== 0 && b === 0 && c === 0 && d === 0) return { name: 'utf32le', mark: 0 };
  if (bytes.length >= 2 && a === 0 && b !== 0) return { name: 'utf16be', mark: 0 };
  if (bytes.length >= 2 && a !== 0 && b === 0) return { name: 'utf16le', mark: 0 };
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 4_096)).toString('latin1');
  const declared = /^\s*<\?xml[^?>]{0,2000}?encoding\s*=\s*(["'])([^"']{1,60})\1/i.exec(start)?.[2];
  return declared === undefined ? { name: 'utf8', mark: 0 } : declaredEncoding(declared, oddities);
}

function declaredEncoding(declared: string, oddities: Oddities): TextEncoding {
  const label = declared.trim().toLowerCase();
  const known = Object.hasOwn(renamed, label) ? (renamed[label] as string) : label;
  if (known === 'utf8' || known === 'latin1' || known === 'utf7') return { name: known, mark: 0 };
  if (/^(?:utf|ucs|iso-10646)/.test(known)) {
    oddities.note(
      'plist-odd-encoding',
      'the declaration names a wide encoding, the bytes are in another one',
    );
    return { name: 'utf8', mark: 0 };
  }
  try {
    return { name: 'other', mark: 0, label: new TextDecoder(known).encoding };
  } catch {
    oddities.note('plist-odd-encoding', 'the declaration names an encoding that is not known');
    return { name: 'utf8', mark: 0 };
  }
}

/** The text; what is no valid character becomes U+FFFD, and is noted. */
export function decodeText(bytes: Uint8Array, encoding: TextEncoding, oddities: Oddities): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).subarray(encoding.mark);
  switch (encoding.name) {
    case 'utf16le':
      return buffer.subarray(0, buffer.length & ~1).toString('utf16le');
    case 'utf16be':
      // swap16 works in place: on a copy.
      return Buffer.from(buffer.subarray(0, buffer.length & ~1))
        .swap16()
        .toString('utf16le');
    case 'utf32le':
    case 'utf32be':
      return utf32(buffer, encoding.name === 'utf32le', oddities);
    case 'latin1':
      return buffer.toString('latin1');
    case 'utf7':
      return utf7(buffer.toString('latin1'));
    case 'other':
      return encoding.label === 'windows-1252'
        ? windows1252(buffer)
        : new TextDecoder(encoding.label).decode(buffer);
  }
  if (!isUtf8(buffer)) oddities.note('plist-odd-encoding', 'bytes that are no UTF-8');
  return buffer.toString('utf8');
}

/** 0x80 to 0x9f, where it differs from ISO-8859-1; TextDecoder of Node.js 20 to 24 takes the two for one. */
const upper = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

function windows1252(buffer: Buffer): string {
  return buffer
    .toString('latin1')
    .replace(/[\x80-\x9f]/g, (one) => upper[one.charCodeAt(0) - 0x80] as string);
}

function utf32(buffer: Buffer, little: boolean, oddities: Oddities): string {
  const units = Buffer.alloc((buffer.length >> 2) * 4);
  let length = 0;
  for (let at = 0; at + 4 <= buffer.length; at += 4) {
    let code = little ? buffer.readUInt32LE(at) : buffer.readUInt32BE(at);
    if (code > 0x10ffff) {
      oddities.note('plist-odd-encoding', 'bytes that are no UTF-32');
      code = 0xfffd;
    }
    if (code > 0xffff) {
      length = units.writeUInt16LE(0xd7c0 + (code >> 10), length);
      length = units.writeUInt16LE(0xdc00 + (code & 0x3ff), length);
    } else length = units.writeUInt16LE(code, length);
  }
  return units.subarray(0, length).toString('utf16le');
}

/** RFC 2152: `+...-` holds UTF-16 in base64. */
function utf7(text: string): string {
  return text.replace(/\+([A-Za-z0-9+/]*)(-?)/g, (_, base64: string, end: string) => {
    if (base64 === '') return end === '-' ? '+' : '';
    const units = Buffer.from(base64, 'base64');
    return units
      .subarray(0, units.length & ~1)
      .swap16()
      .toString('utf16le');
  });
}
