import { messageOf, UserError } from '../base/errors.js';
import { escapeText } from '../base/escape.js';
import { type Cut, HttpClient, HttpFailure, type HttpReply, isHtml } from '../forward/net/http.js';
import { bundleLimits } from './bundle.js';
import type { PolicyOptions } from './options.js';

export interface FetchOptions {
  readonly url: string;
  readonly network: Pick<PolicyOptions, 'tls' | 'proxy' | 'proxy_password' | 'timeout'>;
  /** Of the last good answer. */
  readonly etag: string | null;
  /** Version of the program. */
  readonly version: string;
  readonly signal: AbortSignal;
}

/** What the server gave: nothing new, or the bytes of a bundle. */
export type Fetched =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'bundle'; readonly bytes: Buffer; readonly etag: string | null };

const headerOf = ({ headers }: HttpReply, name: string): string | undefined => {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
};

/** Without what may be a key or a password: this text goes to the log and to the SIEM. */
function targetText(reply: HttpReply, url: string): string {
  const to = headerOf(reply, 'location');
  if (to === undefined) return 'nowhere';
  if (!URL.canParse(to, url)) return 'to what is no address';
  const { protocol, origin, pathname } = new URL(to, url);
  if (protocol !== 'http:' && protocol !== 'https:') return `to a "${protocol}" address`;
  const plain = protocol === 'http:' ? ', and without encryption' : '';
  return `elsewhere${plain}: ${origin}${pathname}`;
}

function redirect(reply: HttpReply, url: string): UserError {
  return new UserError(
    'policy/redirect',
    `the server sends us ${escapeText(targetText(reply, url)).slice(0, 200)}`,
    { hint: 'Redirects are not followed: set [policy] url to the address of the bundle itself.' },
  );
}

function cutShort(cut: Cut, timeout: number): UserError {
  if (cut === 'late')
    return new UserError('policy/unreachable', `the bundle did not come whole in ${timeout} ms`, {
      hint: 'On a slow network give it longer: [policy] timeout. The version before stays in force.',
    });
  if (cut === 'packed')
    return new UserError('policy/malformed', 'the answer is packed in a way that cannot be undone', {
      hint: 'Publish the bundle as "launchwarden policy sign" left it.',
    });
  const most = bundleLimits.bytes / 1024 / 1024;
  return new UserError('policy/too-large', `the bundle is larger than ${most} MiB`, {
    hint: 'Leave out rules or lists that this fleet does not need.',
  });
}

/** Reads the answer. Throws a UserError that says what is wrong with it. */
function judge(reply: HttpReply, { url, etag, network }: FetchOptions): Fetched {
  const { status, bytes, cut } = reply;
  if (status === 304 && etag !== null) return { kind: 'unchanged' };
  if (status >= 300 && status < 400 && status !== 304) throw redirect(reply, url);
  const type = headerOf(reply, 'content-type') ?? '';
  if (isHtml(bytes.toString('utf8', 0, 1_000)) || (status === 200 && /^\s*text\/html\b/i.test(type)))
    throw new UserError('policy/web-page', `a web page came in place of the bundle (HTTP ${status})`, {
      hint: 'A captive portal or a proxy may be on the way, or the address needs a log-in.',
    });
  if (status !== 200)
    throw new UserError('policy/http-status', `the server answers HTTP ${status}`, {
      hint: 'Is the bundle at [policy] url, and readable without a log-in?',
    });
  if (cut !== undefined) throw cutShort(cut, network.timeout);
  const tag = headerOf(reply, 'etag');
  const usable = tag !== undefined && /^[\x21-\x7e]{1,200}$/.test(tag);
  return { kind: 'bundle', bytes, etag: usable ? tag : null };
}

/** What is wrong with the options of [policy] themselves, in words about that table. */
function ofPolicy(text: string): string {
  return text.replaceAll('[destination.tls]', '[policy.tls]').replace('of the destination', 'in [policy]');
}

function cannotAsk(error: UserError | HttpFailure): UserError {
  const hint = error instanceof UserError ? error.hint : undefined;
  return new UserError('policy/cannot-ask', `the server cannot be asked: ${ofPolicy(error.message)}`, {
    ...(hint === undefined ? {} : { hint: ofPolicy(hint) }),
    cause: error,
  });
}

async function openClient({ url, network }: FetchOptions): Promise<HttpClient> {
  try {
    return await HttpClient.open({ url, ...network });
  } catch (error) {
    throw error instanceof UserError ? cannotAsk(error) : error;
  }
}

/** Asks for the bundle once. Throws a UserError for everything that is no bundle, with what to do about it. */
export async function fetchBundle(options: FetchOptions): Promise<Fetched> {
  const { etag, version, signal } = options;
  const client = await openClient(options);
  try {
    const reply = await client.request({
      method: 'GET',
      path: '',
      headers: {
        accept: '*/*',
        'user-agent': `launchwarden/${version}`,
        ...(etag === null ? {} : { 'if-none-match': etag }),
      },
      maxReplyBytes: bundleLimits.bytes,
      signal,
    });
    return judge(reply, options);
  } catch (error) {
    if (error instanceof UserError) throw error;
    // Ours to mend: no other network helps.
    if (error instanceof HttpFailure && error.refused) throw cannotAsk(error);
    const reason = `the policy cannot be fetched: ${ofPolicy(messageOf(error))}`;
    if (error instanceof HttpFailure && error.handshake)
      throw new UserError('policy/tls', reason, {
        hint: 'Somebody on the way may answer in the place of the server (a captive portal, a proxy that reads along).',
        cause: error,
      });
    throw new UserError('policy/unreachable', reason, {
      hint: 'The version before stays in force; it is tried again.',
      cause: error,
    });
  } finally {
    await client.close();
  }
}
