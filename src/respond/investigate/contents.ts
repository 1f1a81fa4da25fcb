import { plistToJson, readPlist } from '../../base/plist/index.js';
import { findingMeaning, findingWeight } from '../../event/findings.js';
import type { AnswerMark, AnswerPoint } from '../../event/investigation.js';
import { mechanisms } from '../../mechanisms/index.js';
import { defineStep, fact, gravest, listed, point } from './answer.js';
import type { Case } from './case.js';
import { readPlain, sha256Of } from './files.js';
import { launchdKeys } from './launchd-keys.js';
import { textIn, textsIn, valueIn } from './read.js';

interface Facts {
  /** The list as the alert keeps it, or as it stands there now. */
  readonly list: Readonly<Record<string, unknown>> | undefined;
  readonly from: 'alert' | 'file';
  readonly why: string | undefined;
  readonly format: string | undefined;
  readonly findings: readonly string[];
  readonly runs: readonly string[];
  readonly when: readonly string[];
  /** SHA-256 of the file as the alert saw it and as it is now. */
  readonly before: string | undefined;
  readonly now: string | undefined;
}

/** Findings that say of a key what its own sentence says too. */
const keyOfFinding: Readonly<Record<string, string>> = {
  'apple-label': 'Label',
  'dyld-environment': 'EnvironmentVariables',
  'interpreter-one-liner': 'ProgramArguments',
  'network-download': 'ProgramArguments',
  'remote-script': 'ProgramArguments',
  'remote-shell': 'ProgramArguments',
  'pattern-program': 'ProgramArguments',
  'environment-runs-code': 'EnvironmentVariables',
  'environment-adds-code': 'EnvironmentVariables',
  'encoded-command': 'ProgramArguments',
  'program-in-tmp': 'ProgramArguments',
  'hidden-program': 'ProgramArguments',
};
const maxList = 256 * 1024;

export const contents = defineStep<Facts>({
  name: 'contents',
  question: 'What does it say that it does, and is anything about that suspicious?',
  read(from) {
    const { doc } = from.alert;
    const kept = parsed(keptList(doc));
    const now = kept === undefined ? listNow(from) : undefined;
    const { file } = from.about;
    const hash = file === undefined ? undefined : sha256Of(from.root, file);
    return {
      list: kept ?? now?.list,
      from: kept === undefined ? 'file' : 'alert',
      why: kept === undefined ? now?.why : undefined,
      format: textIn(doc, 'launchwarden.plist.format'),
      findings: textsIn(doc, 'launchwarden.findings'),
      runs: from.about.runs,
      when: textsIn(doc, 'launchwarden.persistence.when'),
      before: textIn(doc, 'file.hash.sha256'),
      now: hash !== undefined && 'value' in hash ? hash.value : undefined,
    };
  },
  says({ list, from, why, format, findings, runs, when, before, now }, { about }) {
    const keys = list === undefined ? [] : Object.entries(list);
    const isLaunchItem = about.mechanism?.startsWith('launch-') === true || list?.['Label'] !== undefined;
    const odd = findings
      .filter((word) => findingWeight(word) > 0)
      .map((word) =>
        point(
          findingWeight(word) >= 20 ? 'worrying' : 'notable',
          `${findingMeaning(word) ?? word} (${word})`,
        ),
      );
    const told = new Set(findings.map((word) => keyOfFinding[word]));
    const explained = isLaunchItem ? keys.map(([key, value]) => ({ key, ...keyPoint(key, value) })) : [];
    const mark = gravest(
      [...odd, ...explained].map((one) => one.mark),
      list === undefined && runs.length === 0 ? 'unknown' : 'neutral',
    );
    const changed = before !== undefined && now !== undefined && before !== now;
    return {
      mark,
      says: sentence({
        list,
        runs,
        odd:
          odd.length + explained.filter(({ mark: one, key }) => one !== 'neutral' && !told.has(key)).length,
      }),
      points: [
        ...odd,
        ...explained,
        changed
          ? point('notable', 'The file is another one by now: what is shown is what the alert saw.')
          : undefined,
        from === 'file' && list !== undefined
          ? point('neutral', 'Read from the file as it is now; the alert keeps no list.')
          : undefined,
      ],
      facts: [
        fact('executes', runs.length === 0 ? undefined : listed(runs, 10)),
        fact('starts at', when.length === 0 ? undefined : listed(when, 20)),
        ...keys.map(([key, value]) => fact(key, shown(value))),
        fact('format', format),
        fact('sha256', before),
        changed ? fact('sha256 now', now) : undefined,
      ],
      unknown: [list === undefined && why !== undefined ? `what the list says: ${why}` : undefined],
    };
  },
});

function sentence({
  list,
  runs,
  odd,
}: {
  readonly list: Facts['list'];
  readonly runs: readonly string[];
  readonly odd: number;
}): string {
  const what =
    runs.length === 0
      ? list === undefined
        ? 'What it does could not be read'
        : 'It names no program'
      : `It runs ${listed(runs, 3)}`;
  if (odd === 0) return `${what}; nothing about it is suspicious.`;
  return `${what}; ${odd === 1 ? 'one thing' : `${odd} things`} about it ${odd === 1 ? 'is' : 'are'} suspicious.`;
}

/** What a key means; nothing of a key that is not launchd's. */
function keyPoint(key: string, value: unknown): AnswerPoint {
  const known = Object.hasOwn(launchdKeys, key) ? launchdKeys[key] : undefined;
  if (known === undefined) return point('neutral', `${key}: no key that launchd.plist(5) describes.`);
  const mark: AnswerMark = known.suspicious?.(value) ?? 'neutral';
  const because = mark === 'neutral' || known.because === undefined ? '' : ` Suspicious: ${known.because}.`;
  return point(mark, `${key}: ${known.says}${because}`);
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

/** The whole list as the alert keeps it: longer than other texts. */
function keptList(doc: unknown): string | undefined {
  const json = valueIn(doc, 'launchwarden.plist.json');
  return typeof json === 'string' ? json : undefined;
}

function parsed(json: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (json === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    // It was cut: what was read of it stands in the other fields.
    return undefined;
  }
}

function listNow({ about, root }: Case): {
  readonly list?: Readonly<Record<string, unknown>>;
  readonly why?: string;
} {
  if (about.path === undefined) return { why: 'the alert is about no file' };
  const mechanism = mechanisms.find(({ id }) => id === about.mechanism);
  if (mechanism?.confidential === true) return { why: 'such files hold secrets: only what it runs is kept' };
  if (!about.isBundle && !/\.plist$/i.test(about.path) && about.mechanism?.startsWith('launch-') !== true)
    return { why: 'it is no property list; what it runs is shown' };
  const file = about.isBundle ? `${about.path}/Contents/Info.plist` : about.path;
  const bytes = readPlain(root, file, maxList);
  if ('why' in bytes) return { why: bytes.why };
  const read = readPlist(bytes.value);
  if (!read.ok) return { why: `it is no property list that can be read: ${read.detail}` };
  const list = parsed(plistToJson(read.value));
  return list === undefined ? { why: 'the property list is no dictionary' } : { list };
}
