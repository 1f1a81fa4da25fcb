import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { SecureContextOptions, TlsOptions } from 'node:tls';
import { gunzipSync } from 'node:zlib';

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** Decompressed. */
  readonly body: string;
}

/** What a stand-in answers: a reply, or a misbehaviour. */
export type Answer =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  | 'drop'
  | 'hang'
  | 'flood'
  | 'trickle'
  | 'cut';

export type Handler = (request: Received) => Answer | Promise<Answer>;

/** An HTTP server that a test scripts. */
export class HttpReceiver {
  readonly requests: Received[] = [];
  /** Asked first; undefined leaves the request to the receiver itself. */
  intercept: (request: Received) => Answer | Promise<Answer> | undefined = () => undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #secure: boolean;

  private constructor(handler: Handler, tls: (TlsOptions & SecureContextOptions) | undefined) {
    const listener: RequestListener = (request, response) => {
      const chunks: Buffer[] = [];
      request.on('error', () => undefined);
      response.on('error', () => undefined);
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', async () => {
        const raw = Buffer.concat(chunks);
        const zipped = request.headers['content-encoding'] === 'gzip';
        const received = {
          method: request.method ?? '',
          url: request.url ?? '',
          headers: request.headers,
          body: (zipped ? gunzipSync(raw) : raw).toString('utf8'),
        };
        this.requests.push(received);
        const answer = (await this.intercept(received)) ?? (await handler(received));
        if (answer === 'hang') return;
        if (answer === 'drop') return void request.socket.destroy();
        if (answer === 'flood' || answer === 'trickle') {
          response.writeHead(200, { 'content-type': 'application/json' });
          const pour = () => {
            while (!response.destroyed && response.write('['.repeat(65_536)));
          };
          response.on('drain', pour);
          if (answer === 'flood') return pour();
          const timer = setInterval(() => response.write(' '), 20);
          return void response.on('close', () => clearInterval(timer));
        }
        if (answer === 'cut') {
          response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
          return void response.write('{"items":[', () => request.socket.destroy());
        }
        response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
        response.end(answer.body ?? '');
      });
    };
    this.#secure = tls !== undefined;
    this.#server = tls === undefined ? createServer(listener) : createSecureServer(tls, listener);
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('tlsClientError', () => undefined);
  }

  static async listen(handler: Handler, tls?: TlsOptions & SecureContextOptions): Promise<HttpReceiver> {
    const made = new HttpReceiver(handler, tls);
    await new Promise<void>((resolve) => made.#server.listen(0, '127.0.0.1', resolve));
    return made;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.#secure ? 'https' : 'http'}://127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
