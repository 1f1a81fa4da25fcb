import { parse, TomlError } from 'smol-toml';
import { clip } from '../../base/escape.js';
import { nearest } from '../../base/nearest.js';
import { parseDuration } from '../../base/time.js';
import { TomlPositions } from '../../base/toml-positions.js';
import { type RuleMeta, severities, severityScore, type Threat } from '../../event/rule-meta.js';
import { fieldNameProblem } from '../budget.js';
import { compileQuery } from '../compile.js';
import { diagnosticOf, type Problem, type Source } from '../diagnostic.js';
import { isPair } from '../pair.js';
import type { Diagnostic, Rule } from '../rule.js';
import { canFilter, readMeaning } from './meaning.js';
import { readOwnTable } from './own-table.js';
import { ruleKeys } from './rule-keys.js';
import { TableReader, type TomlTable } from './table-reader.js';
import { readThreats } from './threat.js';

// Of each severity; nobody reads more.
const maxProblems = 100;

/** The longest of Elastic's published rule files for macOS has about 30 KB. */
export const maxRuleFileBytes = 524_288;

export type RuleFileResult = { readonly rule: Rule } | { readonly diagnostics: readonly Diagnostic[] };

const types = ['eql', 'query', 'threshold', 'new_terms'] as const;
const languages = ['eql', 'kuery'] as const;
const unknownHere = 'this version does not know it';
const elsewhere: Record<string, string> = {
  esql: 'ES|QL runs in Elasticsearch only',
  machine_learning: "it needs Elasticsearch's anomaly detection",
  threat_match: 'it joins with indicator indices in Elasticsearch',
  saved_query: 'its query is kept in Kibana',
};

/**
 * Whether what was found says no more than that a sound rule does not run on an endpoint: its type, its language, the
 * system it is for. Everything else is a mistake in the file.
 */
export function runsElsewhere(found: readonly Diagnostic[]): boolean {
  const errors = found.filter(({ severity }) => severity === 'error');
  return (
    errors.length > 0 &&
    errors.every(({ code }) => code.startsWith('rule/unsupported-') || code === 'rule/other-system')
  );
}

/**
 * Reads one rule file in the layout of elastic/detection-rules or of elastic/protections-artifacts (on-host rules:
 * `id`, `reference`, `os_list`, threats beside `[rule]`). Diagnostics of the query show their place in the file. `file`
 * is how the file is named in diagnostics and alerts. Never throws.
 */
export function readRuleFile(text: string, file: string): RuleFileResult {
  const source: Source = { file, text, offsetOf: (offset) => offset };
  const problems: Problem[] = [];
  if (Buffer.byteLength(text) > maxRuleFileBytes) {
    return failed(source, [
      problemAt(0, 'rule/too-large', `the file has more than ${maxRuleFileBytes} bytes`),
    ]);
  }
  const document = parseToml(text);
  if ('code' in document) return failed(source, [document]);
  const positions = new TomlPositions(text);
  const root = new TableReader(document.table, { path: [], positions, problems });
  const rule = root.table('rule');
  if (rule === undefined) {
    if (problems.length > 0) return failed(source, problems);
    const hint = 'A rule file holds a table [rule].';
    return failed(source, [{ ...problemAt(0, 'rule/missing', 'the table [rule] is missing'), hint }]);
  }
  const unsupported = unsupportedHere(rule, problems);
  if (unsupported) return failed(source, problems);
  return new RuleReader(root, rule, { source, positions, problems }).read();
}

function problemAt(start: number, code: string, message: string): Problem {
  return { code, message, span: { start, end: start } };
}

function failed(source: Source, problems: readonly Problem[]): RuleFileResult {
  return { diagnostics: problems.slice(0, maxProblems).map((problem) => diagnosticOf(source, problem)) };
}

function parseToml(text: string): { table: TomlTable } | Problem {
  try {
    return { table: parse(text, { maxDepth: 64 }) };
  } catch (error) {
    if (!(error instanceof TomlError)) {
      return problemAt(0, 'rule/toml', 'the file cannot be read as TOML');
    }
    const lines = text.split('\n').slice(0, error.line - 1);
    const start = lines.reduce((sum, line) => sum + line.length + 1, 0) + error.column - 1;
    const message = (error.message.split('\n')[0] ?? '').replace('Invalid TOML document: ', '');
    return problemAt(Math.max(0, start), 'rule/toml', message);
  }
}

