import { describe, expect, test } from 'vitest';
import { Redactor } from '../../../src/respond/collect/index.js';
import { fuzzRuns } from '../../helpers/fuzz-runs.js';
import { fc } from '../../helpers/property.js';

/** The forms in which a name may stand in a text. */
const forms: Readonly<Record<string, (name: string) => string>> = {
  raw: (name) => name,
  upper: (name) => name.toUpperCase(),
  path: (name) => `/opt/${name}/x`,
  file: (name) => `com.${name}.agent.plist`,
  joined: (name) => `my${name}s_tool`,
  url: (name) => encodeURIComponent(`/srv/${name}@domain`),
  percent: (name) => [...Buffer.from(name)].map((byte) => `%${byte.toString(16)}`).join(''),
  'percent twice': (name) => [...Buffer.from(name)].map((byte) => `%25${byte.toString(16)}`).join(''),
  json: (name) => JSON.stringify({ text: `a\n${name}` }),
  'json twice': (name) => JSON.stringify(JSON.stringify(`a\n${name}`)),
  'json escapes': (name) =>
    [...name].map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
  xml: (name) => [...name].map((one) => `&#x${one.charCodeAt(0).toString(16)};`).join(''),
  base64: (name) => Buffer.from(`it is ${name} who`).toString('base64'),
  'base64 in the middle': (name) => `data:x;base64,${Buffer.from(`${name}:secret`).toString('base64')}`,
  base64url: (name) => Buffer.from(`??>${name}`).toString('base64url'),
  'base64 of utf-16': (name) => Buffer.from(`echo ${name}`, 'utf16le').toString('base64'),
  hex: (name) => Buffer.from(name).toString('hex'),
};

/** Whether a text still tells a name, by any reading of it. */
function tells(text: string, name: string): boolean {
  const small = name.toLowerCase();
  const readings = [text];
  for (let at = 0; at < readings.length && readings.length < 2_000; at++) {
    const one = readings[at] as string;
    const more = [
      one.replace(/%25/g, '%'),
      one.replace(/(?:%[\da-f]{2})+/gi, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString()),
      one.replace(/\\u([\da-f]{4})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16))),
      one.replace(/&#x([\da-f]+);/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16))),
      ...(at === 0
        ? (one.match(/[A-Za-z0-9+/_-]{6,}/g) ?? []).flatMap((run) => [
            ...[0, 1, 2, 3].map((skip) => Buffer.from(run.slice(skip), 'base64')),
            Buffer.from(run, 'hex'),
          ])
        : []
      ).flatMap((bytes) => [bytes.toString(), bytes.toString('utf16le')]),
    ];
    for (const other of more) if (!readings.includes(other)) readings.push(other);
  }
  return readings.some((one) => one.toLowerCase().includes(small));
}

const name = fc
  .stringMatching(/^[a-z][a-z0-9]{4,11}$/)
  .filter(
    (one) =>
      !/^(?:user|host|mail|addr|domain|encod|name|remov|share|admin|syste|daemo|nobod|guest)/.test(one),
  );

describe('no name that is known is left', () => {
  test.each(Object.keys(forms))('in the form: %s', (form) => {
    const write = forms[form] as (name: string) => string;
    fc.assert(
      fc.property(name, fc.constantFrom('user', 'host', 'owner', 'author', 'home'), (secret, how) => {
        const redactor = new Redactor();
        redactor.learn([
          how === 'home' ? { file: { path: `/Users/${secret}/x` } } : {},
          how === 'user' || how === 'host' ? { [how]: { name: secret } } : { [how]: secret },
        ]);
        const text = write(secret);
        // The check itself can find it.
        if (form !== 'joined') expect(tells(text, secret)).toBe(true);
        for (const clean of [
          redactor.text(text),
          JSON.stringify(redactor.value({ file: { name: text, [text]: [text] } })),
        ])
          expect([clean, tells(clean, secret)]).toEqual([clean, false]);
        expect(redactor.isIn(Buffer.from(`\0${text}\xff`, 'latin1'))).toBe(true);
      }),
      { numRuns: fuzzRuns(40) },
    );
  });

  test('in wide characters of a binary, at any place', () => {
    const redactor = new Redactor();
    redactor.learn([{ user: { name: 'walter' } }]);
    for (const lead of ['', 'x']) {
      const bytes = Buffer.concat([Buffer.from(lead), Buffer.from('walter', 'utf16le')]);
      expect(redactor.isIn(bytes)).toBe(true);
    }
    expect(redactor.isIn(Buffer.from('nobody of that name'))).toBe(false);
  });
});

test('homes, also behind a way up, and whole words of short names', () => {
  const redactor = new Redactor();
  redactor.learn([{ user: { name: 'alice' } }]);
  expect(redactor.text('/Users/alice/../bob/Library/x of Bob, not bobsled')).toBe(
    '/Users/user-1/../user-2/Library/x of user-2, not bobsled',
  );
  expect(redactor.text('%2FUsers%2Fcarol%2Fx and carol')).toBe('%2FUsers%2Fuser-3%2Fx and user-3');
  expect(redactor.text('root in /Users/Shared and /private/var/root')).toBe(
    'root in /Users/Shared and /private/var/root',
  );
});

test('an address in a URL, hosts with and without their domain, and the domain', () => {
  const redactor = new Redactor();
  redactor.learn([{ host: { name: 'Walters-Mac.corp.example', ip: ['203.0.113.9'] } }]);
  expect(redactor.text('https://x/?u=alice%40corp.example&v=2')).toBe('https://x/?u=mail-1&v=2');
  expect(redactor.text('walters-mac, "Walters Mac", WALTERS_MAC.corp.example, vpn.corp.example')).toBe(
    'host-1, "host-1", host-1, vpn.domain-1',
  );
  expect(redactor.text('http://203.0.113.9/')).toBe('http://address-1/');
});

test('a name that is a word of documents changes none of their fields', () => {
  const redactor = new Redactor();
  redactor.learn([{ user: { name: 'event' } }]);
  expect(redactor.value({ event: { id: 'x' }, text: 'event' })).toEqual({
    event: { id: 'x' },
    text: 'user-1',
  });
});
