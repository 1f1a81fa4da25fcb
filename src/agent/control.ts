import { chmodSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { ExitCode, errnoOf, messageOf, UserError } from '../base/errors.js';
import type { Logger } from '../base/log.js';

/** One request is one JSON line of at most so many bytes, and so is its answer. */
const maxRequestBytes = 256 * 1024;
const maxAnswerBytes = 8 * 1024 * 1024;
/**
 * `requestMs` after the connection or the last answer a request must be there, however slowly its bytes come, and after
 * as long an answer must have been read; `sessionMs` is the longest that a client stays.
 */
export interface ControlLimits {
  readonly requestMs: number;
  readonly sessionMs: number;
}

const controlLimits: ControlLimits = { requestMs: 5_000, sessionMs: 60_000 };
/** Only so many are served at once: the socket is for one person. */
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

// sun_path holds 104 bytes on macOS and 108 on Linux, with the final zero. What is longer is cut off without an error.
const maxPathBytes = 103;

/**
 * Calls `use` with a path of the socket that fits into a socket's address: its own, or one through a link in a private
 * folder, which is removed once `use` has ended. The socket itself stands in the data folder in both cases.
 */
async function withAddress<T>(dataDir: string, use: (address: string) => Promise<T>): Promise<T> {
  const own = controlPath(dataDir);
  if (Buffer.byteLength(own) <= maxPathBytes) return use(own);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'lw-'));
  const link = path.join(folder, 'd');
  try {
    symlinkSync(path.resolve(dataDir), link);
    return await use(controlPath(link));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Cuts what a socket sends into lines of at most `limit` characters; each character is looked at once. */
class Lines {
  #held: string[] = [];
  #length = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The lines that the chunk completes; undefined when one is too long. */
  take(chunk: string): string[] | undefined {
    const [first = '', ...more] = chunk.split('\n');
    this.#held.push(first);
    this.#length += first.length;
    if (this.#length > this.#limit) return undefined;
    const lines: string[] = [];
    for (const next of more) {
      lines.push(this.#held.join(''));
      this.#held = [next];
      this.#length = next.length;
      if (this.#length > this.#limit) return undefined;
    }
    return lines;
  }
}

/**
 * Answers the requests of one client, one after the other: nothing more is read before an answer is on its way, so that
 * whoever sends and never reads costs us one answer.
 */
function serve(socket: Socket, handlers: ControlHandlers, { requestMs, sessionMs }: ControlLimits): void {
  const lines = new Lines(maxRequestBytes);
  const waiting: string[] = [];
  let busy = false;
  let deadline = setTimeout(() => socket.destroy(), requestMs);
  const session = setTimeout(() => socket.destroy(), sessionMs);
  const next = (): void => {
    if (busy || socket.destroyed) return;
    const line = waiting.shift();
    if (line === undefined) {
      socket.resume();
      return;
    }
    busy = true;
    socket.pause();
    clearTimeout(deadline);
    answer(line, handlers)
      // An answer that JSON cannot say must not end the daemon.
      .then((reply) => JSON.stringify(reply))
      .then((text) => {
        deadline = setTimeout(() => socket.destroy(), requestMs);
        socket.write(`${text}\n`, () => {
          busy = false;
          next();
        });
      })
      .catch(() => socket.destroy());
  };
  socket.setEncoding('utf8');
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    clearTimeout(deadline);
    clearTimeout(session);
  });
  socket.on('data', (chunk: string) => {
    const complete = lines.take(chunk);
    if (complete === undefined) {
      socket.destroy();
      return;
    }
    waiting.push(...complete);
    next();
  });
}

/** Calls `take` with the first line that a socket sends; too long a one ends the connection. */
function onFirstLine(socket: Socket, take: (line: string) => void): void {
  const lines = new Lines(maxAnswerBytes);
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    const complete = lines.take(chunk);
    if (complete === undefined) socket.destroy();
    else if (complete[0] !== undefined) take(complete[0]);
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
  static async listen(
    dataDir: string,
    handlers: ControlHandlers,
    log: Logger,
    limits = controlLimits,
  ): Promise<ControlServer> {
    const socketPath = controlPath(dataDir);
    rmSync(socketPath, { force: true });
    const clients = new Set<Socket>();
    const server = createServer((socket) => {
      clients.add(socket);
      socket.on('close', () => clients.delete(socket));
      serve(socket, handlers, limits);
    });
    server.maxConnections = maxClients;
    server.on('error', (error) => log.warn({ error }, 'control socket failed'));
    const listening = (address: string) =>
      new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(address, () => {
          server.off('error', reject);
          resolve();
        });
      });
    try {
      await withAddress(dataDir, listening);
      chmodSync(socketPath, 0o600);
    } catch (error) {
      // A server that nobody knows of would keep the daemon from ending.
      server.close();
      throw error;
    }
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

function forbidden(dataDir: string, cause: unknown): UserError {
  return new UserError('control/forbidden', `only the owner of ${dataDir} may ask its daemon`, {
    exitCode: ExitCode.unreachable,
    hint: 'A daemon belongs to root: use sudo.',
    cause,
  });
}

function ask(
  address: string,
  dataDir: string,
  { request, timeoutMs }: { readonly request: ControlRequest; readonly timeoutMs: number },
): Promise<Answer | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(address);
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
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ECONNREFUSED') resolve(undefined);
      else if (code === 'EACCES' || code === 'EPERM') reject(forbidden(dataDir, error));
      else unreachable(error);
    });
    socket.on('close', () => unreachable());
    onFirstLine(socket, (line) => {
      socket.end();
      try {
        resolve(JSON.parse(line) as Answer);
      } catch (error) {
        unreachable(error);
      }
    });
    socket.on('connect', () => socket.write(`${JSON.stringify(request)}\n`));
  });
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
  const reply = await withAddress(dataDir, (address) => ask(address, dataDir, { request, timeoutMs }));
  if (reply === undefined) return undefined;
  if (reply.ok) return { result: reply.result };
  throw new UserError(reply.code, reply.message, reply.hint === undefined ? {} : { hint: reply.hint });
}
