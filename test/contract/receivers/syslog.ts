import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

export interface SyslogMessage {
  readonly priority: number;
  readonly header: string[];
  readonly text: string;
}

/** Splits octet-counted frames; what is left over is an incomplete one. */
export function unframe(data: Buffer): { messages: Buffer[]; rest: Buffer } {
  const messages: Buffer[] = [];
  let rest = data;
  for (;;) {
    const head = /^([1-9]\d*) /.exec(rest.toString('latin1', 0, 12));
    if (head === null) return { messages, rest };
    const start = head[0].length;
    const end = start + Number(head[1]);
    if (rest.length < end) return { messages, rest };
    messages.push(rest.subarray(start, end));
    rest = rest.subarray(end);
  }
}

export function readMessage(bytes: Buffer): SyslogMessage {
  const match = /^<(\d{1,3})>1 (\S+) (\S+) (\S+) (\S+) (\S+) (-|\[[^\]]*\]) ?/.exec(bytes.toString('utf8'));
  if (match === null) throw new Error(`no RFC 5424 message: ${bytes.toString('utf8', 0, 80)}`);
  return {
    priority: Number(match[1]),
    header: match.slice(2),
    text: bytes.toString('utf8').slice(match[0].length),
  };
}

export type Misbehaviour = 'none' | 'silent' | 'reset' | 'early-close';

/** A syslog receiver over TCP: octet counting with an orderly close, or RELP. */
export class FakeSyslog {
  readonly messages: SyslogMessage[] = [];
  misbehave: Misbehaviour = 'none';
  /** RELP's answer to a message. */
  answer: (text: string) => string = () => '200 OK';
  readonly #relp: boolean;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(relp: boolean) {
    this.#relp = relp;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#serve(socket));
  }

  static async listen(relp: boolean): Promise<FakeSyslog> {
    const made = new FakeSyslog(relp);
    await new Promise<void>((resolve) => made.#server.listen(0, '127.0.0.1', resolve));
    return made;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
    if (this.misbehave === 'early-close') return void socket.end();
    let held: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      if (this.misbehave === 'silent') return;
      if (this.misbehave === 'reset') return void socket.resetAndDestroy();
      held = Buffer.concat([held, chunk]);
      held = this.#relp ? this.#relpFrames(socket, held) : this.#plainFrames(held);
    });
    socket.on('end', () => {
      if (this.misbehave === 'none') socket.end();
    });
  }

  #plainFrames(data: Buffer): Buffer {
    const { messages, rest } = unframe(data);
    this.messages.push(...messages.map(readMessage));
    return rest;
  }

  #relpFrames(socket: Socket, data: Buffer): Buffer {
    let rest = data;
    for (;;) {
      const head = /^(\d+) (\w+) (\d+)(?: |\n)/.exec(rest.toString('latin1', 0, 40));
      if (head === null) return rest;
      const start = head[0].endsWith('\n') ? head[0].length - 1 : head[0].length;
      const end = start + Number(head[3]);
      if (rest.length <= end) return rest;
      const body = rest.subarray(start, end);
      rest = rest.subarray(end + 1);
      const say = (text: string) => socket.write(`${head[1]} rsp ${Buffer.byteLength(text)} ${text}\n`);
      if (head[2] === 'open') say('200 OK\nrelp_version=0\nrelp_software=fake\ncommands=syslog');
      else if (head[2] === 'close') {
        socket.write(`${head[1]} rsp 0\n0 serverclose 0\n`);
        socket.end();
      } else {
        const answer = this.answer(body.toString('utf8'));
        if (answer.startsWith('200')) this.messages.push(readMessage(body));
        say(answer);
      }
    }
  }
}
