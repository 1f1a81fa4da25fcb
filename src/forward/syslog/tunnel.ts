import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** How long after the connection's end TLS gets to say that it ended in order, milliseconds. */
const orderlyMs = 50;

/**
 * A connection through a proxy, under TLS. A proxy ends connections by itself, so their end proves nothing: only TLS's
 * own closing alert comes from the receiver. Our end is said by that alert alone, since a proxy may tear down both
 * directions when one is closed, and the receiver's answer with them.
 */
export class Tunnel extends Duplex {
  readonly #socket: Socket;
  /** True once the connection ended without TLS having said so first. */
  tornDown = false;

  constructor(socket: Socket) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) socket.pause();
    });
    socket.on('end', () => {
      setTimeout(() => {
        this.tornDown = true;
        this.push(null);
      }, orderlyMs);
    });
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => setTimeout(() => this.destroy(), orderlyMs * 2));
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _final(done: () => void): void {
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}
