import path from 'node:path';
import { ExitCode, UserError } from '../../base/errors.js';
import { quote } from '../../base/escape.js';
import { didYouMean } from '../../base/nearest.js';
import { dataDirAnyway, type Settings } from '../../config/index.js';
import { type Examined, examine, type Mark, openDoctor, type Probe, probes } from '../../doctor/index.js';
import { thisSystem } from '../../install/index.js';
import type { CommandContext } from '../context.js';
import { defineCommand, flag, list } from '../define-command.js';
import { type Output, safe } from '../output/output.js';
import { pad, wrap } from '../output/width.js';

export const doctor = defineCommand({
  description:
    'Examines the installation, one question after the other: what was found, and what to do about it. Changes nothing,\n' +
    'connects to nothing. Works with the agent running, stopped or not installed; what cannot be learned is said with the\n' +
    'reason. Exit code 1 when something is wrong, 0 otherwise. docs/doctor.md explains each question.',
  options: {
    fix: flag('--fix', 'do the harmless cures: modes of own files, missing folders, the job file; says each'),
    network: flag('--network', 'also connect to every destination, as "forward test" does'),
    only: list('--only NAME', 'ask these alone', readProbe),
    json: flag('--json', 'one JSON document a question, and one for all (NDJSON)'),
  },
  examples: [
    { line: 'sudo launchwarden doctor', says: 'whether everything is as it should be' },
    { line: 'sudo launchwarden doctor --fix', says: 'and mends what can be mended without risk' },
    { line: 'sudo launchwarden doctor --only job,job-file,login-item', says: 'why the agent does not start' },
    { line: 'launchwarden doctor --root /tmp/mac', says: 'of a tree that stands for a Mac' },
  ],
  needs: 'root on a Mac, to see everything',
  async handler({ context, options: { fix, network, only, json } }) {
    const { out } = context;
    const system = await doctorSystem(context, network);
    const wanted = only.length > 0 ? probes.filter((probe) => only.includes(probe)) : probes;
    const counts: Record<Mark, number> = { ok: 0, warning: 0, failed: 0, unknown: 0, 'not-here': 0 };
    let section: string | undefined;
    for await (const one of examine({ probes: wanted, system, fix })) {
      counts[one.verdict.mark]++;
      if (json) {
        tellJson(out, one);
        continue;
      }
      if (one.probe.section !== section) {
        out.line(`${section === undefined ? '' : '\n'}${out.style('bold', one.probe.section)}`);
        section = one.probe.section;
      }
      show(out, one);
    }
    if (json)
      out.document('doctor-summary/1', {
        ok: counts.ok,
        warning: counts.warning,
        failed: counts.failed,
        unknown: counts.unknown,
        not_here: counts['not-here'],
        version: context.version,
        simulated: system.root.simulated,
      });
    else out.line(`\n${summary(counts)}`);
    return counts.failed > 0 ? ExitCode.checkFailed : ExitCode.ok;
  },
});

/** What is examined, whatever state the configuration is in. */
export async function doctorSystem(context: CommandContext, network: boolean) {
  const { io, flags, version, clock } = context;
  let settings: Settings | UserError;
  try {
    settings = await context.settings();
  } catch (error) {
    // A root that is none leaves nothing to examine.
    if (!(error instanceof UserError) || error.code === 'config/bad-root') throw error;
    settings = error;
  }
  const absolute = (file: string | undefined) =>
    file === undefined ? undefined : path.resolve(io.cwd, file);
  return openDoctor({
    platform: io.platform,
    root: absolute(flags.root),
    dataDir:
      settings instanceof UserError
        ? dataDirAnyway({ flags, cwd: io.cwd, platform: io.platform })
        : settings.dataDir,
    settings,
    version,
    clock,
    program: io.program,
    install: io.system ?? thisSystem(),
    network,
  });
}

function readProbe(name: string): Probe {
  const found = probes.find((probe) => probe.name === name);
  if (found !== undefined) return found;
  const known = probes.map((probe) => probe.name);
  throw new UserError('doctor/unknown-question', `there is no question ${quote(name)}`, {
    hint: didYouMean(name, known) ?? `There are: ${known.join(', ')}.`,
  });
}

function tellJson(out: Output, { probe, verdict, tookMs, fixed }: Examined): void {
  const { mark, found, cure, details } = verdict;
  out.document('doctor/1', {
    name: probe.name,
    section: probe.section,
    question: probe.asks,
    mark: mark === 'not-here' ? 'not_here' : mark,
    found,
    cure: cure ?? null,
    details: details ?? [],
    fixed: fixed.map(({ does, error }) => ({ does, error: error ?? null })),
    took_ms: tookMs,
  });
}

const looks = {
  ok: ['✓', 'green'],
  warning: ['!', 'yellow'],
  failed: ['✗', 'red'],
  unknown: ['?', 'yellow'],
  'not-here': ['-', 'dim'],
} as const;
const nameWidth = 16;
const indent = nameWidth + 6;
const leastRoom = 30;

function show(out: Output, { probe, verdict, fixed }: Examined): void {
  const { mark, found, cure, details = [] } = verdict;
  const [sign, look] = looks[mark];
  const lines = (text: string) =>
    out.width === undefined ? [text] : wrap(text, Math.max(leastRoom, out.width - indent), false);
  const [first = '', ...more] = lines(safe(found) ?? '');
  out.line(`  ${out.style(look, sign)} ${pad(probe.name, nameWidth)}  ${first}`);
  const below = (text: string) => {
    for (const line of lines(text)) out.line(`${' '.repeat(indent)}${line}`);
  };
  for (const line of more) out.line(`${' '.repeat(indent)}${line}`);
  if (mark === 'ok' || mark === 'not-here') {
    tellFixed(fixed, below, out);
    return;
  }
  for (const detail of details) below(`· ${safe(detail) ?? ''}`);
  tellFixed(fixed, below, out);
  if (cure !== undefined) below(`→ ${safe(cure) ?? ''}`);
}

function tellFixed(fixed: Examined['fixed'], below: (text: string) => void, out: Output): void {
  for (const { does, error } of fixed)
    below(
      error === undefined
        ? out.style('green', `done: ${safe(does)}`)
        : out.style('red', `could not ${safe(does)}: ${safe(error)}`),
    );
}

function summary(counts: Readonly<Record<Mark, number>>): string {
  const parts = [
    `${counts.ok} in order`,
    `${counts.warning} ${counts.warning === 1 ? 'warning' : 'warnings'}`,
    `${counts.failed} failed`,
    `${counts.unknown} could not be learned`,
    ...(counts['not-here'] === 0 ? [] : [`${counts['not-here']} do not apply here`]),
  ];
  return parts.join(', ');
}
