import { errnoOf, messageOf } from '../../base/errors.js';

const untrusted =
  'the server\'s certificate is signed by no root that is trusted here: name the root\'s PEM file as "ca" in [destination.tls], or "system" for the roots of this machine';
const ours = 'check "cert" and "key" in [destination.tls]';
const clock = "or this machine's clock is wrong";

/** What certificate checks (codes of X509_verify_cert) and Node.js's own failures mean, and what to do about them. */
const byCode: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: `the server's certificate has expired: renew it there, ${clock}`,
  CERT_NOT_YET_VALID: `the server's certificate is not valid yet: replace it there, ${clock}`,
  CERT_REVOKED: "the server's certificate was revoked: replace it there",
  CERT_UNTRUSTED: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: `the server's certificate is self-signed: name its PEM file as "ca" in [destination.tls] if you trust it`,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `${untrusted}; or the server leaves an intermediate certificate out`,
  ECONNRESET: 'the receiver closed the connection without an answer, or in the middle of it',
  EPIPE: 'the receiver closed the connection while it was sent to',
  HPE_HEADER_OVERFLOW: 'the headers of the answer are too long',
};

/** What TLS alerts (RFC 8446 section 6, in OpenSSL's words) and OpenSSL's own complaints mean. */
const byReason: readonly (readonly [RegExp, string])[] = [
  [
    /alert protocol version|unsupported protocol|wrong ssl version/,
    'the server offers no version of TLS that is allowed here: it must offer 1.2 or 1.3 ("min_version" in [destination.tls])',
  ],
  [
    /wrong version number|packet length too long|http request|record layer failure/,
    'what answers there does not speak TLS: check the port, or use the one for TLS',
  ],
  [
    /certificate required|alert no certificate|peer did not return a certificate/,
    `the server wants a client certificate: set "cert" and "key" in [destination.tls]`,
  ],
  [/alert unknown ca/, `the server does not know who signed the client certificate: ${ours}`],
  [/alert certificate expired/, `the server says that the client certificate has expired: ${ours}`],
  [/alert certificate revoked/, `the server says that the client certificate was revoked: ${ours}`],
  [
    /alert (?:bad certificate|unsupported certificate|certificate unknown|access denied|decrypt error)/,
    `the server refuses the client certificate, or that there is none: ${ours}`,
  ],
  [
    /alert handshake failure|no shared cipher/,
    `the server refuses the TLS handshake: it wants a client certificate (${ours}) or other ciphers`,
  ],
  [
    /alert unrecognized name/,
    'the server serves nothing under that name: check the address, or set "server_name" in [destination.tls]',
  ],
];

/** A sentence about what a connection or a request failed on, with the cure where there is one. */
export function sentenceOf(error: unknown): string {
  const message = messageOf(error);
  const code = errnoOf(error) ?? '';
  const known = byCode[code];
  if (known !== undefined) return `${known} (${code})`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return wrongName(error, message);
  if (code.startsWith('HPE_')) return `the answer is no HTTP (${code})`;
  // "80CC0AEA677F0000:error:0A00042E:SSL routines:ssl3_read_bytes:tlsv1 alert protocol version:../deps/openssl/..."
  const openssl = /error:[0-9A-F]{8}:[^:]*:[^:]*:([^:\n]+)/.exec(message)?.[1];
  const reason =
    openssl ?? (code.startsWith('ERR_SSL_') ? code.slice(8).toLowerCase().replaceAll('_', ' ') : undefined);
  if (reason === undefined) return code === '' || message.includes(code) ? message : `${message} (${code})`;
  const meaning = byReason.find(([pattern]) => pattern.test(reason))?.[1] ?? 'TLS failed';
  return `${meaning} (${reason.trim()})`;
}

function wrongName(error: unknown, message: string): string {
  const { host, cert } = error as {
    host?: unknown;
    cert?: { subjectaltname?: unknown; subject?: { CN?: unknown } };
  };
  const names = cert?.subjectaltname ?? cert?.subject?.CN;
  if (typeof host !== 'string') return message;
  const carried = typeof names === 'string' && names !== '' ? names.slice(0, 200) : 'no name at all';
  return `the server's certificate is for ${carried}, not for ${host}: check the address, or set "server_name" in [destination.tls] to the name that it must carry`;
}
