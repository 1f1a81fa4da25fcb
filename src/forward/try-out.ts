import type tls from 'node:tls';
import { errnoOf, messageOf } from '../base/errors.js';
import { type TestResult, testDestination } from './commands.js';
import type { TlsOptions } from './common-options.js';
import { connectHost } from './net/connect.js';
import { sentenceOf } from './net/failures.js';
import { resolver } from './net/lookup.js';
import { findProxy, openSocket, type ProxyServer } from './net/proxy.js';
import { Secrets } from './net/secrets.js';
import { secureSocket, spkiPin, tlsConnection } from './net/tls.js';
import { type OpenContext, openDestination, setUpProblem } from './open.js';
import type { DestinationOptions } from './options.js';
import { cleaned } from './redacted.js';
import type { StatusContext } from './status.js';

/** What is tried, in this order; a step that does not apply to a kind of destination is left out. */
export type TestStepName = 'settings' | 'name' | 'connect' | 'tls' | 'login' | 'write' | 'send';

export interface TestStep {
  readonly step: TestStepName;
  /** Null: it could not be learned, and that is no failure. */
  readonly ok: boolean | null;
  /** What was found, or what is wrong and what to do. */
  readonly detail: string;
}

const stepMs = 10_000;

interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsOptions | undefined;
}

function hostAndPort(text: string): { readonly host: string; readonly port: number } {
  const match = /^\[?(.*?)\]?:(\d+)$/.exec(text);
  return { host: match?.[1] ?? text, port: Number(match?.[2] ?? 0) };
}

/** Where a destination's first connection goes; undefined when it makes none that we know of. */
function endpointOf(options: DestinationOptions): Endpoint | undefined {
  switch (options.type) {
    case 'elasticsearch':
    case 'splunk':
    case 'webhook':
    case 'otlp': {
      const url = new URL(options.url);
      const secure = url.protocol === 'https:';
      const host = url.hostname.replace(/^\[|\]$/g, '');
      return { host, port: Number(url.port || (secure ? 443 : 80)), tls: secure ? options.tls : undefined };
    }
    case 'syslog':
      return { ...hostAndPort(options.address), tls: options.transport === 'tls' ? options.tls : undefined };
    case 'kafka':
      return {
        ...hostAndPort(options.brokers[0] ?? ''),
        tls: options.tls === false ? undefined : options.tls,
      };
    default:
      return undefined;
  }
}

/** What a failure to connect means, and what to do. */
function connectCure(error: unknown, { host, port }: Pick<Endpoint, 'host' | 'port'>): string {
  const code = errnoOf(error) ?? '';
  if (code === 'ECONNREFUSED')
    return `nothing listens on port ${port} of ${host}: check the port, or start the receiver`;
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH')
    return `there is no way to ${host} from here: check the network, or set "proxy"`;
  if (code === 'ETIMEDOUT' || /timed out|does not answer/.test(messageOf(error)))
    return `${host} does not answer on port ${port}: a firewall on the way, a wrong address, or a network that wants a "proxy"`;
  return sentenceOf(error);
}

/** Tries a destination step by step, as the agent would reach it; ends with the first step that fails. */
export async function* testSteps(
  options: DestinationOptions,
  context: OpenContext,
  how: { readonly signal: AbortSignal; readonly send?: StatusContext },
): AsyncGenerator<TestStep> {
  const step = (name: TestStepName, ok: boolean | null, detail: string): TestStep => ({
    step: name,
    ok,
    detail: cleaned(detail),
  });
  const problem = await setUpProblem(options, context);
  if (problem !== undefined) {
    yield step('settings', false, [problem.message, problem.hint].filter(Boolean).join('. '));
    return;
  }
  yield step('settings', true, 'secrets and certificates can be read');
  const endpoint = endpointOf(options);
  if (endpoint !== undefined) {
    for await (const one of networkSteps(options, endpoint, how.signal)) {
      yield step(one.step, one.ok, one.detail);
      if (one.ok === false) return;
    }
  }
  const login = await probed(options, context, how.signal);
  yield step('login', login.ok, login.detail);
  if (!login.ok) return;
  if (login.write !== undefined) {
    yield step('write', login.write.ok, login.write.detail);
    if (login.write.ok === false) return;
  } else if (how.send === undefined)
    yield step('write', null, 'only --send shows whether documents are taken');
  if (how.send === undefined) return;
  const sent = await testDestination(options, context, { signal: how.signal, send: how.send });
  yield step('send', sent.ok, sent.detail);
}

