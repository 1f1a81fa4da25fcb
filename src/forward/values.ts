import * as v from 'valibot';
import { parseSize } from '../base/size.js';
import { parseDuration } from '../base/time.js';

/** Bytes, written as a whole number or as text with a unit: `50 MiB`. */
export const bytes = v.pipe(
  v.union([v.string(), v.number()], 'a size such as "50 MiB"'),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const value = typeof dataset.value === 'number' ? dataset.value : parseSize(dataset.value);
    if (value !== undefined && Number.isSafeInteger(value) && value > 0) return value;
    addIssue({ message: 'a size such as "50 MiB"' });
    return NEVER;
  }),
);

/** Milliseconds, written as text with a unit: `30s`. */
export const milliseconds = v.pipe(
  v.string('a duration such as "30s"'),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const micros = parseDuration(dataset.value);
    if (micros !== undefined && micros >= 1000 && micros <= 86_400e6) return Math.round(micros / 1000);
    addIssue({ message: 'a duration of 1ms to 1d, such as "30s"' });
    return NEVER;
  }),
);

/** Milliseconds of a long time, written as text with a unit: `30d`. */
export const days = v.pipe(
  v.string('a duration such as "30d"'),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const micros = parseDuration(dataset.value);
    if (micros !== undefined && micros >= 60e6) return Math.round(micros / 1000);
    addIssue({ message: 'a duration of at least 1m, such as "30d"' });
    return NEVER;
  }),
);

export const text = v.pipe(
  v.string('a text'),
  v.regex(/^[^\0\r\n]{1,4096}$/, 'one line of 1 to 4096 characters'),
);

/** `file:/path`, `env:NAME` or `keychain:service/account`; never the secret itself. */
export const secretRef = v.pipe(
  v.string('a reference to a secret'),
  v.regex(
    /^(?:file:\/[^\0\r\n]{1,1000}|env:[A-Za-z_][A-Za-z0-9_]{0,127}|keychain:[^/\0\r\n]{1,200}\/[^/\0\r\n]{1,200})$/,
    'a reference to a secret: "file:/path", "env:NAME" or "keychain:service/account", not the secret itself',
  ),
);

/** An absolute URL of http or https without credentials or fragment. Its path and query are sent as they stand. */
export const httpUrl = v.pipe(
  v.string('a URL'),
  v.regex(/^[^\\]*$/, 'a URL with "/" between its parts'),
  v.regex(
    /^[\x21-\x7e]{1,4096}$/,
    'a URL of printable ASCII without spaces; other characters are written as %xx',
  ),
  v.check((value) => {
    const url = URL.canParse(value) ? new URL(value) : undefined;
    return (
      url !== undefined &&
      (url.protocol === 'https:' || url.protocol === 'http:') &&
      url.username === '' &&
      url.password === '' &&
      url.hash === ''
    );
  }, 'a URL of https (or http) without user name and password in it'),
);

/** Such a URL that paths of the receiver's interface are appended to. */
export const baseUrl = v.pipe(
  httpUrl,
  v.check((value) => !value.includes('?'), 'a URL without a query: paths are appended to it'),
  v.check(
    (value) => !/\/(?:_bulk|services\/collector(?:\/[a-z]+)?)\/*$/.test(value),
    'the address of the receiver itself: the path of its interface (/_bulk, /services/collector) is appended',
  ),
);

/** `host:port`, with IPv6 in brackets. */
export const hostPort = v.pipe(
  v.string('host:port'),
  v.regex(
    /^(?:\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,253}):\d{1,5}$/,
    'host:port, such as "siem.example.org:6514"',
  ),
  v.check((value) => {
    const port = Number(value.slice(value.lastIndexOf(':') + 1));
    return port >= 1 && port <= 65_535;
  }, 'a port of 1 to 65535'),
);

export function splitHostPort(value: string): { readonly host: string; readonly port: number } {
  const colon = value.lastIndexOf(':');
  return { host: value.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(value.slice(colon + 1)) };
}
