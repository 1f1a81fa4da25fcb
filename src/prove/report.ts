import { escapeText } from '../base/escape.js';
import type { Verdict } from './question.js';
import type { Asked } from './run.js';

/** What the answers are about. */
export interface ProveFacts {
  /** Of the program. */
  readonly version: string;
  /** `macOS 26.1 (25B78) arm64`, or what there is instead. */
  readonly system: string;
  readonly node: string;
  readonly simulated: boolean;
}

export type Counts = Readonly<Record<Verdict, number>>;

export const verdictWords: Readonly<Record<Verdict, string>> = {
  'as-expected': 'as expected',
  different: 'different',
  'not-asked': 'could not be asked',
};

export function countsOf(asked: readonly Pick<Asked, 'answer'>[]): Counts {
  const counts = { 'as-expected': 0, different: 0, 'not-asked': 0 };
  for (const { answer } of asked) counts[answer.verdict]++;
  return counts;
}

/** `3 as expected, 1 different, 2 could not be asked`; says so when nothing was proven by it. */
export function summary(counts: Counts, simulated: boolean): string {
  const parts = (Object.keys(verdictWords) as Verdict[]).map((one) => `${counts[one]} ${verdictWords[one]}`);
  const answered = counts['as-expected'] + counts.different;
  const nothing =
    answered === 0 ? ': nothing was proven' : simulated ? ': stand-ins answered, nothing was proven' : '';
  return parts.join(', ') + nothing;
}

/** Markdown to attach to an issue. Whatever a program printed stands indented, so that it cannot be taken for ours. */
export function reportText(
  facts: ProveFacts,
  asked: readonly Asked[],
  redact: (text: string) => string,
): string {
  const lines = [
    '# launchwarden prove',
    '',
    `- launchwarden ${facts.version}`,
    `- ${line(redact(facts.system))}`,
    `- Node.js ${facts.node}`,
    ...(facts.simulated ? ['- stand-ins answered (`--root`): nothing is proven by it'] : []),
    `- ${summary(countsOf(asked), facts.simulated)}`,
  ];
  for (const { question, answer, tookMs, left } of asked) {
    lines.push('', `## ${question.name}: ${verdictWords[answer.verdict]}`, '', question.asks, '');
    lines.push(`- expected: ${question.expected}`);
    if (answer.verdict === 'not-asked') lines.push('- not asked because:', '', block(redact(answer.reason)));
    else {
      lines.push(`- took ${tookMs} ms`, '- found:', '', block(redact(answer.found)));
      const { details = [] } = answer;
      if (details.length > 0) lines.push('', ...details.map((detail) => block(redact(detail))));
    }
    if (left.length > 0)
      lines.push('', '- could not be undone:', '', ...left.map((one) => block(redact(one))));
  }
  return `${lines.join('\n')}\n`;
}

function line(text: string): string {
  return escapeText(text).replace(/[`*_<>[\]|#\\]/g, '\\$&');
}

/** A line of an indented code block. */
function block(text: string): string {
  return `        ${escapeText(text)}`;
}

/** Takes names of people and of the machine out of a text. `names`: those that are known here. */
export function redactor(names: readonly string[], hosts: readonly string[]): (text: string) => string {
  const whole = (words: readonly string[]) => {
    const known = [...new Set(words)].filter((word) => word.length > 1).sort((a, b) => b.length - a.length);
    return known.length === 0
      ? undefined
      : new RegExp(`(?<![\\p{L}\\p{N}])(?:${known.map(literal).join('|')})(?![\\p{L}\\p{N}])`, 'giu');
  };
  const people = whole(
    names.filter((name) => !systemAccounts.has(name.toLowerCase()) && !name.startsWith('_')),
  );
  const machines = whole(hosts);
  return (text) => {
    let result = text.replace(/(\/(?:Users|home)\/)(?!Shared\b)[^/\s'",:)\]}]+/gi, '$1<user>');
    if (people !== undefined) result = result.replace(people, '<user>');
    return machines === undefined ? result : result.replace(machines, '<host>');
  };
}

/** Accounts that every Mac has. */
const systemAccounts = new Set(['root', 'daemon', 'nobody', 'shared', 'guest', 'users']);

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
