import { escapeText } from '../../base/escape.js';
import type { EcsDocument } from '../../event/document.js';
import { priorityIn } from '../../event/priority.js';
import type { Severity } from '../../event/rule-meta.js';
import { clipMiddle } from '../slim.js';

const levels: readonly Severity[] = ['low', 'medium', 'high', 'critical'];
const maxName = 120;
const maxSubject = 160;

/** What a person is told of one alert. */
export interface Sentence {
  readonly level: Severity;
  readonly text: string;
}

/**
 * One sentence about an alert: what, which file or program, and where to read on. Names and paths are hostile text: escaped,
 * cut, and never the first character.
 */
export function sentenceOf(doc: EcsDocument, alertId: string): Sentence {
  const rule = doc['rule'] as { name?: unknown } | undefined;
  const { severity } = (doc.launchwarden?.['alert'] ?? {}) as { severity?: unknown };
  const known = levels.find((one) => one === severity) ?? 'low';
  const { level } = priorityIn(doc, known);
  const name = typeof rule?.name === 'string' ? clip(rule.name, maxName) : 'Something became permanent';
  const subject = doc.file?.path ?? doc.process?.executable;
  const about = typeof subject === 'string' ? `: ${clip(subject, maxSubject)}` : '';
  return {
    level,
    text: `Priority ${level}: ${name}${about} (launchwarden alerts show ${alertId.slice(0, 12)})`,
  };
}

export function isAtLeast(level: Severity, least: Severity): boolean {
  return levels.indexOf(level) >= levels.indexOf(least);
}

function clip(text: string, limit: number): string {
  // Half a character is none.
  return clipMiddle(escapeText(text.replaceAll(/\p{Surrogate}/gu, '\ufffd')), limit);
}
