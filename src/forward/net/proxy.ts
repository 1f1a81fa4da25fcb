import { execFileSync } from 'node:child_process';
import type { Socket } from 'node:net';
import { UserError } from '../../base/errors.js';
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

/** True when the environment's NO_PROXY names the host, one of its domains, or everything. */
export function bypasses(host: string, list: string | undefined): boolean {
  const name = host.toLowerCase();
  return (list ?? '')
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      const domain = entry.replace(/^\*?\.?/, '').replace(/:\d+$/, '');
      return entry === '*' || name === domain || (domain !== '' && name.endsWith(`.${domain}`));
    });
}

/** The proxy of the system's settings; a launchd job has no shell's environment. Only a Mac has them, PAC is not read. */
function systemProxy(host: string): string | undefined {
  if (process.platform !== 'darwin') return undefined;
  try {
    const text = execFileSync('/usr/sbin/scutil', ['--proxy'], { timeout: 5_000, env: {}, encoding: 'utf8' });
    const value = (key: string) => new RegExp(`^\\s*${key} : (.+)$`, 'm').exec(text)?.[1];
    const exceptions = /ExceptionsList : <array> \{([^}]*)\}/
      .exec(text)?.[1]
      ?.replaceAll(/^\s*\d+ : /gm, ' ');
    if (value('HTTPSEnable') !== '1' || bypasses(host, exceptions)) return undefined;
    return `http://${value('HTTPSProxy')}:${value('HTTPSPort')}`;
  } catch {
    return undefined;
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

/**
 * The proxy to reach `host` through, or undefined for a direct connection: the destination's own setting, else
 * HTTPS_PROXY and NO_PROXY, else the system's. This machine itself is never reached through one that nobody asked for.
 */
export async function findProxy(
  host: string,
  options: ProxyOptions,
  use: { readonly secrets: Secrets; readonly environment?: SecretEnvironment },
): Promise<ProxyServer | undefined> {
  const environment = use.environment ?? process.env;
  if (options.proxy === 'none') return undefined;
  const noProxy = environment['NO_PROXY'] ?? environment['no_proxy'];
  const implied = () =>
    isLoopback(host) || bypasses(host, noProxy)
      ? undefined
      : (environment['HTTPS_PROXY'] ?? environment['https_proxy'] ?? systemProxy(host));
  const setting = options.proxy ?? implied();
  if (setting === undefined || setting === '') return undefined;
  const url = URL.canParse(setting) ? new URL(setting) : undefined;
  if (url === undefined || url.protocol !== 'http:' || url.hostname === '') {
    throw new UserError('forward/proxy', 'the proxy is not of the form http://[user@]host:port', {
      hint: 'Set "proxy" of the destination, or HTTPS_PROXY; the password belongs in "proxy_password".',
    });
  }
  const user = decodeURIComponent(url.username);
  let password = decodeURIComponent(url.password);
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
  if (user === '') return place;
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
      const status = /^HTTP\/1\.[01] (\d{3})/.exec(held.toString('latin1', 0, 20))?.[1];
      if (status?.startsWith('2')) done(held.subarray(end + 4));
      else fail(new ProxyRefusal(Number(status ?? 0)));
    });
  });
}

/** The proxy itself said no; `ours` when it wants (other) credentials or forbids the address. */
export class ProxyRefusal extends Error {
  readonly ours: boolean;

  constructor(status: number) {
    super(`the proxy refused the connection with ${status}`);
    this.ours = status === 401 || status === 403 || status === 407;
  }
}
