import { parseTime } from '../../../src/base/time.js';
import type { EcsDocument } from '../../../src/event/document.js';
import type { Event } from '../../../src/event/event.js';
import type { RuleMeta } from '../../../src/event/rule-meta.js';
import { compileQuery, type Query, type Rule } from '../../../src/rules/index.js';

export const second = 1_000_000;
export const start = parseTime('2026-11-22T09:00:00.000Z')?.time as number;

/** An event `at` seconds after `start`. */
export function event(id: string, at: number, doc: object = {}): Event {
  return {
    id,
    time: start + Math.round(at * second),
    nanos: 0,
    sequence: Number.POSITIVE_INFINITY,
    doc: doc as EcsDocument,
  };
}

export function fileEvent(
  id: string,
  at: number,
  path: string,
  more: Partial<EcsDocument['file']> = {},
): Event {
  return event(id, at, {
    event: { category: ['file'], type: ['change'], action: 'modification' },
    host: { id: 'mac-1', os: { type: 'macos' } },
    file: { path, ...more },
  });
}

export function launchctl(id: string, at: number, args: readonly string[], folder?: string): Event {
  return event(id, at, {
    event: { category: ['process'], type: ['start'], action: 'exec' },
    host: { id: 'mac-1', os: { type: 'macos' } },
    process: {
      name: 'launchctl',
      args: ['launchctl', ...args],
      ...(folder === undefined ? {} : { working_directory: folder }),
    },
  });
}

export function query(language: 'eql' | 'kuery', text: string): Query {
  const compiled = compileQuery(language, text);
  if ('diagnostics' in compiled) throw new Error(JSON.stringify(compiled.diagnostics));
  return compiled.query;
}

export function rule(
  language: 'eql' | 'kuery',
  text: string,
  more: Partial<RuleMeta> & Partial<Rule> = {},
): Rule {
  const { threshold, newTerms, suppression, launchwarden, ...meta } = more;
  return {
    meta: {
      id: 'rule-1',
      name: 'A rule',
      description: '',
      type: language === 'eql' ? 'eql' : 'query',
      language,
      severity: 'low',
      riskScore: 21,
      version: 1,
      author: [],
      license: '',
      tags: [],
      references: [],
      falsePositives: [],
      threat: [],
      note: '',
      setup: '',
      interval: '5m',
      from: 'now-9m',
      maxSignals: 100,
      file: 'test.toml',
      query: text,
      ...meta,
    },
    query: query(language, text),
    ...(threshold === undefined ? {} : { threshold }),
    ...(newTerms === undefined ? {} : { newTerms }),
    ...(suppression === undefined ? {} : { suppression }),
    ...(launchwarden === undefined ? {} : { launchwarden }),
  };
}
