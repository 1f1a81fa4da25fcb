import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** How long after the connection's end TLS gets to say that it ended in order, milliseconds. */
const graceMs = 50;

/**
 * A connection under TLS, of which one can tell how it ended. Only TLS's own closing alert comes from the receiving
 * program: when that is killed, the system ends its connections for it, and a proxy ends them as it likes. Our own end
 * is said by that alert alone, since a proxy may tear down both directions when one is closed.
 */
export class OrderlyStream extends Duplex {
  /** Resolves when the connection below has ended in order, rejects when it was reset. */
  readonly ended: Promise<void>;
  readonly #socket: Socket;
  #unsent = 0;
  #tornDown = false;

  constructor(socket: Socket) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    this.ended = new Promise((resolve, reject) => {
      socket.on('end', resolve);
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('the connection was closed')));
    });
    this.ended.catch((error: Error) => this.destroy(error));
    socket.on('data', (chunk: Buffer) => {
      if (!this.destroyed && !this.push(chunk)) socket.pause();
    });
    socket.on('end', () => {
      setTimeout(() => {
        this.#tornDown = true;
        this.push(null);
      }, graceMs);
    });
  }

  /** The connection below ended, and TLS had not said so: its closing alert did not come. */
  get tornDown(): boolean {
    return this.#tornDown;
  }

  /** Something that TLS wrote has not reached the system yet. */
  get unsent(): boolean {
    return this.#unsent > 0;
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#unsent++;
    this.#socket.write(chunk, (error) => {
      this.#unsent--;
      done(error);
    });
  }

  override _final(done: () => void): void {
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // Without an error the connection below still has to show how it ends.
    if (error === null) this.#socket.end().resume();
    else this.#socket.destroy();
    done(error);
  }

  /** Nobody waits for the end any more. */
  release(): void {
    this.destroy();
    this.#socket.destroy();
  }
}
