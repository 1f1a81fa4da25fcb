import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import path from 'node:path';
import type { Pki } from './pki.js';

const unpacked = path.resolve('build/receivers');
const installer = 'test/e2e/forward/install-receivers.sh';

/** Programs that end TLS in front of a syslog receiver. */
export type Balancer = 'nginx' | 'haproxy' | 'stunnel4';

/** Why a program cannot be used here, or undefined when it can. */
export function missing(
  program: 'rsyslogd' | 'syslog-ng' | 'tinyproxy' | 'kcat' | 'openssl' | Balancer,
): string | undefined {
  if (program === 'nginx' && !existsSync(nginxModule))
    return `nginx's stream module is not installed (${installer})`;
  if (program === 'syslog-ng' && existsSync(path.join(unpacked, 'usr/sbin/syslog-ng'))) return undefined;
  const found = (process.env['PATH'] ?? '')
    .split(':')
    .concat('/usr/sbin')
    .some((folder) => existsSync(path.join(folder, program)));
  return found ? undefined : `${program} is not installed (${installer})`;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** A real server program that a test stops, kills and starts again. */
export class Daemon {
  readonly port: number;
  readonly #command: readonly string[];
  readonly #environment: Record<string, string>;
  #child: ChildProcess | undefined;
  #said = '';

  constructor(port: number, command: readonly string[], environment: Record<string, string> = {}) {
    this.port = port;
    this.#command = command;
    this.#environment = environment;
  }

  async start(): Promise<void> {
    const [program = '', ...args] = this.#command;
    const child = spawn(program, args, {
      env: { PATH: `${process.env['PATH']}:/usr/sbin`, ...this.#environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        this.#said = (this.#said + chunk).slice(-4000);
      });
    for (let tries = 0; !(await answers(this.port)); tries++) {
      if (child.exitCode !== null || tries > 1000) throw new Error(`${program} did not start: ${this.#said}`);
      // Between two looks at the condition.
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(name);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'close');
  }
}

export interface SyslogDaemon {
  readonly daemon: Daemon;
  /** The JSON documents that it stored, in order. */
  stored(): Record<string, unknown>[];
}

type Kind = 'tcp' | 'tls' | 'gtls' | 'relp' | 'relp-tls';

function storedIn(file: string): () => Record<string, unknown>[] {
  return () => {
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, 'utf8').split('\n');
    return lines
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };
}

/** rsyslog with a queue that is none: what it has answered for is in its file. */
export async function rsyslog(folder: string, kind: Kind, pki: Pki, port?: number): Promise<SyslogDaemon> {
  return rsyslogAt(folder, kind, pki, port ?? (await freePort()));
}

async function rsyslogAt(folder: string, kind: Kind, pki: Pki, port: number): Promise<SyslogDaemon> {
  const work = path.join(folder, kind);
  mkdirSync(work, { recursive: true });
  const out = path.join(work, 'out.ndjson');
  const peer = 'PermittedPeer=["mac-0001.example"]';
  const inputs: Record<Kind, string> = {
    tcp: `module(load="imtcp") input(type="imtcp" address="127.0.0.1" port="${port}" ruleset="in")`,
    tls: `module(load="imtcp" StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="x509/name" ${peer})
input(type="imtcp" address="127.0.0.1" port="${port}" ruleset="in")`,
    gtls: `module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="x509/name" ${peer})
input(type="imtcp" address="127.0.0.1" port="${port}" ruleset="in")`,
    relp: `module(load="imrelp") input(type="imrelp" address="127.0.0.1" port="${port}" ruleset="in" maxDataSize="256k")`,
    'relp-tls': `module(load="imrelp" tls.tlslib="openssl")
input(type="imrelp" address="127.0.0.1" port="${port}" ruleset="in" maxDataSize="256k" tls="on" tls.authMode="name"
  tls.permittedPeer=["mac-0001.example"] tls.caCert="${pki.ca}" tls.myCert="${pki.serverCert}" tls.myPrivKey="${pki.serverKey}")`,
  };
  const config = path.join(work, 'rsyslog.conf');
  writeFileSync(
    config,
    `global(workDirectory="${work}" maxMessageSize="256k" defaultNetstreamDriver="${kind === 'gtls' ? 'gtls' : 'ossl'}"
  defaultNetstreamDriverCAFile="${pki.ca}" defaultNetstreamDriverCertFile="${pki.serverCert}"
  defaultNetstreamDriverKeyFile="${pki.serverKey}")
template(name="nd" type="list") { property(name="msg") constant(value="\\n") }
ruleset(name="in" queue.type="Direct") { action(type="omfile" file="${out}" template="nd") }
${inputs[kind]}
`,
  );
  const daemon = new Daemon(port, ['rsyslogd', '-n', '-f', config, '-i', path.join(work, 'pid')]);
  await daemon.start();
  return { daemon, stored: storedIn(out) };
}

const nginxModule = '/usr/lib/nginx/modules/ngx_stream_module.so';

/** One that takes TLS and passes what it carries on to a port where somebody may be, or nobody. */
export async function balancer(
  folder: string,
  program: Balancer,
  { pki, behind }: { readonly pki: Pki; readonly behind: number },
): Promise<Daemon> {
  const port = await freePort();
  const work = path.join(folder, program);
  mkdirSync(work, { recursive: true });
  const both = path.join(work, 'both.pem');
  writeFileSync(both, readFileSync(pki.serverCert, 'utf8') + readFileSync(pki.serverKey, 'utf8'), {
    mode: 0o600,
  });
  const config = path.join(work, 'conf');
  const texts: Record<Balancer, string> = {
    nginx: `load_module ${nginxModule}; daemon off; master_process off; pid ${work}/pid; error_log ${work}/error.log;
events {} stream { server { listen 127.0.0.1:${port} ssl; ssl_certificate ${pki.serverCert};
ssl_certificate_key ${pki.serverKey}; proxy_pass 127.0.0.1:${behind}; } }
`,
    haproxy: `defaults
  mode tcp
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  retries 0
listen syslog
  bind 127.0.0.1:${port} ssl crt ${both}
  server one 127.0.0.1:${behind}
`,
    stunnel4: `foreground = yes
pid = ${work}/pid
[syslog]
accept = 127.0.0.1:${port}
connect = 127.0.0.1:${behind}
cert = ${both}
`,
  };
  writeFileSync(config, texts[program]);
  const commands: Record<Balancer, readonly string[]> = {
    nginx: ['nginx', '-c', config, '-e', path.join(work, 'start.log')],
    haproxy: ['haproxy', '-db', '-f', config],
    stunnel4: ['stunnel4', config],
  };
  const daemon = new Daemon(port, commands[program]);
  await daemon.start();
  return daemon;
}

export async function syslogNg(folder: string, pki: Pki): Promise<SyslogDaemon> {
  const port = await freePort();
  const work = path.join(folder, 'syslog-ng');
  mkdirSync(work, { recursive: true });
  const out = path.join(work, 'out.ndjson');
  const config = path.join(work, 'sng.conf');
  writeFileSync(
    config,
    `@version: 3.38
options { keep-hostname(yes); log-msg-size(262144); stats-freq(0); use-dns(no); };
source s_tls { syslog(ip("127.0.0.1") port(${port}) transport("tls") tls(key-file("${pki.serverKey}")
  cert-file("${pki.serverCert}") ca-file("${pki.ca}") peer-verify(required-trusted))); };
destination d_nd { file("${out}" template("$MSG\\n") flush-lines(0)); };
log { source(s_tls); destination(d_nd); flags(flow-control); };
`,
  );
  const inside = existsSync(path.join(unpacked, 'usr/sbin/syslog-ng'));
  const library = (name: string) => path.join(unpacked, name);
  const environment = inside
    ? {
        LD_LIBRARY_PATH: [
          library('usr/lib/syslog-ng'),
          library(`usr/lib/${triplet()}`),
          library(`lib/${triplet()}`),
        ].join(':'),
      }
    : {};
  const command = [
    ...[inside ? library('usr/sbin/syslog-ng') : 'syslog-ng', '-F', '-f', config, '--no-caps'],
    ...['-R', path.join(work, 'persist'), '-p', path.join(work, 'pid'), '-c', path.join(work, 'ctl')],
    ...(inside ? [`--module-path=${library('usr/lib/syslog-ng/3.38')}`] : []),
  ];
  const daemon = new Daemon(port, command, environment);
  await daemon.start();
  return { daemon, stored: storedIn(out) };
}

function triplet(): string {
  return `${execFileSync('uname', ['-m'], { encoding: 'utf8' }).trim()}-linux-gnu`;
}
