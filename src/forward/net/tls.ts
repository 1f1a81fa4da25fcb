import { execFile } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { errnoOf, messageOf, UserError } from '../../base/errors.js';
import { OwnershipCheck, realFiles } from '../../base/ownership.js';
import type { TlsOptions } from '../common-options.js';
import type { Secrets } from './secrets.js';

/** A bundle of all public roots has about 200 kB. */
const maxPemBytes = 4 * 1024 * 1024;

/** Where systems that are no Macs keep their roots. */
const systemBundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/cert.pem',
];
const keychains = [
  '/Library/Keychains/System.keychain',
  '/System/Library/Keychains/SystemRootCertificates.keychain',
];

function noPem(message: string, what: string): UserError {
  return new UserError('forward/tls-file', `cannot read the ${what}: ${message}`, {
    hint: 'Check the [destination.tls] table.',
  });
}

/** As root, a file that nobody else can change or replace: who writes the roots decides whom we believe. */
async function readPem(file: string, what: string): Promise<Buffer> {
  if (process.geteuid?.() === 0)
    new OwnershipCheck(realFiles, {
      owners: [0],
      stickyPasses: true,
      refuse: (place, reason, cause) =>
        errnoOf(cause) === 'ENOENT'
          ? noPem(`${place} ${reason}`, what)
          : new UserError('forward/unsafe-file', `${place} ${reason}; the ${what} must be root's alone`, {
              hint: 'Keep it in a folder that only root may write to ("sudo chown root", "sudo chmod go-w").',
              cause,
            }),
    }).path(path.resolve(file));
  try {
    // No wait for a FIFO that somebody named like the file.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const facts = await handle.stat();
      if (!facts.isFile() || facts.size > maxPemBytes)
        throw new Error(`${file} is not a regular file of at most ${maxPemBytes} bytes`);
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw noPem(messageOf(error), what);
  }
}

function keychainRoots(file: string): Promise<string> {
  return new Promise((resolve) => {
    const args = ['find-certificate', '-a', '-p', file];
    execFile(
      '/usr/bin/security',
      args,
      { timeout: 20_000, env: {}, maxBuffer: 16 * 1024 * 1024 },
      (_, stdout) => resolve(stdout),
    );
  });
}

/** The roots that this machine trusts: on a Mac the keychains, where device management puts the company's own. */
async function systemRoots(): Promise<(string | Buffer)[]> {
  if (process.platform === 'darwin') return Promise.all(keychains.map(keychainRoots));
  for (const file of systemBundles) {
    const pem = await readFile(file).catch(() => undefined);
    if (pem !== undefined) return [pem];
  }
  throw new UserError('forward/tls-file', 'this machine has no list of roots', {
    hint: 'Name a PEM file as "ca".',
  });
}

/** Base64 of the SHA-256 of a certificate's public key (RFC 7469 section 2.4). */
export function spkiPin(certificate: Buffer): string {
  const key = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}

/**
 * What node:tls needs for one destination. The host name is checked first, then the pins: setting checkServerIdentity
 * replaces Node's own check. Throws a UserError for a file that cannot be read.
 */
export async function tlsConnection(options: TlsOptions, secrets: Secrets): Promise<tls.ConnectionOptions> {
  const pins = options.pin_spki_sha256;
  const connection: tls.ConnectionOptions = {
    minVersion: options.min_version === '1.3' ? 'TLSv1.3' : 'TLSv1.2',
    rejectUnauthorized: true,
    checkServerIdentity(host, certificate) {
      const wrong = tls.checkServerIdentity(options.server_name ?? host, certificate);
      if (wrong !== undefined || pins.length === 0) return wrong;
      const pin = spkiPin(certificate.raw);
      return pins.includes(pin)
        ? undefined
        : Object.assign(
            new Error(
              `none of the pins is that of the server's key, which is "${pin}": if that is right, add it to "pin_spki_sha256" in [destination.tls]`,
            ),
            { code: 'ERR_TLS_PIN' },
          );
    },
  };
  if (options.server_name !== undefined) connection.servername = options.server_name;
  if (options.ca === 'system') connection.ca = await systemRoots();
  else if (options.ca !== undefined) connection.ca = await readPem(options.ca, 'roots');
  if (options.cert !== undefined) connection.cert = await readPem(options.cert, 'client certificate');
  if (options.key !== undefined) connection.key = await readPem(options.key, "client certificate's key");
  if (options.key_passphrase !== undefined) connection.passphrase = await secrets.get(options.key_passphrase);
  try {
    tls.createSecureContext(connection);
  } catch (error) {
    throw new UserError(
      'forward/tls-file',
      `the TLS files do not fit together: ${secrets.redact(messageOf(error))}`,
      {
        hint: 'Check "ca", "cert" and "key" of the [destination.tls] table.',
      },
    );
  }
  return connection;
}

/** True of an error of the TLS handshake: a certificate, a key or a version, ours or theirs, does not fit. */
export function isHandshakeFailure(error: unknown): boolean {
  return /^(?:ERR_SSL|ERR_TLS|ERR_OSSL|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|EPROTO)/.test(
    errnoOf(error) ?? '',
  );
}

/**
 * TLS on a connection. Resolves after the handshake; with TLS 1.3 the server may still refuse our certificate after
 * it. Rejects with the reason.
 */
export function secureSocket(
  socket: Duplex,
  host: string,
  how: { readonly options: tls.ConnectionOptions; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<tls.TLSSocket> {
  // An address is no name that a client may send (RFC 6066 section 3).
  const name = isIP(host) === 0 ? { servername: host } : {};
  const secure = tls.connect({ ...name, host, ...how.options, socket });
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      clearTimeout(timer);
      how.signal.removeEventListener('abort', aborted);
      secure.on('error', () => undefined);
      secure.destroy();
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(() => fail(new Error('the TLS handshake timed out')), how.timeoutMs);
    const aborted = () => fail(new Error('stopped'));
    const closed = () => fail(new Error('the connection was closed in the TLS handshake'));
    how.signal.addEventListener('abort', aborted, { once: true });
    secure.once('error', fail).once('close', closed);
    secure.once('secureConnect', () => {
      clearTimeout(timer);
      how.signal.removeEventListener('abort', aborted);
      secure.removeListener('error', fail).removeListener('close', closed);
      resolve(secure);
    });
  });
}