/** Reports a type, language or system that does not run here; the rest of such a file is not looked at. */
function unsupportedHere(rule: TableReader, problems: Problem[]): boolean {
  const before = problems.length;
  const type = rule.raw('type');
  const language = rule.raw('language');
  const refuse = (key: string, what: string, why: string) =>
    rule.problem(key, {
      code: `rule/unsupported-${key === 'language' ? 'language' : 'type'}`,
      message: `${what} is not supported on an endpoint: ${why}`,
      hint: 'Rule types here are eql, query, threshold and new_terms, in EQL or KQL.',
    });
  const reason = typeof type === 'string' && Object.hasOwn(elsewhere, type) ? elsewhere[type] : undefined;
  if (reason !== undefined) refuse('type', `rule type ${type}`, reason);
  else if (isNewer(type, types)) refuse('type', `rule type ${clip(type, 60)}`, unknownHere);
  else if (language === 'esql') refuse('language', 'language esql', elsewhere['esql'] as string);
  else if (language === 'lucene') refuse('language', 'language lucene', 'it runs in Elasticsearch only');
  else if (isNewer(language, languages)) refuse('language', `language ${clip(language, 60)}`, unknownHere);
  const systems = rule.texts('os_list');
  if (systems.length > 0 && !systems.includes('macos')) {
    rule.problem('os_list', {
      code: 'rule/other-system',
      message: `the rule is for ${systems.join(', ')}, not for macOS`,
    });
  }
  if (!canFilter(rule.raw('filters'))) {
    rule.problem('filters', {
      code: 'rule/unsupported-filters',
      message:
        'rule.filters is not supported on an endpoint as it is written: it is Query DSL of Elasticsearch',
      hint: 'Put the condition into the query; phrases, terms, wildcards, ranges and existence are understood here.',
    });
  }
  return problems.length > before;
}

/** A word that is neither known nor a slip of one that is: newer than we are. */
function isNewer(word: unknown, known: readonly string[]): word is string {
  return (
    typeof word === 'string' &&
    /^[a-z][a-z0-9_-]*$/i.test(word) &&
    !known.includes(word) &&
    nearest(word, known) === undefined
  );
}

class RuleReader {
  readonly #root: TableReader;
  readonly #rule: TableReader;
  readonly #source: Source;
  readonly #positions: TomlPositions;
  readonly #problems: Problem[];

  constructor(
    root: TableReader,
    rule: TableReader,
    at: { source: Source; positions: TomlPositions; problems: Problem[] },
  ) {
    this.#root = root;
    this.#rule = rule;
    this.#source = at.source;
    this.#positions = at.positions;
    this.#problems = at.problems;
  }

