import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { type PlistValue, readPlist } from '../../../../src/base/plist/index.js';
import { fc } from '../../../helpers/property.js';

// CPython's plistlib, another implementation by other people, writes random values in both forms; ours must read back the same.
const writer = `
import sys, json, plistlib, datetime, base64
def build(v):
    kind, x = v
    if kind == 's' or kind == 'b': return x
    if kind == 'i': return int(x)
    if kind == 'r': return float(x)
    if kind == 'd': return base64.b64decode(x)
    if kind == 't': return datetime.datetime(2001, 1, 1) + datetime.timedelta(seconds=x)
    if kind == 'l': return [build(y) for y in x]
    return {k: build(y) for k, y in x}
for line in sys.stdin:
    v = build(json.loads(line))
    for fmt in (plistlib.FMT_XML, plistlib.FMT_BINARY):
        print(base64.b64encode(plistlib.dumps(v, fmt=fmt, sort_keys=False)).decode())
`;

type Tagged =
  | ['s', string]
  | ['b', boolean]
  | ['i', string]
  | ['r', number]
  | ['d', string]
  | ['t', number]
  | ['l', Tagged[]]
  | ['m', [string, Tagged][]];

// XML 1.0 has no control characters but these, and no lone surrogates; plistlib refuses the rest.
const text = fc
  .string({ unit: 'binary', maxLength: 30 })
  .map((one) => one.replace(/[\0-\x08\x0b\x0c\r\x0e-\x1f\ufffe\uffff\p{Surrogate}]/gu, '_'));
const { value: tagged } = fc.letrec<{ value: Tagged }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    text.map((one): Tagged => ['s', one]),
    fc.boolean().map((one): Tagged => ['b', one]),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }).map((one): Tagged => ['i', String(one)]),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((one): Tagged => ['r', one === 0 ? 0 : one]),
    fc.base64String({ maxLength: 40 }).map((one): Tagged => ['d', one]),
    fc.integer({ min: -1e9, max: 2e9 }).map((one): Tagged => ['t', one]),
    fc.array(tie('value'), { maxLength: 6 }).map((one): Tagged => ['l', one]),
    fc
      .uniqueArray(fc.tuple(text, tie('value')), { maxLength: 6, selector: ([key]) => key })
      .map((one): Tagged => ['m', one]),
  ),
}));

function expected([kind, x]: Tagged): PlistValue {
  switch (kind) {
    case 'i': {
      const big = BigInt(x);
      return BigInt(Number(big)) === big && Number.isSafeInteger(Number(big)) ? Number(big) : big;
    }
    case 'd':
      return Uint8Array.from(Buffer.from(x, 'base64'));
    case 't':
      return new Date(Date.UTC(2001, 0, 1) + x * 1000);
    case 'l':
      return x.map(expected);
    case 'm':
      return new Map(x.map(([key, inner]) => [key, expected(inner)]));
    default:
      return x;
  }
}

const python = spawnSync('python3', ['-c', 'import plistlib']);

test('reads what plistlib writes, in both forms', (context) => {
  if (python.status !== 0) context.skip('python3 with plistlib is not here');
  const samples = fc.sample(tagged, 500);
  const { stdout, status, stderr } = spawnSync('python3', ['-c', writer], {
    input: samples.map((one) => JSON.stringify(one)).join('\n'),
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const lines = stdout.trim().split('\n');
  expect(lines).toHaveLength(samples.length * 2);
  for (const [index, line] of lines.entries()) {
    const result = readPlist(Buffer.from(line, 'base64'));
    const sample = samples[index >> 1]!;
    expect(result.ok ? result.value : result, JSON.stringify(sample)).toEqual(expected(sample));
    expect(result.ok && result.format).toBe(index % 2 === 0 ? 'xml' : 'binary');
  }
});
