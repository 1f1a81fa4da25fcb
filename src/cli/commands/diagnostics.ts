import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { things } from '../../base/count.js';
import { ExitCode, messageOf, reasonOf } from '../../base/errors.js';
import { formatMicros } from '../../base/time.js';
import { at } from '../../base/value-at.js';
import { type DoctorSystem, examine, probes } from '../../doctor/index.js';
import { placed, places } from '../../install/index.js';
import type { TarFile } from '../../respond/collect/index.js';
import type { CommandContext } from '../context.js';
import { defineCommand, flag, value } from '../define-command.js';
import { Cleaner, logLines } from '../diagnostics-text.js';
import { hosts, people } from '../known-names.js';
import { safe } from '../output/output.js';
import { filePath } from '../values.js';
import { writeArchive } from '../write-archive.js';
import { doctorSystem } from './doctor.js';

const maxLog = 512 * 1024;
const maxGaps = 500;

export const diagnostics = defineCommand({
  description:
    'Writes one archive (.tar.gz, mode 0600) for whoever helps you: versions, settings without secrets, what doctor and status\n' +
    'say, gaps, counts, the newest lines of the log. No alert and no evidence is in it, and names of people, of this Mac and of\n' +
    'receivers are taken out; look through it all the same before you hand it on. Works with or without a running agent.',
  options: {
    output: value(
      '--output FILE',
      'instead of launchwarden-diagnostics-TIME.tar.gz here; must not exist',
      filePath('--output'),
    ),
    json: flag('--json', 'one JSON document about the archive'),
  },
  examples: [
    { line: 'sudo launchwarden diagnostics', says: 'into the current folder' },
    {
      line: 'sudo launchwarden diagnostics --output /tmp/case/diagnostics.tar.gz',
      says: 'into a file of your choice',
    },
  ],
  needs: 'root on a Mac, to see everything',
  async handler({ context, options }) {
    const { io, out, clock } = context;
    const now = clock.now();
    const stamp = formatMicros(now).slice(0, 19).replace(/[-:]/g, '');
    const output = path.resolve(io.cwd, options.output ?? `launchwarden-diagnostics-${stamp}Z.tar.gz`);
    const { files, leftOut } = await gather(context);
    const signal = context.io.interruption();
    const written = await writeArchive(() => files, output, {
      seconds: now / 1e6,
      stage: 'diagnostics',
      signal,
    });
    const names = files.map(({ name }) => name);
    if (options.json) out.document('diagnostics/1', { output, ...written, files: names, left_out: leftOut });
    else {
      out.line(`${safe(output)}: ${(written.bytes / 1024).toFixed(0)} KiB, sha256 ${written.sha256}`);
      for (const { what, why } of leftOut) out.line(`  not in it: ${what}: ${safe(why)}`);
    }
    return ExitCode.ok;
  },
});

interface LeftOut {
  readonly what: string;
  readonly why: string;
}

