import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as v from 'valibot';
import { systemClock } from '../../src/base/clock.js';
import { silentLogger } from '../../src/base/log.js';
import type { EcsDocument } from '../../src/event/document.js';
import { type Destination, destinationOptions, type Lane, openDestination } from '../../src/forward/index.js';
import { standInDesktop } from '../helpers/stand-in-desktop.js';
import { FakeElasticsearch } from './receivers/elasticsearch.js';
import { FakeHec } from './receivers/hec.js';
import { type Handler, HttpReceiver } from './receivers/http.js';
import { FakeOtlp } from './receivers/otlp.js';
import { FakeSyslog } from './receivers/syslog.js';

/** A destination with a receiver of the test behind it. */
export interface Rig {
  readonly destination: Destination;
  /** What it passes on; all when absent. */
  readonly lanes?: readonly Lane[];
  /** How much of an id it tells; all when absent. */
  readonly idLength?: number;
  /** Ids of the documents that the receiver holds, each once. */
  stored(): string[];
  /** Makes the receiver accept and never answer, or cut every connection; absent where there is no receiver. */
  readonly break?: (how: 'silent' | 'reset' | 'none') => void;
  close(): Promise<void>;
}

const context = { clock: systemClock, log: silentLogger, version: '0.1.0' };

export function open(options: Record<string, unknown>, root?: string): Promise<Destination> {
  return openDestination(v.parse(destinationOptions, options), { ...context, root });
}

async function httpRig(
  handler: Handler,
  stored: () => string[],
  options: Record<string, unknown>,
): Promise<Rig> {
  const receiver = await HttpReceiver.listen(handler);
  const destination = await open({ url: receiver.url, ...options });
  return {
    destination,
    stored,
    break: (how) => {
      receiver.intercept = () => (how === 'none' ? undefined : how === 'silent' ? 'hang' : 'drop');
    },
    close: async () => {
      await destination.close();
      await receiver.close();
    },
  };
}

function idOf(doc: EcsDocument): string {
  return String(doc.event?.id);
}

async function syslogRig(confirm: 'half-close' | 'relp', timeout: string): Promise<Rig> {
  const receiver = await FakeSyslog.listen(confirm === 'relp');
  const destination = await open({
    type: 'syslog',
    transport: 'tcp',
    confirm,
    timeout,
    address: receiver.address,
  });
  return {
    destination,
    stored: () => [...new Set(receiver.messages.map(({ text }) => idOf(JSON.parse(text))))],
    break: (how) => {
      receiver.misbehave = how;
    },
    close: async () => {
      await destination.close();
      await receiver.close();
    },
  };
}

function setSecret(name: string, value: string): string {
  process.env[name] = value;
  return `env:${name}`;
}

/** By name; `timeout` is how long a destination waits for its receiver. */
export const rigs: Readonly<Record<string, (timeout: string) => Promise<Rig>>> = {
  file: async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'launchwarden-contract-'));
    const destination = await open({ type: 'file', path: `${folder}/alerts.ndjson` });
    const read = (name: string) => {
      try {
        return readFileSync(path.join(folder, name), 'utf8').split('\n').slice(1, -1);
      } catch {
        return [];
      }
    };
    return {
      destination,
      stored: () =>
        [...read('alerts.ndjson'), ...read('events.ndjson')].map((line) => idOf(JSON.parse(line))),
      close: async () => {
        await destination.close();
        rmSync(folder, { recursive: true });
      },
    };
  },
  elasticsearch: (timeout) => {
    const fake = new FakeElasticsearch();
    const api_key = setSecret('CONTRACT_ES_KEY', 'aWQ6a2V5');
    return httpRig(fake.handler, () => fake.stored(), { type: 'elasticsearch', api_key, timeout });
  },
  splunk: (timeout) => {
    const fake = new FakeHec(false);
    const token = setSecret('CONTRACT_HEC', fake.token);
    return httpRig(fake.handler, () => fake.stored(), { type: 'splunk', token, timeout });
  },
  'splunk with acknowledgement': (timeout) => {
    const fake = new FakeHec(true);
    const token = setSecret('CONTRACT_HEC', fake.token);
    return httpRig(fake.handler, () => fake.stored(), { type: 'splunk', token, ack: 'on', timeout });
  },
  otlp: (timeout) => {
    const fake = new FakeOtlp();
    return httpRig(fake.handler, () => fake.stored(), { type: 'otlp', timeout });
  },
  webhook: (timeout) => {
    const bodies: EcsDocument[] = [];
    const handler: Handler = ({ method, body }) => {
      if (method === 'POST') bodies.push(...(JSON.parse(body) as EcsDocument[]));
      return { status: 200 };
    };
    const ids = () => [...new Set(bodies.map(idOf))];
    return httpRig(handler, ids, { type: 'webhook', format: 'json-array', timeout });
  },
  'syslog, half-close': (timeout) => syslogRig('half-close', timeout),
  'syslog, RELP': (timeout) => syslogRig('relp', timeout),
  notification: async (timeout) => {
    const root = mkdtempSync(path.join(tmpdir(), 'launchwarden-contract-'));
    const desktop = standInDesktop(root);
    const options = {
      type: 'notification',
      least: 'low',
      most: 100,
      timeout: timeout === '400ms' ? '3s' : timeout,
    };
    const destination = await open(options, root);
    const idIn = (text: string) => /alerts show (\S+)\)$/.exec(text)?.[1] ?? '';
    return {
      destination,
      lanes: ['alert'],
      idLength: 12,
      stored: () => [
        ...new Set(
          desktop
            .shown()
            .map(({ text }) => idIn(text))
            .filter((id) => id !== ''),
        ),
      ],
      break: desktop.break,
      close: async () => {
        await destination.close();
        rmSync(root, { recursive: true, force: true });
      },
    };
  },
  module: async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'launchwarden-contract-'));
    const file = path.join(folder, 'mine.mjs');
    writeFileSync(
      file,
      `export const stored = [];
       export default ({ settings }) => ({
         limits: { maxItems: settings.items },
         async send(items) { stored.push(...items.map(({ body }) => JSON.parse(body).event.id)); return items.map(() => ({ kind: 'delivered' })); },
       });`,
      { mode: 0o600 },
    );
    const destination = await open({ type: 'module', path: file, settings: { items: 7 } });
    const { stored } = (await import(file)) as { stored: string[] };
    return {
      destination,
      stored: () => [...new Set(stored)],
      close: async () => {
        await destination.close();
        rmSync(folder, { recursive: true });
      },
    };
  },
};
