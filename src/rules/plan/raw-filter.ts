import type { Expr, StepCondition } from '../ast.js';
import { childrenOf } from './fields-of.js';
import { bestFirst, type Requirement } from './filing.js';
import { leastNeedle } from './grams.js';

/** More texts than this are slower to look for than the lines are to parse. */
const maxNeedles = 12;

// The only characters beyond ASCII that simple case folding takes to an ASCII letter, as UTF-8 bytes: the Kelvin sign to
// "k", the long s to "s" (Unicode CaseFolding.txt, status C).
const foldsToAscii = ['\u00e2\u0084\u00aa', '\u00c5\u00bf'];

/**
 * Tells lines of JSON that no condition can hold for without parsing them. Each condition requires one of some texts in
 * some string; a line that has none of all these texts cannot meet any condition. JSON may spell a character in another
 * way (`\/`, `\u002f`), so a line with a backslash is never left out; nor is one with a character that folds to an ASCII
 * letter.
 */
export class RawFilter {
  readonly #needles: readonly string[];

  private constructor(needles: readonly string[]) {
    this.#needles = needles;
  }

  /** Undefined when a condition requires no text that can be looked for. */
  static of(conditions: readonly StepCondition[]): RawFilter | undefined {
    const needles = new Set<string>();
    for (const { condition } of conditions) {
      const required = readsMoreThanTheEvent(condition) ? undefined : needlesOf(condition);
      if (required === undefined) return undefined;
      for (const text of required) needles.add(text);
    }
    // What contains a longer one contains the shorter one too.
    const least = [...needles].filter(
      (text) => ![...needles].some((other) => other !== text && text.includes(other)),
    );
    return least.length === 0 || least.length > maxNeedles ? undefined : new RawFilter(least);
  }

  /**
   * Places of the chunk, ascending, at least one in every line that may matter. `chunk`: UTF-8 bytes, of which the first
   * `length` count.
   */
  places(chunk: Buffer, length: number): number[] {
    const text = chunk.toString('latin1', 0, length);
    const folded = text.toLowerCase();
    const places: number[] = [];
    // Folding a byte above 0x7f may change it, which the texts that are looked for do not hold.
    for (const needle of this.#needles) collect(folded, needle, places);
    collect(text, '\\', places);
    for (const bytes of foldsToAscii) collect(text, bytes, places);
    return places.sort((a, b) => a - b);
  }
}

/** The first place in each line that has the text. */
function collect(text: string, needle: string, places: number[]): void {
  for (let at = text.indexOf(needle); at !== -1; ) {
    places.push(at);
    const end = text.indexOf('\n', at);
    if (end === -1) return;
    at = text.indexOf(needle, end);
  }
}

/** Texts of which one must occur for the condition to hold. */
function needlesOf(condition: Expr): readonly string[] | undefined {
  const found = bestFirst(condition);
  if (found.some(isOfLaunchctl)) return launchctlNeedles;
  const required = found.find(isUsable)?.texts;
  if (required !== undefined || (condition.kind !== 'and' && condition.kind !== 'or')) return required;
  const parts = condition.operands.map(needlesOf);
  if (condition.kind === 'and') return parts.find((part) => part !== undefined);
  return parts.every((part) => part !== undefined) ? parts.flat() : undefined;
}

/**
 * `launchwarden.launchctl` is derived from the process when a line has been read (`event/launchctl.ts`): it holds its name, or
 * one of the arguments by which a copy under another name is known.
 */
const launchctlNeedles: readonly string[] = [
  ...['launchctl', '"load"', '"bootstrap"', '"kickstart"', '"enable"', '"submit"'],
];

function isOfLaunchctl({ parts }: Requirement): boolean {
  return parts[0] === 'launchwarden' && parts[1] === 'launchctl';
}

/** ASCII only, without what JSON escapes, and not like a number, which JSON may spell in several ways. */
function isUsable({ texts }: Requirement): boolean {
  return texts.every(
    (text) => text.length >= leastNeedle && /^[ !#-[\]-~]+$/.test(text) && /[^0-9.e+-]/.test(text),
  );
}

/** `descendant of` needs every process that was seen. */
function readsMoreThanTheEvent(expr: Expr): boolean {
  if (expr.kind === 'descendant-of') return true;
  return childrenOf(expr).some(readsMoreThanTheEvent);
}
