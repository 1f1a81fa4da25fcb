import { messageOf, UserError } from '../base/errors.js';
import { escapeText } from '../base/escape.js';
import { HttpClient, type HttpReply, isHtml } from '../forward/net/http.js';
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

function redirect(reply: HttpReply, url: string): UserError {
  const to = headerOf(reply, 'location') ?? 'nowhere';
  const target = URL.canParse(to, url) ? new URL(to, url) : undefined;
  const plain = target?.protocol === 'http:' ? ', and without encryption' : '';
  return new UserError(
    'policy/redirect',
    `the server sends us elsewhere${plain}: ${escapeText(to).slice(0, 200)}`,
    { hint: 'Redirects are not followed: set [policy] url to the address of the bundle itself.' },
  );
}

/** Reads the answer. Throws a UserError that says what is wrong with it. */
function judge(reply: HttpReply, { url, etag }: FetchOptions): Fetched {
  const { status, text, truncated } = reply;
  if (status === 304 && etag !== null) return { kind: 'unchanged' };
  if (status >= 300 && status < 400 && status !== 304) throw redirect(reply, url);
  const type = headerOf(reply, 'content-type') ?? '';
  if (isHtml(text) || (status === 200 && /^\s*text\/html\b/i.test(type)))
    throw new UserError('policy/web-page', `a web page came in place of the bundle (HTTP ${status})`, {
      hint: 'A captive portal or a proxy may be on the way, or the address needs a log-in.',
    });
  if (status !== 200)
    throw new UserError('policy/http-status', `the server answers HTTP ${status}`, {
      hint: 'Is the bundle at [policy] url, and readable without a log-in?',
    });
  if (truncated)
    throw new UserError(
      'policy/too-large',
      `the bundle is larger than ${bundleLimits.bytes / 1024 / 1024} MiB, or did not come in time`,
      { hint: 'Leave out rules or lists that this fleet does not need; see [policy] timeout.' },
    );
  const tag = headerOf(reply, 'etag');
  const usable = tag !== undefined && /^[\x21-\x7e]{1,200}$/.test(tag);
  // Contents are UTF-8 text: what is not does not fit its signature any more.
  return { kind: 'bundle', bytes: Buffer.from(text, 'utf8'), etag: usable ? tag : null };
}

/** Asks for the bundle once. Throws a UserError for everything that is no bundle, with what to do about it. */
export async function fetchBundle(options: FetchOptions): Promise<Fetched> {
  const { url, network, etag, version, signal } = options;
  const client = await HttpClient.open({ url, ...network });
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
    const reason = messageOf(error).replaceAll('[destination.tls]', '[policy.tls]');
    throw new UserError('policy/unreachable', `the policy cannot be fetched: ${reason}`, {
      hint: 'The version before stays in force; it is tried again.',
      cause: error,
    });
  } finally {
    await client.close();
  }
}