async function gather(context: CommandContext): Promise<{ files: TarFile[]; leftOut: LeftOut[] }> {
  const { io, version } = context;
  const system = await doctorSystem(context, false);
  const cleaner = new Cleaner({
    people: people(io, system.root),
    hosts: hosts(),
    receivers: receiversOf(system),
  });
  const files: TarFile[] = [];
  const leftOut: LeftOut[] = [];
  const put = (name: string, content: unknown) => {
    const text = typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`;
    files.push({ name: `launchwarden-diagnostics/${name}`, content: Buffer.from(text) });
  };
  const attempt = async (name: string, make: () => unknown) => {
    try {
      const made = await make();
      put(name, cleaner.value(made));
    } catch (error) {
      leftOut.push({ what: name, why: cleaner.text(messageOf(error).split('\n')[0] ?? '') });
    }
  };
  put('versions.json', {
    launchwarden: version,
    node: process.version,
    platform: process.platform,
    release: os.release(),
    arch: process.arch,
    memory_bytes: os.totalmem(),
    processors: os.cpus().length,
    time: formatMicros(context.clock.now()),
    time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    simulated: system.root.simulated,
  });
  await attempt('settings.json', () => settingsFields(system, cleaner));
  await attempt('doctor.json', () => doctorFields(system));
  await attempt('status.json', async () => {
    const agent = await system.agent();
    if (agent.state === 'none') throw new Error('no agent runs');
    if (agent.state === 'silent') throw new Error(agent.reason);
    // What it is about stands in no archive of this kind.
    const { last_alert: last, ...status } = agent.status as Record<string, unknown>;
    return { ...status, last_alert: at(last, 'at') ?? null };
  });
  await attempt('counts.json', () =>
    system.withStore((store) => ({
      events: store.events.extent(),
      event_bytes: store.events.bytes(),
      alerts: store.alerts.waiting(),
      condition: store.condition(),
    })),
  );
  await attempt('gaps.json', () => system.withStore((store) => store.gaps.list({ limit: maxGaps })));
  logs(system, cleaner, { put, leftOut });
  put('left-out.json', leftOut);
  return { files, leftOut };
}

/** By its last name a setting is known as a secret: `destination[0].password`. */
function settingsFields({ settings }: DoctorSystem, cleaner: Cleaner): unknown {
  if ('problem' in settings) throw settings.problem;
  const { read } = settings;
  return {
    config_file: read.configFile ?? null,
    root: read.root ?? null,
    settings: read.origins.map(({ key, value, origin }) => ({
      setting: key,
      origin,
      value: cleaner.value(value ?? null, key.split('.').at(-1)),
    })),
  };
}

async function doctorFields(system: DoctorSystem): Promise<unknown> {
  const all = [];
  for await (const { probe, verdict, tookMs } of examine({ probes, system, fix: false }))
    all.push({ name: probe.name, section: probe.section, ...verdict, took_ms: tookMs });
  return all;
}

function logs(
  { root, settings }: DoctorSystem,
  cleaner: Cleaner,
  { put, leftOut }: { put: (name: string, content: string) => void; leftOut: LeftOut[] },
): void {
  const tree = root.simulated ? root.root : undefined;
  const configured = 'read' in settings ? settings.read.log.file : undefined;
  const agentLog = tailOf(configured ?? placed(places.log, tree));
  if (typeof agentLog === 'string') {
    const { lines, left } = logLines(agentLog, cleaner);
    put('agent.log', lines);
    if (left > 0)
      leftOut.push({
        what: 'agent.log',
        why: things(left, 'line that is no JSON', 'lines that are no JSON'),
      });
  } else leftOut.push({ what: 'agent.log', why: cleaner.text(agentLog.why) });
  const crash = tailOf(placed(places.crashLog, tree));
  if (typeof crash === 'string') put('crash.log', cleaner.text(crash));
  else leftOut.push({ what: 'crash.log', why: cleaner.text(crash.why) });
}

/** The last part of a file, from the beginning of a line on. */
function tailOf(file: string): string | { readonly why: string } {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) return { why: 'it is not a regular file' };
    const length = Math.min(stat.size, maxLog);
    const bytes = Buffer.alloc(length);
    const read = readSync(descriptor, bytes, 0, length, stat.size - length);
    const text = bytes.toString('utf8', 0, read);
    return stat.size > length ? text.slice(text.indexOf('\n') + 1) : text;
  } catch (error) {
    return { why: `${file}: ${reasonOf(error)}` };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Host names that the settings name. */
function receiversOf({ settings }: DoctorSystem): string[] {
  if ('problem' in settings) return [];
  const { destinations, policy } = settings.read;
  const fleet = policy === undefined ? [] : [{ url: policy.url, proxy: policy.network.proxy }];
  const texts = [...destinations, ...fleet].flatMap((one) =>
    Object.entries(one).flatMap(([key, value]) =>
      ['url', 'address', 'brokers', 'proxy'].includes(key) ? [value].flat() : [],
    ),
  );
  return texts.flatMap((text) => {
    if (typeof text !== 'string') return [];
    if (!text.includes('://')) return [text.replace(/:\d+$/, '')];
    return URL.canParse(text) ? [new URL(text).hostname] : [];
  });
}
