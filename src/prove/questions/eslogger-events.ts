import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { explainExit, readEsloggerLine } from '../../sensors/eslogger/index.js';
import { newLabel } from '../launch-item.js';
import { launchPlist } from '../launch-job.js';
import { judged, notAsked, type Question } from '../question.js';
import type { ProveSystem } from '../system.js';

const eslogger = '/usr/bin/eslogger';
const wanted = ['exec', 'create', 'close', 'rename', 'unlink', 'clone', 'btm_launch_item_add'];
/** Seen when something happens to use it. */
const welcome = ['copyfile'];
const startMs = 1_500;
const limitMs = 15_000;
/** Behind a full buffer it may be later; what is behind by more than the rules' window would be useless. */
const mostDelayMs = 2_000;

export const esloggerEvents: Question = {
  name: 'eslogger-events',
  asks: 'Are the events of eslogger shaped as we read them, and how late do they come?',
  expected: `${wanted.join(', ')} are seen and understood, half of them within ${mostDelayMs} ms`,
  needs: ['root'],
  programs: [eslogger, '/usr/bin/true', '/bin/cp'],
  async ask(system) {
    const listed = await system.run(eslogger, ['--list-events']);
    const known = listed.stdout.split(/\s+/);
    const events = [...wanted, ...welcome].filter((name) => known.includes(name));
    if (events.length === 0) return notAsked(`${eslogger} --list-events ended with ${listed.status}`);
    const folder = system.folder();
    const label = newLabel();
    const reader = new Reader(system, [folder, label]);
    const child = system.start(eslogger, ['--format', 'json', ...events], {
      onData: (chunk) => reader.write(chunk),
    });
    await system.wait(startMs);
    if (child.ended()) {
      const { message, hint } = explainExit({ errorText: child.errorText(), code: null, signal: null });
      return notAsked(`${message}: ${hint}`);
    }
    await act(system, folder, label);
    const end = system.monotonic() + limitMs;
    while (events.some((name) => !reader.kinds.has(name)) && system.monotonic() < end) await system.wait(50);
    await child.stop();
    const missing = wanted.filter((name) => !reader.kinds.has(name));
    const delay = reader.medianDelay();
    return judged(
      missing.length === 0 && reader.malformed === 0 && delay <= mostDelayMs,
      [
        missing.length === 0 ? 'all were seen' : `not seen: ${missing.join(', ')}`,
        `${reader.malformed} not understood`,
        `median delay ${Math.round(delay)} ms`,
      ].join('; '),
      [...reader.kinds].map(([kind, count]) => `${kind}: ${count}`).concat(reader.samples),
    );
  },
};

/** What a copy of a bundle does, and a launch item that is switched off and starts nothing. */
async function act(system: ProveSystem, folder: string, label: string): Promise<void> {
  const bundle = path.join(folder, 'one.dsplug');
  mkdirSync(path.join(bundle, 'Contents'), { recursive: true });
  const file = path.join(bundle, 'Contents', 'Info.plist');
  writeFileSync(file, launchPlist({ CFBundleIdentifier: label }));
  await system.run('/usr/bin/true', [folder]);
  // -c clones, -R copies the whole bundle.
  await system.run('/bin/cp', ['-cR', bundle, path.join(folder, 'two.dsplug')]);
  await system.run('/bin/cp', ['-R', bundle, path.join(folder, 'three.dsplug')]);
  renameSync(file, `${file}.old`);
  rmSync(`${file}.old`);
  const item = system.host(`/Library/LaunchDaemons/${label}.plist`);
  system.willUndo({ kind: 'file', path: item });
  mkdirSync(path.dirname(item), { recursive: true });
  writeFileSync(
    item,
    launchPlist({ Label: label, ProgramArguments: ['/usr/bin/true', label], Disabled: true }),
    { mode: 0o644 },
  );
}

const maxLine = 8 * 1024 * 1024;
const maxSample = 1_500;

/** Counts what names one of our own things; the rest of the machine is nobody's business. */
class Reader {
  readonly kinds = new Map<string, number>();
  readonly samples: string[] = [];
  malformed = 0;
  readonly #system: ProveSystem;
  readonly #ours: readonly string[];
  readonly #delays: number[] = [];
  #rest = '';

  constructor(system: ProveSystem, ours: readonly string[]) {
    this.#system = system;
    // eslogger writes slashes with a backslash before them.
    this.#ours = ours.flatMap((one) => [one, one.replaceAll('/', '\\/')]);
  }

  write(chunk: Buffer): void {
    const lines = (this.#rest + chunk.toString('utf8')).split('\n');
    this.#rest = (lines.pop() ?? '').slice(0, maxLine);
    for (const line of lines) if (this.#ours.some((one) => line.includes(one))) this.#line(line);
  }

  medianDelay(): number {
    const sorted = this.#delays.sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? Number.POSITIVE_INFINITY;
  }

  #line(line: string): void {
    const read = readEsloggerLine(line);
    if (!read.ok && (read.reason === 'unchanged' || read.reason === 'denied')) return;
    const kind = read.ok ? read.message.kind : (read.name ?? read.reason);
    if (!read.ok && read.reason !== 'unknown-event') this.malformed++;
    if (!this.kinds.has(kind) || !read.ok) this.samples.push(line.slice(0, maxSample));
    this.kinds.set(kind, (this.kinds.get(kind) ?? 0) + 1);
    if (read.ok) this.#delays.push((this.#system.now() - read.message.time) / 1_000);
  }
}
