import type { Socket } from 'node:net';
import { escapeText } from '../../base/escape.js';

/** Messages on their way without an answer; librelp takes 128. */
const windowSize = 128;
const maxAnswerBytes = 64 * 1024;
const maxTransaction = 999_999_999;

export type RelpAnswer = 'acknowledged' | { readonly refused: string };

interface Waiting {
  readonly settle: (answer: RelpAnswer) => void;
  readonly fail: (error: Error) => void;
}

function quote(bytes: Buffer): string {
  return escapeText(bytes.toString('latin1').slice(0, 100));
}

/**
 * The client's half of RELP (rsyslog, "The Reliable Event Logging Protocol"): each message is answered once the
 * receiver has taken responsibility for it.
 */
export class RelpSession {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  #transaction = 0;
  #held: Buffer = Buffer.alloc(0);
  #failure: Error | undefined;
  #drained: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('end', () => this.#fail(new Error('the receiver closed the session')));
    socket.on('close', () => this.#fail(new Error('the connection was closed')));
    socket.resume();
  }

  /** Opens the session on a fresh connection; rejects when the receiver is not one of RELP. */
  static async open(socket: Socket, timeoutMs: number): Promise<RelpSession> {
    const session = new RelpSession(socket);
    const timer = setTimeout(() => session.#fail(new Error('no answer to the RELP open')), timeoutMs);
    try {
      const offer = 'relp_version=0\nrelp_software=launchwarden\ncommands=syslog';
      const answer = await session.#command('open', Buffer.from(offer));
      if (answer !== 'acknowledged') throw new Error(`RELP open was refused: ${answer.refused}`);
      return session;
    } catch (error) {
      socket.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  get usable(): boolean {
    return this.#failure === undefined;
  }

  /** Rejects when the session ends before the answer. */
  async send(message: Buffer): Promise<RelpAnswer> {
    while (this.#waiting.size >= windowSize && this.#failure === undefined)
      await new Promise<void>((resolve) => this.#drained.push(resolve));
    return this.#command('syslog', message);
  }

  /** Says goodbye without waiting for an answer. */
  close(): void {
    if (this.#failure === undefined) this.#socket.end(`${this.#next()} close 0\n`);
    this.#fail(new Error('closed'));
  }

  abort(reason: string): void {
    this.#fail(new Error(reason));
  }

  #next(): number {
    this.#transaction = this.#transaction >= maxTransaction ? 1 : this.#transaction + 1;
    return this.#transaction;
  }

  #command(name: string, data: Buffer): Promise<RelpAnswer> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const transaction = this.#next();
    return new Promise((settle, fail) => {
      this.#waiting.set(transaction, { settle, fail });
      this.#socket.write(
        Buffer.concat([Buffer.from(`${transaction} ${name} ${data.length} `), data, Buffer.from('\n')]),
      );
    });
  }

  #read(chunk: Buffer): void {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    for (;;) {
      // TXNR SP COMMAND SP DATALEN [SP DATA] LF
      const head = /^(\d{1,9}) ([a-z]{1,32}) (\d{1,9})(?: |\n)/.exec(this.#held.toString('latin1', 0, 64));
      if (head === null) {
        if (this.#held.length >= 64) this.#fail(new Error(`no RELP: ${quote(this.#held)}`));
        return;
      }
      const length = Number(head[3]);
      if (length > maxAnswerBytes) {
        this.#fail(new Error('a RELP answer that is too long'));
        return;
      }
      const start = head[0].endsWith('\n') ? head[0].length - 1 : head[0].length;
      const end = start + length;
      if (this.#held.length <= end) return;
      if (this.#held[end] !== 0x0a) {
        this.#fail(new Error('a RELP answer without its end'));
        return;
      }
      const data = this.#held.subarray(start, end);
      this.#held = this.#held.subarray(end + 1);
      this.#take(Number(head[1]), head[2] as string, data);
      if (this.#failure !== undefined) return;
    }
  }

  #take(transaction: number, command: string, data: Buffer): void {
    if (command === 'serverclose') {
      this.#fail(new Error('the receiver closed the session'));
      return;
    }
    if (command !== 'rsp') return;
    const waiting = this.#waiting.get(transaction);
    if (waiting === undefined) {
      this.#fail(new Error('a RELP answer to nothing'));
      return;
    }
    this.#waiting.delete(transaction);
    waiting.settle(
      /^200(?:\D|$)/.test(data.toString('latin1', 0, 4)) ? 'acknowledged' : { refused: quote(data) },
    );
    this.#drained.shift()?.();
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    for (const { fail } of this.#waiting.values()) fail(error);
    this.#waiting.clear();
    for (const resolve of this.#drained.splice(0)) resolve();
    this.#socket.destroy();
  }
}
