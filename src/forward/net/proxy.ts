import { execFileSync } from 'node:child_process';
import { BlockList, isIP, type Socket } from 'node:net';
import { UserError } from '../../base/errors.js';
import { escapeText } from '../../base/escape.js';
import { retryAfterMs } from '../backoff.js';
import { connectHost } from './connect.js';
import type { SecretEnvironment, Secrets } from './secrets.js';

export interface ProxyOptions {
  readonly proxy?: string | undefined;
  readonly proxy_password?: string | undefined;
}

export interface ProxyServer {
  readonly host: string;
  readonly port: number;
  /** Value of Proxy-Authorization. */
  readonly authorization?: string;
}

const maxReplyBytes = 8 * 1024;

/** One entry of NO_PROXY: a name with what lies under it, an address, or a network in CIDR; each with a port or without. */
function covers(entry: string, host: string, port: number | undefined): boolean {
  if (entry === '*') return true;
  const { place, entryPort } = splitPort(entry);
  if (entryPort !== undefined && port !== undefined && entryPort !== port) return false;
  const [address = '', prefix, ...more] = place.replaceAll(/[[\]]|%[^/]*/g, '').split('/');
  // "169.254/16" is how macOS writes a network.
  const missing = 4 - address.split('.').length;
  const short = prefix !== undefined && /^\d{1,3}(?:\.\d{1,3}){0,2}$/.test(address);
  const network = short ? `${address}${'.0'.repeat(missing)}` : address;
  const family = isIP(network);
  if (family !== 0) return more.length === 0 && isIP(host) !== 0 && inNetwork(host, { network, prefix });
  const domain = place.replace(/^\*?\.?/, '').replace(/\.$/, '');
  return domain !== '' && (host === domain || host.endsWith(`.${domain}`));
}

/** `host:port`, `[v6]:port`; a bare IPv6 address has no port. */
function splitPort(entry: string): { readonly place: string; readonly entryPort: number | undefined } {
  const match = /^(\[[^\]]*\](?:\/\d+)?|[^:]*):(\d{1,5})$/.exec(entry);
  return match === null
    ? { place: entry, entryPort: undefined }
    : { place: match[1] as string, entryPort: Number(match[2]) };
}

function inNetwork(
  host: string,
  of: { readonly network: string; readonly prefix: string | undefined },
): boolean {
  const type = (address: string) => (isIP(address) === 4 ? 'ipv4' : 'ipv6');
  const widest = isIP(of.network) === 4 ? 32 : 128;
  const bits = of.prefix === undefined ? widest : Number(/^\d{1,3}$/.exec(of.prefix)?.[0] ?? Number.NaN);
  if (!(bits <= widest)) return false;
  const list = new BlockList();
  list.addSubnet(of.network, bits, type(of.network));
  return list.check(host, type(host));
}

/**
 * True when the environment's NO_PROXY names the host, one of its domains, its address or network, or everything. `port`:
 * where it is to be reached; an entry that names another port is not about it.
 */
export function bypasses(host: string, list: string | undefined, port?: number): boolean {
  const name = host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');
  return (list ?? '')
    .toLowerCase()
    .split(/[\s,;|]+/)
    .some((entry) => entry !== '' && covers(entry, name, port));
}

/** The proxy of the system's settings; a launchd job has no shell's environment. Only a Mac has them, PAC is not read. */
function systemProxy(host: string, port: number | undefined): string | undefined {
  if (process.platform !== 'darwin') return undefined;
  try {
    const text = execFileSync('/usr/sbin/scutil', ['--proxy'], { timeout: 5_000, env: {}, encoding: 'utf8' });
    const value = (key: string) => new RegExp(`^\\s*${key} : (.+)$`, 'm').exec(text)?.[1];
    const exceptions = /ExceptionsList : <array> \{([^}]*)\}/
      .exec(text)?.[1]
      ?.replaceAll(/^\s*\d+ : /gm, ' ');
    if (value('HTTPSEnable') !== '1' || bypasses(host, exceptions, port)) return undefined;
    return `http://${value('HTTPSProxy')}:${value('HTTPSPort')}`;
  } catch {
    return undefined;
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

/** `http://[user[:password]@]host[:port]`; the scheme may be missing, as curl allows it. Throws a UserError. */
function proxyUrl(setting: string): URL {
  const full = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(setting) ? setting : `http://${setting}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  const hint = 'Set "proxy" of the destination, or HTTPS_PROXY; the password belongs in "proxy_password".';
  if (url !== undefined && url.protocol !== 'http:') {
    const { protocol } = url;
    throw new UserError('forward/proxy', `a proxy by ${protocol}// is not supported, only one by http://`, {
      hint: "Name the proxy's plain port: what goes through it to an https receiver is encrypted all the same.",
    });
  }
  if (url === undefined || url.hostname === '' || !/^\/?$/.test(url.pathname) || url.search !== '') {
    throw new UserError('forward/proxy', 'the proxy is not of the form http://[user@]host:port', { hint });
  }
  return url;
}

/** A user name or a password of a URL; one with a stray "%" is taken as it stands. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/**
 * The proxy to reach `host` through, or undefined for a direct connection: the destination's own setting, else
 * HTTPS_PROXY and NO_PROXY, else the system's. This machine itself is never reached through one that nobody asked for.
 */
