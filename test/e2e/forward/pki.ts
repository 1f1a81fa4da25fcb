import { execFileSync } from 'node:child_process';
import path from 'node:path';

export interface Pki {
  readonly ca: string;
  readonly serverCert: string;
  readonly serverKey: string;
  readonly clientCert: string;
  readonly clientKey: string;
}

/** A root, a server for localhost and a client named mac-0001.example, in `folder`; OpenSSL's command makes them. */
export function makePki(folder: string): Pki {
  const file = (name: string) => path.join(folder, name);
  const openssl = (args: readonly string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  openssl([
    ...['req', '-x509', ...key, '-keyout', file('ca.key'), '-out', file('ca.pem'), '-subj', '/CN=test CA'],
    ...['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
  ]);
  const issue = (name: string, usage: string, names: string) =>
    openssl([
      ...['req', '-x509', ...key, '-CA', file('ca.pem'), '-CAkey', file('ca.key')],
      ...['-keyout', file(`${name}.key`), '-out', file(`${name}.pem`), '-subj', `/CN=${name}`],
      ...['-addext', 'basicConstraints=critical,CA:FALSE'],
      ...['-addext', `extendedKeyUsage=${usage}`, '-addext', `subjectAltName=${names}`],
    ]);
  issue('server', 'serverAuth', 'DNS:localhost,IP:127.0.0.1');
  issue('client', 'clientAuth', 'DNS:mac-0001.example');
  return {
    ca: file('ca.pem'),
    serverCert: file('server.pem'),
    serverKey: file('server.key'),
    clientCert: file('client.pem'),
    clientKey: file('client.key'),
  };
}
