import { MessageChannel, type MessagePort } from 'node:worker_threads';

/** Less is not worth the call. */
const leastBytes = 64 * 1024;

/** A port whose other end is closed, from the next turn of the event loop on: what is sent there is dropped at once. */
const nowhere = closedPort();

function closedPort(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  port1.unref();
  return port1;
}

/**
 * Gives the memory of bytes back now, not when the garbage collector comes to it: it counts such bytes late, and hundreds
 * of megabytes of them wait for it while many files are read. The bytes must have a buffer of their own, and are empty
 * from then on, as is everything that shares it.
 */
export function release(bytes: Uint8Array): void {
  const { buffer, byteLength } = bytes;
  if (byteLength < leastBytes || byteLength !== buffer.byteLength || !(buffer instanceof ArrayBuffer)) return;
  try {
    nowhere.postMessage(null, [buffer]);
  } catch {
    // It stays until the collector comes.
  }
}
