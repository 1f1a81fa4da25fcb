import { isIP } from 'node:net';
import { allFields, type FieldInfo, type FieldType, lookupField, nearestField } from '../../event/fields.js';
import type { Span } from '../ast.js';
import type { Problem } from '../diagnostic.js';
import { isPathField, pathProblem } from '../path-spellings.js';
import { parseDateLiteral } from '../plan/dates.js';
import { numberOf } from '../plan/values.js';
import { neverValue } from './known-values.js';

// Of each severity: a query can be written to hold as many slips as words, and nobody reads more.
const maxProblems = 100;

/** Collects what is wrong with a query; a field that nobody knows is said once. */
export class Report {
  readonly #errors: Problem[] = [];
  readonly #warnings: Problem[] = [];
  readonly #unknown = new Set<string>();

  /** In the order of the text. */
  problems(): readonly Problem[] {
    return [...this.#errors, ...this.#warnings].sort((a, b) => a.span.start - b.span.start);
  }

  error(span: Span, code: string, message: string, hint?: string): void {
    if (this.#errors.length < maxProblems) this.#errors.push({ code, message, span, hint });
  }

  warn(span: Span, code: string, message: string, hint?: string): void {
    if (this.#warnings.length < maxProblems)
      this.#warnings.push({ severity: 'warning', code, message, span, hint });
  }

  /** The registry's entry of a field; warns when there is none, since a slip silently matches nothing (or everything). */
  field(span: Span, name: string, wildcard: boolean): FieldInfo | undefined {
    if (wildcard) {
      const parts = name.split('*');
      if (!allFields().some((field) => fits(field.name, parts))) this.#warnUnknown(span, name);
      return undefined;
    }
    const info = lookupField(name);
    if (info === undefined) this.#warnUnknown(span, name);
    return info;
  }

  /** Warns of a path, compared with the field, that no event carries. */
  path(span: Span, field: string, compared: Parameters<typeof pathProblem>): void {
    const info = lookupField(field);
    if (info === undefined || !isPathField(field)) return;
    const problem = pathProblem(...compared);
    if (problem === undefined) return;
    const { message, hint } = problem;
    this.warn(span, 'path/never', `${field} never matches this: ${message}`, hint);
  }

  /** Warns of a value that the field never has, as far as its values are known. */
  value(span: Span, field: string, value: string): void {
    const problem = neverValue(field, value);
    if (problem === undefined) return;
    this.warn(span, 'value/never', `${field} is never "${value.slice(0, 60)}"`, problem);
  }

  #warnUnknown(span: Span, name: string): void {
    if (this.#unknown.has(name) || this.#unknown.size >= maxProblems) return;
    this.#unknown.add(name);
    const near = nearestField(name);
    const hint = near === undefined ? undefined : `Did you mean "${near}"?`;
    this.warn(span, 'field/unknown', `the field ${name.slice(0, 200)} is not known here`, hint);
  }
}

/** Whether a text begins with the first part, ends with the last, and holds the others between them in order. */
function fits(text: string, parts: readonly string[]): boolean {
  const last = parts.at(-1) ?? '';
  let at = 0;
  for (const [index, part] of parts.slice(0, -1).entries()) {
    const found = text.indexOf(part, at);
    if (found === -1 || (index === 0 && found !== 0)) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

/** Why a value, as text, can never equal one of a field of this type; undefined when it can. */
export function neverEqual(type: FieldType, value: string): string | undefined {
  if (type === 'long' && numberOf(value) === undefined) return 'holds numbers';
  if (type === 'boolean' && value !== 'true' && value !== 'false') return 'holds true or false';
  if (type === 'date' && parseDateLiteral(value) === undefined) return 'holds times';
  if (type === 'ip' && !isAddressOrBlock(value)) return 'holds IP addresses';
  return undefined;
}

/** `10.0.0.0/8`, `::1/128`, or an address without a length. */
export function isAddressOrBlock(text: string): boolean {
  const match = /^([0-9A-Fa-f.:]{2,45})(?:\/(\d{1,3}))?$/.exec(text);
  if (match === null) return false;
  const version = isIP(match[1] as string);
  return version !== 0 && Number(match[2] ?? 0) <= (version === 4 ? 32 : 128);
}