  read(): RuleFileResult {
    const rule = this.#rule;
    rule.onlyKeys(ruleKeys, false);
    const onHost = !rule.has('type') && rule.has('id');
    const meta = this.#meta(onHost);
    const query = this.#query(meta);
    const meaning = readMeaning(rule);
    const parts = {
      ...(meta.type === 'threshold' ? { threshold: this.#threshold() } : {}),
      ...(meta.type === 'new_terms' ? { newTerms: this.#newTerms() } : {}),
    };
    const own = rule.table('launchwarden');
    const read = own === undefined ? undefined : readOwnTable(own);
    if (read?.deferred !== undefined && 'query' in query && !isPair(query.query))
      own?.problem('deferred_after', {
        code: 'rule/value',
        message: `${own.path}.deferred_after is for a sequence of two events with maxspan`,
      });
    const launchwarden = meaning.off ? { ...read, enabled: false } : read;
    const errors = this.#problems.filter(({ severity }) => severity !== 'warning').slice(0, maxProblems);
    const slips = this.#problems.filter(({ severity }) => severity === 'warning').slice(0, maxProblems);
    const found = [...errors, ...slips].map((problem) => diagnosticOf(this.#source, problem));
    const diagnostics = [...found, ...('warnings' in query ? query.warnings : query.diagnostics)];
    if ('diagnostics' in query || found.some(({ severity }) => severity === 'error')) {
      return { diagnostics: diagnostics.sort((a, b) => a.line - b.line || a.column - b.column) };
    }
    return {
      rule: {
        meta: meaning.buildingBlock === undefined ? meta : { ...meta, buildingBlock: meaning.buildingBlock },
        query: meaning.apply(query.query),
        ...parts,
        ...(meaning.off ? { off: true } : {}),
        ...(meaning.suppression === undefined ? {} : { suppression: meaning.suppression }),
        ...(launchwarden === undefined ? {} : { launchwarden }),
        ...(diagnostics.length === 0 ? {} : { warnings: diagnostics }),
      },
    };
  }

  #meta(onHost: boolean): RuleMeta {
    const rule = this.#rule;
    const type = onHost ? 'eql' : rule.oneOf('type', types, rule.has('type') ? 'eql' : this.#missingType());
    const severity = rule.oneOf('severity', severities, 'medium');
    if (!onHost && !rule.has('severity')) rule.required('severity');
    const language = type === 'eql' ? 'eql' : 'kuery';
    rule.oneOf('language', [language], language);
    const threat = readThreats(onHost ? this.#root : rule);
    return {
      id: this.#id(onHost ? 'id' : 'rule_id'),
      name: rule.required('name'),
      description: rule.text('description', '').trim(),
      type,
      language,
      severity,
      riskScore: rule.integer('risk_score', { min: 0, max: 100, otherwise: severityScore[severity] }),
      version: this.#version(),
      author: rule.texts('author'),
      license: rule.text('license', ''),
      tags: onHost ? onHostTags(rule.texts('os_list'), threat) : rule.texts('tags'),
      references: rule.texts(onHost ? 'reference' : 'references'),
      falsePositives: rule.texts('false_positives'),
      threat,
      note: rule.text('note', '').trim(),
      setup: rule.text('setup', '').trim(),
      interval: this.#interval(),
      from: rule.text('from', 'now-6m'),
      maxSignals: rule.integer('max_signals', { min: 1, max: 10_000, otherwise: 100 }),
      file: this.#source.file ?? '',
      query: rule.required('query').trimEnd(),
    };
  }

  #missingType(): 'eql' {
    this.#rule.required('type');
    return 'eql';
  }

  #id(key: string): string {
    const id = this.#rule.required(key);
    if (id === '' || /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$/.test(id)) return id;
    this.#rule.problem(key, {
      code: 'rule/value',
      message: `rule.${key} must be 1 to 100 letters, digits and _ . : -`,
    });
    return '';
  }

  /** A whole number; the `1.2.3` of on-host rules becomes 10203. 1 when there is none (Elastic adds it at release). */
  #version(): number {
    const value = this.#rule.raw('version');
    const parts = typeof value === 'string' ? /^(\d{1,4})\.(\d{1,2})\.(\d{1,2})$/.exec(value) : null;
    if (parts !== null) return Number(parts[1]) * 10_000 + Number(parts[2]) * 100 + Number(parts[3]);
    return this.#rule.integer('version', { min: 0, max: Number.MAX_SAFE_INTEGER, otherwise: 1 });
  }

  #interval(): string {
    const interval = this.#rule.text('interval', '5m');
    if (parseDuration(interval) !== undefined && interval !== '0m') return interval;
    this.#rule.problem('interval', {
      code: 'rule/value',
      message: 'rule.interval must be a duration like 5m',
    });
    return '5m';
  }

  #query(meta: RuleMeta): ReturnType<typeof compileQuery> {
    const written = this.#rule.raw('query');
    if (typeof written !== 'string' || meta.query === '') return { diagnostics: [] };
    const offsetOf = this.#positions.offsetsLater(['rule', 'query'], written);
    return compileQuery(meta.language, written, { ...this.#source, offsetOf });
  }

  #threshold(): { fields: readonly string[]; value: number } {
    const table = this.#rule.table('threshold');
    if (table === undefined) {
      this.#rule.required('threshold');
      return { fields: [], value: 1 };
    }
    const cardinality = table.raw('cardinality');
    if (Array.isArray(cardinality) && cardinality.length > 0) {
      table.problem('cardinality', {
        code: 'rule/unsupported-threshold',
        message: 'rule.threshold.cardinality is not supported here',
      });
    }
    if (!table.has('value')) table.required('value');
    const value = table.integer('value', { min: 1, max: 1_000_000, otherwise: 1 });
    return { fields: this.#fields(table, 'field'), value };
  }

  #fields(table: TableReader, key: string): readonly string[] {
    const fields = table.texts(key).filter((name) => name !== '');
    if (fields.length > 5) {
      table.problem(key, { code: 'rule/value', message: `${table.path}.${key} takes at most 5 fields` });
    }
    const problem = fields.map(fieldNameProblem).find((one) => one !== undefined);
    if (problem !== undefined) {
      table.problem(key, { code: 'rule/value', message: `${table.path}.${key}: ${problem}` });
      return [];
    }
    return fields;
  }

  #newTerms(): { fields: readonly string[]; historyWindow: number } {
    const table = this.#rule.table('new_terms');
    if (table === undefined) {
      this.#rule.required('new_terms');
      return { fields: [], historyWindow: 0 };
    }
    const fields = this.#fields(table, 'value');
    if (fields.length === 0) {
      table.problem('value', { code: 'rule/missing', message: 'rule.new_terms.value must name the fields' });
    }
    const start = table.tables('history_window_start').map((entry) => entry.text('value', ''))[0] ?? '';
    const historyWindow = parseDuration(/^now-(\d+[a-z]+)(?:\/[a-z])?$/.exec(start)?.[1] ?? '');
    if (historyWindow === undefined) {
      table.problem('history_window_start', {
        code: 'rule/value',
        message: 'rule.new_terms.history_window_start must have a value like now-7d',
      });
    }
    return { fields, historyWindow: historyWindow ?? 0 };
  }
}

function onHostTags(systems: readonly string[], threat: readonly Threat[]): readonly string[] {
  const names: Record<string, string> = { macos: 'macOS', linux: 'Linux', windows: 'Windows' };
  return [
    ...systems.map((system) => `OS: ${names[system] ?? system}`),
    ...threat.map(({ tactic }) => `Tactic: ${tactic.name}`),
  ];
}