async function probed(
  options: DestinationOptions,
  context: OpenContext,
  signal: AbortSignal,
): Promise<TestResult & { readonly write?: { readonly ok: boolean | null; readonly detail: string } }> {
  try {
    const destination = await openDestination(options, context);
    try {
      const probe = await destination.probe(signal);
      const write = probe.ok ? await destination.mayWrite?.(signal) : undefined;
      return { ...probe, ...(write === undefined ? {} : { write }) };
    } finally {
      await destination.close();
    }
  } catch (error) {
    return { ok: false, detail: sentenceOf(error) };
  }
}

async function* networkSteps(
  options: DestinationOptions,
  endpoint: Endpoint,
  signal: AbortSignal,
): AsyncGenerator<TestStep> {
  const secrets = new Secrets();
  let proxy: ProxyServer | undefined;
  if ('proxy' in options) proxy = await findProxy(endpoint.host, options, { secrets, port: endpoint.port });
  const first = proxy ?? endpoint;
  const through = proxy === undefined ? '' : ` (the proxy)`;
  try {
    const addresses = await resolver.lookup(first.host, stepMs);
    const list = addresses.slice(0, 4).map(({ address }) => address);
    yield { step: 'name', ok: true, detail: `${first.host}${through} is ${list.join(', ')}` };
  } catch (error) {
    const cure = 'check the name, or set "proxy" where names outside are not resolved';
    yield { step: 'name', ok: false, detail: `${messageOf(error)}: ${cure}` };
    return;
  }
  try {
    (await connectHost(first, { timeoutMs: stepMs, signal })).destroy();
    yield { step: 'connect', ok: true, detail: `${first.host}${through} answers on port ${first.port}` };
  } catch (error) {
    yield { step: 'connect', ok: false, detail: connectCure(error, first) };
    return;
  }
  if (endpoint.tls === undefined) return;
  try {
    const tlsOptions = await tlsConnection(endpoint.tls, secrets);
    const socket = await openSocket(endpoint, { proxy, timeoutMs: stepMs, signal });
    const secure = await secureSocket(socket, endpoint.host, {
      options: tlsOptions,
      timeoutMs: stepMs,
      signal,
    });
    const { valid_to: until, raw } = secure.getPeerCertificate();
    const detail = `${secure.getProtocol()}, the certificate is good until ${until}; the pin of its key is "${spkiPin(raw)}"`;
    secure.destroy();
    yield { step: 'tls', ok: true, detail };
  } catch (error) {
    const pin = await presentedPin(endpoint, { proxy, signal });
    const told = messageOf(error).includes('pin_spki_sha256') || pin === undefined;
    const text = told
      ? sentenceOf(error)
      : `${sentenceOf(error)}. The server shows a key with the pin "${pin}"`;
    yield { step: 'tls', ok: false, detail: text };
  }
}

/** The pin of the key that a server shows, whoever signed it: for a person to compare, never to be believed by itself. */
async function presentedPin(
  { host, port }: Endpoint,
  { proxy, signal }: { readonly proxy: ProxyServer | undefined; readonly signal: AbortSignal },
): Promise<string | undefined> {
  try {
    const socket = await openSocket({ host, port }, { proxy, timeoutMs: stepMs, signal });
    const anyone: tls.ConnectionOptions = { rejectUnauthorized: false, checkServerIdentity: () => undefined };
    const secure = await secureSocket(socket, host, { options: anyone, timeoutMs: stepMs, signal });
    const { raw } = secure.getPeerCertificate();
    secure.destroy();
    return spkiPin(raw);
  } catch {
    return undefined;
  }
}
