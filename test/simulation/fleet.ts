import { execFileSync } from 'node:child_process';
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

/** The files of a policy, by their path in the bundle. */
export type PolicyFiles = Readonly<Record<string, string>>;

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');
const magic = 'launchwarden-policy/1\n';

/** A signed bundle as docs/policy.md describes it, made without the program. */
export function signedBundle(
  version: number,
  files: PolicyFiles,
  how: { readonly key: KeyObject; readonly publicKey: string; readonly expires?: string },
): Buffer {
  const names = Object.keys(files).sort();
  const manifest = {
    version,
    issued: `${new Date(Date.now() - 60_000).toISOString().slice(0, 19)}Z`,
    expires: how.expires ?? '2099-01-01T00:00:00Z',
    files: names.map((name) => {
      const text = files[name] as string;
      return { path: name, size: Buffer.byteLength(text), sha256: sha256(text) };
    }),
  };
  const body = `${JSON.stringify(manifest)}\n${names.map((name) => files[name]).join('')}`;
  const id = sha256(Buffer.from(how.publicKey, 'base64')).slice(0, 16);
  const signature = sign(null, Buffer.from(magic + body), how.key).toString('base64');
  return Buffer.from(`${magic}signature: ${id} ${signature}\n\n${body}`);
}

/** A key that signs policies, and its public half as the configuration has it. */
export function policyKey(): { readonly key: KeyObject; readonly publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return { key: privateKey, publicKey: der.subarray(-32).toString('base64') };
}

type Answer = (response: ServerResponse) => void;

/** An https server that hands out the policy of a fleet, with a certificate of its own. */
export class FleetServer {
  readonly signer = policyKey();
  /** What is given out. */
  bundle: Buffer = Buffer.alloc(0);
  #answer: Answer | undefined;
  requests = 0;
  readonly #server: https.Server;
  readonly #ca: string;

  private constructor(server: https.Server, ca: string) {
    this.#server = server;
    this.#ca = ca;
  }

  /** `folder` takes its certificate and key. */
  static async start(folder: string): Promise<FleetServer> {
    const [cert, key] = [path.join(folder, 'fleet.pem'), path.join(folder, 'fleet.key')];
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
        ...[
          '-keyout',
          key,
          '-out',
          cert,
          '-subj',
          '/CN=localhost',
          '-addext',
          'subjectAltName=DNS:localhost',
        ],
      ],
      { stdio: 'pipe' },
    );
    const server = https.createServer({ cert: readFileSync(cert), key: readFileSync(key) });
    const fleet = new FleetServer(server, cert);
    server.on('request', (request, response) => {
      fleet.requests++;
      const etag = `"${sha256(fleet.bundle).slice(0, 16)}"`;
      if (fleet.#answer !== undefined) fleet.#answer(response);
      else if (request.headers['if-none-match'] === etag) response.writeHead(304).end();
      else response.writeHead(200, { etag }).end(fleet.bundle);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return fleet;
  }

  publish(version: number, files: PolicyFiles): void {
    this.#answer = undefined;
    this.bundle = signedBundle(version, files, this.signer);
  }

  /** Something else than a bundle, until the next one is published. */
  answerBy(answer: Answer): void {
    this.#answer = answer;
  }

  /** The `[policy]` table of a Mac of this fleet. */
  get config(): string {
    const { port } = this.#server.address() as AddressInfo;
    return [
      '[policy]',
      `url = "https://localhost:${port}/policy"`,
      `public_key = "${this.signer.publicKey}"`,
      'proxy = "none"',
      `tls.ca = ${JSON.stringify(this.#ca)}`,
      '',
    ].join('\n');
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
