import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import { ExitCode, errnoOf, messageOf, UserError } from '../base/errors.js';
import type { Logger } from '../base/log.js';

/** One request is one JSON line of at most so many bytes, and so is its answer. */
const maxRequestBytes = 256 * 1024;
const maxAnswerBytes = 8 * 1024 * 1024;
/** A client that says nothing is cut off, and only so many are served at once: the socket is for one person. */
const idleMs = 5_000;
const maxClients = 16;

export interface ControlRequest {
  readonly op: string;
  readonly args?: unknown;
}

type Answer =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly code: string; readonly message: string; readonly hint?: string };

export type ControlHandlers = Readonly<Record<string, (args: unknown) => unknown>>;

/** Where the daemon of a data folder listens. The folder is 0700, so only its owner reaches the socket. */
export function controlPath(dataDir: string): string {
  return path.join(dataDir, 'control.sock');
}

/** Takes whole lines from a socket; too long a line ends the connection. */
function onLine(socket: Socket, limit: number, take: (line: string) => void): void {
  let held = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    held += chunk;
    if (held.length > limit) {
      socket.destroy();
      return;
    }
    for (let end = held.indexOf('\n'); end !== -1; end = held.indexOf('\n')) {
      const line = held.slice(0, end);
      held = held.slice(end + 1);
      take(line);
    }
  });
}

async function answer(line: string, handlers: ControlHandlers): Promise<Answer> {
  try {
    const request = JSON.parse(line) as Partial<ControlRequest> | null;
    const op = request?.op;
    const handler = typeof op === 'string' && Object.hasOwn(handlers, op) ? handlers[op] : undefined;
    if (handler === undefined) return { ok: false, code: 'control/unknown-op', message: 'unknown request' };
    return { ok: true, result: (await handler(request?.args)) ?? null };
  } catch (error) {
    if (error instanceof UserError) {
      return {
        ok: false,
        code: error.code,
        message: error.message,
        ...(error.hint === undefined ? {} : { hint: error.hint }),
      };
    }
    return { ok: false, code: 'control/failed', message: messageOf(error) };
  }
}

/** The daemon's end: a Unix socket, readable and writable by its owner alone, that answers one JSON line a request. */
export class ControlServer {
  readonly #server: Server;
  readonly #path: string;
  readonly #clients: ReadonlySet<Socket>;

  private constructor(server: Server, socketPath: string, clients: ReadonlySet<Socket>) {
    this.#server = server;
    this.#path = socketPath;
    this.#clients = clients;
  }

  /** Rejects with what `listen` failed with. The caller holds the lock of `dataDir`, so an old socket is a leftover. */
  static async listen(dataDir: string, handlers: ControlHandlers, log: Logger): Promise<ControlServer> {
    const socketPath = controlPath(dataDir);
    rmSync(socketPath, { force: true });
    const clients = new Set<Socket>();
    const server = createServer((socket) => {
      clients.add(socket);
      socket.on('close', () => clients.delete(socket));
      socket.setTimeout(idleMs, () => socket.destroy());
      socket.on('error', () => socket.destroy());
      onLine(socket, maxRequestBytes, (line) => {
        void answer(line, handlers).then((reply) => socket.write(`${JSON.stringify(reply)}\n`));
      });
    });
    server.maxConnections = maxClients;
    server.on('error', (error) => log.warn({ error }, 'control socket failed'));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(socketPath, () => {
        server.off('error', reject);
        resolve();
      });
    });
    chmodSync(socketPath, 0o600);
    return new ControlServer(server, socketPath, clients);
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      // A client that stays, or goes on asking, must not keep the daemon from ending.
      for (const client of this.#clients) client.destroy();
    });
    rmSync(this.#path, { force: true });
  }
}

/**
 * Asks the daemon of a data folder. Undefined when none listens there; a UserError with the daemon's own code when it
 * refuses, or `control/unreachable` (exit code 3) when it listens and does not answer.
 */
export async function requestControl(
  dataDir: string,
  request: ControlRequest,
  timeoutMs = 10_000,
): Promise<{ result: unknown } | undefined> {
  const reply = await new Promise<Answer | undefined>((resolve, reject) => {
    const socket = connect(controlPath(dataDir));
    const unreachable = (cause?: unknown) =>
      reject(
        new UserError('control/unreachable', `the daemon of ${dataDir} does not answer`, {
          exitCode: ExitCode.unreachable,
          hint: 'Look at its log, or start it again.',
          cause,
        }),
      );
    socket.setTimeout(timeoutMs, () => {
      socket.destroy();
      unreachable();
    });
    socket.on('error', (error) => {
      const code = errnoOf(error);
      // ENAMETOOLONG and EINVAL: no daemon can listen at such a path either.
      if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENAMETOOLONG' || code === 'EINVAL')
        resolve(undefined);
      else unreachable(error);
    });
    socket.on('close', () => unreachable());
    onLine(socket, maxAnswerBytes, (line) => {
      socket.end();
      try {
        resolve(JSON.parse(line) as Answer);
      } catch (error) {
        unreachable(error);
      }
    });
    socket.on('connect', () => socket.write(`${JSON.stringify(request)}\n`));
  });
  if (reply === undefined) return undefined;
  if (reply.ok) return { result: reply.result };
  throw new UserError(reply.code, reply.message, reply.hint === undefined ? {} : { hint: reply.hint });
}
