import { macPathAliases } from '../base/root.js';
import { foldText } from './plan/fold.js';
import { Automaton } from './regex/automaton.js';
import { Matcher } from './regex/matcher.js';
import { parseRegex, RegexFailure } from './regex/parse.js';

/**
 * Regular expressions as Elasticsearch has them (regexp-syntax.md): Lucene's, all optional operators on, always the whole
 * text, `^` and `$` are ordinary characters. Matching takes time linear in the text, whatever the expression.
 */

/** Why a text is no usable regular expression, or undefined. */
export function validateRegex(pattern: string): string | undefined {
  const measured = measureRegex(pattern);
  return typeof measured === 'string' ? measured : undefined;
}

/** The states that an expression takes, or why it is no usable one. */
export function measureRegex(pattern: string): number | string {
  try {
    return build(pattern, false).states;
  } catch (failure) {
    if (failure instanceof RegexFailure) return failure.message;
    throw failure;
  }
}

/**
 * The test of an expression; one that is none matches nothing (the check has refused it). Without regard to case also
 * inside classes, where Lucene's quirk keeps it. With `isPath` it matches a path in the spelling of events that it matches
 * in another one (`/tmp/x`, `/private/tmp/x`).
 */
export function compileRegex(
  pattern: string,
  insensitive: boolean,
  isPath = false,
): (text: string) => boolean {
  let matcher: Matcher;
  try {
    matcher = build(pattern, insensitive, isPath);
  } catch (failure) {
    if (failure instanceof RegexFailure) return () => false;
    throw failure;
  }
  return insensitive ? (text) => matcher.matches(foldText(text)) : (text) => matcher.matches(text);
}

/** Throws RegexFailure. */
function build(pattern: string, insensitive: boolean, isPath = false): Matcher {
  const automaton = new Automaton(parseRegex(pattern, insensitive));
  const fold = insensitive ? foldText : (text: string) => text;
  for (const { from, to } of isPath ? macPathAliases : []) automaton.alias(fold(from), fold(to));
  return new Matcher(automaton);
}