export async function findProxy(
  host: string,
  options: ProxyOptions,
  use: {
    readonly secrets: Secrets;
    readonly environment?: SecretEnvironment;
    /** Of the receiver. */
    readonly port?: number;
  },
): Promise<ProxyServer | undefined> {
  const environment = use.environment ?? process.env;
  if (options.proxy === 'none') return undefined;
  const variable = (name: string) => environment[name] || environment[name.toLowerCase()];
  const implied = () =>
    isLoopback(host) || bypasses(host, variable('NO_PROXY'), use.port)
      ? undefined
      : (variable('HTTPS_PROXY') ?? systemProxy(host, use.port));
  const setting = options.proxy ?? implied();
  if (setting === undefined || setting === '') return undefined;
  const url = proxyUrl(setting.trim());
  const user = decoded(url.username);
  let password = decoded(url.password);
  if (options.proxy !== undefined && password !== '') {
    throw new UserError('forward/proxy', 'the proxy has its password in the configuration', {
      hint: 'Write http://user@host:port and name the password as "proxy_password" (file:, env: or keychain:).',
    });
  }
  if (options.proxy_password !== undefined) password = await use.secrets.get(options.proxy_password);
  if (password !== '') use.secrets.hide(password);
  // As the environment spells it.
  if (url.password !== '') use.secrets.hide(url.password);
  const place = { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 80) };
  if (user === '' && password === '') return place;
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  use.secrets.hide(authorization.slice('Basic '.length));
  return { ...place, authorization };
}

/** A TCP connection, through the proxy (CONNECT) when there is one. Rejects with the reason. */
export async function openSocket(
  to: { readonly host: string; readonly port: number },
  how: { readonly proxy?: ProxyServer | undefined; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Socket> {
  const { proxy, timeoutMs, signal } = how;
  if (proxy === undefined) return connectHost(to, { timeoutMs, signal });
  const end = performance.now() + timeoutMs;
  const socket = await connectHost(proxy, { timeoutMs, signal });
  await throughProxy(socket, to, { proxy, timeoutMs: Math.max(1, end - performance.now()), signal });
  return socket;
}

/** Asks the proxy at the other end of the socket to connect it to `to`. Rejects with the reason. */
function throughProxy(
  socket: Socket,
  to: { readonly host: string; readonly port: number },
  how: { readonly proxy: ProxyServer; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const { proxy } = how;
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      clearTimeout(timer);
      how.signal.removeEventListener('abort', aborted);
      socket.on('error', () => undefined);
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(() => fail(new Error('the proxy did not answer in time')), how.timeoutMs);
    const aborted = () => fail(new Error('stopped'));
    how.signal.addEventListener('abort', aborted, { once: true });
    const done = (rest: Buffer) => {
      clearTimeout(timer);
      how.signal.removeEventListener('abort', aborted);
      socket.removeAllListeners();
      socket.pause();
      if (rest.length > 0) socket.unshift(rest);
      resolve();
    };
    socket.once('error', fail);
    socket.once('close', () => fail(new Error('the proxy closed the connection')));
    const target = `${to.host.includes(':') ? `[${to.host}]` : to.host}:${to.port}`;
    const credentials =
      proxy.authorization === undefined ? '' : `Proxy-Authorization: ${proxy.authorization}\r\n`;
    socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${credentials}\r\n`);
    let held = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]);
      const end = held.indexOf('\r\n\r\n');
      if (end === -1) {
        if (held.length > maxReplyBytes) fail(new Error('the proxy answered too much'));
        return;
      }
      const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(held.toString('latin1', 0, 20))?.[1] ?? 0);
      if (status >= 200 && status < 300) done(held.subarray(end + 4));
      else fail(new ProxyRefusal(status, held.toString('latin1', 0, end), Date.now()));
    });
  });
}

/** What a proxy that said no means, and what to do about it. */
const refusals: Readonly<Record<number, string>> = {
  401: 'it wants a user name and a password: set them as "proxy" and "proxy_password"',
  403: 'it does not allow connections to that receiver: ask for an exception, or set another "proxy"',
  404: 'it is no proxy for this: check "proxy"',
  405: 'it is no proxy that connects (CONNECT): check "proxy"',
  407: 'it wants a user name and a password: set them as "proxy" and "proxy_password"',
  502: 'it does not reach the receiver',
  503: 'it cannot serve now, or does not reach the receiver',
  504: 'it has no answer from the receiver',
};

/**
 * The proxy itself said no; `ours` when it wants (other) credentials or forbids the address. `afterMs`: when it wants to be
 * asked again.
 */
export class ProxyRefusal extends Error {
  readonly ours: boolean;
  readonly afterMs: number | undefined;

  /** `status` is 0 when the answer is no HTTP; `head` its lines up to the empty one; `now` milliseconds since 1970. */
  constructor(status: number, head: string, now: number) {
    const value = (name: string) => new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*\\r?$`, 'im').exec(head)?.[1];
    const schemes = value('proxy-authenticate');
    const basic = schemes === undefined || /^basic\b/im.test(schemes);
    const offers = basic
      ? ''
      : `, which it takes as ${escapeText(schemes.slice(0, 100))} alone; only Basic can be given`;
    const meaning = `${refusals[status] ?? 'its answer is none to CONNECT'}${offers}`;
    super(
      status === 0
        ? `the proxy does not speak HTTP: ${escapeText(head.slice(0, 100))}; check "proxy"`
        : `the proxy refused the connection with ${status}: ${meaning}`,
    );
    this.ours = status === 401 || status === 403 || status === 407;
    this.afterMs = retryAfterMs(value('retry-after'), now);
  }
}
