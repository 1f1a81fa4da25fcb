import { describe, expect, onTestFinished, test } from 'vitest';
import { UserError } from '../../../src/base/errors.js';
import type { Destination, Verdict } from '../../../src/forward/index.js';
import { Redactor } from '../../../src/forward/net/redact.js';
import { Secrets } from '../../../src/forward/net/secrets.js';
import { cleaned, redacted, withoutSecrets } from '../../../src/forward/redacted.js';
import { open } from '../../contract/destinations.js';
import { HttpReceiver } from '../../contract/receivers/http.js';
import { alertItem } from '../../contract/receivers/items.js';

const never = new AbortController().signal;

/** Keys with what each encoding changes. */
const keys = ['Zk9-plain-7Qx2Lm', 'p/ss+w=rd&"q\'<u>%20\\x', 'schlüssel-мир-🔑-42', 'sp ace\tand~tilde!(x)'];

const bytes = (text: string) => Buffer.from(text);
const hex = (text: string, digits: number) =>
  [...text].map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(digits, '0')}`).join('');

/** How others write a key, by means of their own and not by ours. */
const spellings: Record<string, (key: string) => string> = {
  raw: (key) => key,
  'in a header': (key) => `Authorization: Bearer ${key}`,
  base64: (key) => bytes(key).toString('base64'),
  'base64 for addresses': (key) => bytes(key).toString('base64url'),
  'Basic, behind a user': (key) => `Basic ${bytes(`a-user:${key}`).toString('base64')}`,
  'base64 of a whole header': (key) => bytes(`Authorization: Splunk ${key}\r\nHost: x`).toString('base64'),
  'base64 one byte later': (key) => bytes(`y${key}`).toString('base64'),
  'URL-encoded': encodeURIComponent,
  'URL-encoded in small letters': (key) =>
    encodeURIComponent(key).replaceAll(/%../g, (one) => one.toLowerCase()),
  'a form': (key) => new URLSearchParams({ key }).toString(),
  JSON: (key) => JSON.stringify(key),
  'a field of a JSON document': (key) => JSON.stringify({ said: key }),
  'JSON with escaped slashes': (key) => JSON.stringify(key).replaceAll('/', '\\/'),
  'JSON in ASCII': (key) => JSON.stringify(key).replaceAll(/[^ -~]/g, (one) => hex(one, 4)),
  HTML: (key) =>
    key
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll("'", '&#39;'),
  hexadecimal: (key) => bytes(key).toString('hex'),
  'hexadecimal in capitals': (key) => bytes(key).toString('hex').toUpperCase(),
};

/** Those that add nothing of their own that could be left. */
const pure = ['raw', 'base64', 'URL-encoded', 'JSON', 'JSON with escaped slashes', 'HTML', 'hexadecimal'];

/** The longest run of what was written that is left, in characters. */
function longestLeft(written: string, clean: string): number {
  let longest = 0;
  for (let from = 0; from < written.length; from++)
    while (from + longest < written.length && clean.includes(written.slice(from, from + longest + 1)))
      longest++;
  return longest;
}

describe.each(keys)('the key %j', (key) => {
  const redactor = new Redactor();
  redactor.add(key);

  test.each(Object.entries(spellings))('%s', (_name, spell) => {
    const written = spell(key);
    const alone = redactor.redact(written);
    expect(alone).toContain('[redacted]');
    for (const text of [written, `no: "${written}" is wrong`, `${written}${written}`])
      expect(redactor.redact(text)).not.toContain(written);
  });

  test.each(pure)('%s, cut at any point', (name) => {
    const written = spellings[name]!(key);
    for (let cut = 8; cut <= written.length; cut++) {
      for (const part of [written.slice(0, cut), written.slice(-cut)]) {
        // Seven characters of it and a quotation mark at most.
        expect(longestLeft(part, redactor.redact(`x ${part}`).replaceAll('[redacted]', '\0'))).toBeLessThan(
          9,
        );
      }
    }
  });
});

test('what is no secret stays as it is', () => {
  const redactor = new Redactor();
  redactor.add('Zk9-plain-7Qx2Lm');
  redactor.add('abc');
  for (const text of ['', 'short', 'HTTP 503: upstream connect error, abc', 'x'.repeat(10_000), 'plain-7'])
    expect(redactor.redact(text)).toBe(text);
  redactor.add('hunter2');
  expect(redactor.redact('bad hunter2!')).toBe('bad [redacted]!');
});

test('user and password of any address are masked, also of one that we were never told', () => {
  const redactor = new Redactor();
  expect(redactor.redact('connect to http://me:pa55w0rd@proxy:3128/x failed, see https://h/a@b')).toBe(
    'connect to http://[redacted]@proxy:3128/x failed, see https://h/a@b',
  );
});

test('a rotated secret is still masked', async () => {
  const environment: Record<string, string> = { TOKEN: 'the-old-value-1' };
  const secrets = new Secrets(environment, new Redactor());
  await secrets.get('env:TOKEN');
  environment['TOKEN'] = 'a-new-value-2';
  secrets.forget();
  await secrets.get('env:TOKEN');
  expect(secrets.redact('the-old-value-1 a-new-value-2')).toBe('[redacted] [redacted]');
});

test('of very many secrets the oldest are forgotten, with what they share kept for the others', () => {
  const redactor = new Redactor();
  for (let n = 0; n < 400; n++) {
    redactor.add('used-all-the-time');
    redactor.add(`shared-beginning-${String(n).padStart(8, '0')}`);
  }
  expect(redactor.redact('used-all-the-time')).toBe('[redacted]');
  expect(redactor.redact('00000001')).toBe('00000001');
  expect(redactor.redact('shared-beginning-00000399')).toBe('[redacted]');
});

test('a long secret costs a bounded number of runs, and its ends are masked', () => {
  const redactor = new Redactor();
  const long = Array.from({ length: 8_000 }, (_, n) => n.toString(36).padStart(4, '0')).join('');
  redactor.add(long);
  expect(redactor.redact(`x ${long.slice(0, 4_000)}`)).toBe('x [redacted]');
  expect(redactor.redact(`x ${long.slice(-4_000)}`)).toBe('x [redacted]');
});

describe('the words of a receiver', () => {
  const key = 'word-of-a-receiver-91';
  const secrets = new Secrets({ KEY: key });
  /** A destination that answers with the same verdict always. */
  const answering = (answer: unknown): Destination => ({
    name: 'x',
    type: 'module',
    network: true,
    limits: { maxItems: 1, maxBytes: 1 },
    send: async () => answer as Verdict[],
    probe: async () => ({ ok: false, detail: `probe ${key}` }),
    close: async () => {},
  });

  test.each<[string, unknown]>([
    ['retry', { kind: 'retry', reason: `said ${key}` }],
    ['poison', { kind: 'poison', reason: `said ${key}` }],
    ['pause', { kind: 'pause', cause: 'auth', reason: `said ${key}` }],
    ['a warning', { kind: 'delivered', warning: `said ${key}` }],
    ['an error for a reason', { kind: 'retry', reason: new Error(`said ${key}`) }],
  ])('in a verdict: %s', async (_what, verdict) => {
    await secrets.get('env:KEY');
    const clean = JSON.stringify(await redacted(answering([verdict, verdict])).send([], never));
    expect(clean).toContain('said [redacted]');
    expect(clean).not.toContain(key);
  });

  test('what is no verdict is left to whoever judges it', async () => {
    for (const odd of [undefined, null, 7, [null], ['x']])
      expect(await redacted(answering(odd)).send([], never)).toEqual(odd);
  });

  test('in what a probe found, in what was thrown, its stack and its cause', async () => {
    await secrets.get('env:KEY');
    expect(await redacted(answering([])).probe(never)).toEqual({ ok: false, detail: 'probe [redacted]' });
    const thrower = answering([]);
    const broken = redacted({
      ...thrower,
      send: async () => {
        throw new Error(`outer ${key}`, { cause: new Error(key) });
      },
    });
    const error: Error = await broken.send([], never).then(
      () => new Error('nothing'),
      (thrown) => thrown,
    );
    expect(error.message).toBe('outer [redacted]');
    expect(`${error.stack}${error.cause}`).not.toContain(key);
  });

  test('are escaped and bounded', () => {
    expect(cleaned('a\u001b[2Jb\u202e')).toBe('a\\x1b[2Jb\\u{202e}');
    expect(cleaned('x'.repeat(1_000_000))).toHaveLength(500);
  });

  test('an error of setting up keeps its code and hint', async () => {
    await secrets.get('env:KEY');
    const wrong = new UserError('forward/x', `cannot: ${key}`, { hint: 'Do that.' });
    expect(withoutSecrets(wrong)).toMatchObject({
      code: 'forward/x',
      hint: 'Do that.',
      message: 'cannot: [redacted]',
    });
    const fine = new UserError('forward/x', 'cannot');
    expect(withoutSecrets(fine)).toBe(fine);
  });
});

/** An answer of each kind of receiver that says the key back where that kind keeps its words. */
const echoes: [type: string, options: Record<string, unknown>, body: (said: string) => string][] = [
  [
    'elasticsearch',
    { api_key: 'env:ECHOED' },
    (said) =>
      JSON.stringify({
        errors: true,
        items: [{ create: { status: 400, error: { type: 'mapper_parsing_exception', reason: said } } }],
      }),
  ],
  [
    'splunk',
    { token: 'env:ECHOED', ack: 'off' },
    (said) => JSON.stringify({ text: said, code: 6, 'invalid-event-number': 0 }),
  ],
  ['webhook', { secret_headers: { 'x-key': 'env:ECHOED' } }, (said) => said],
  ['webhook', { hmac_secrets: ['env:ECHOED'] }, (said) => said],
  [
    'otlp',
    { secret_headers: { authorization: 'env:ECHOED' } },
    (said) => JSON.stringify({ partialSuccess: { rejectedLogRecords: '1', errorMessage: said } }),
  ],
];
test.each(echoes)('%s %j: an echoed key is in no verdict', async (type, options, body) => {
  const key = 'echoed/key+with"all&of=it';
  process.env['ECHOED'] = key;
  onTestFinished(() => {
    delete process.env['ECHOED'];
  });
  let status = 200;
  let spell = (text: string) => text;
  const receiver = await HttpReceiver.listen(() => ({ status, body: body(`no ${spell(key)} no`) }));
  onTestFinished(() => receiver.close());
  const destination = await open({ type, url: receiver.url, timeout: '2s', ...options });
  onTestFinished(() => destination.close());
  let masked = 0;
  for (status of [200, 400, 401, 500]) {
    for (spell of pure.map((name) => spellings[name]!)) {
      const said = JSON.stringify(await destination.send([alertItem('a')], never));
      if (said.includes('[redacted]')) masked++;
      expect(longestLeft(spell(key), said.replaceAll('[redacted]', '\0'))).toBeLessThan(9);
      expect(said).not.toContain(key.slice(0, 12));
    }
  }
  expect(masked).toBeGreaterThan(15);
});
