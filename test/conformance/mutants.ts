/** A deliberate fault: a textual replacement in one source file that must apply exactly once. */
export interface Mutant {
  readonly name: string;
  /** Below src/. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const sequence = 'detect/sequence.ts';
const keys = 'detect/join-keys.ts';
const like = 'rules/plan/like.ts';
const predicate = 'rules/plan/predicate.ts';
const evaluate = 'rules/plan/evaluate.ts';
const values = 'rules/plan/values.ts';
const kql = 'rules/plan/kql.ts';
const typed = 'rules/plan/typed.ts';
const dates = 'rules/plan/dates.ts';
const nested = 'event/nested.ts';

/** Faults that engines of these languages have had, or nearly had. The corpus must notice each of them. */
export const mutants: readonly Mutant[] = [
  {
    name: 'three-valued not',
    file: 'rules/plan/condition.ts',
    from: '        return negated(this.reduce(expr.operand));',
    to: `{
          const operand = this.reduce(expr.operand);
          if (operand.kind !== 'test' || operand.predicate.kind !== 'field') return negated(operand);
          const known = { kind: 'field' as const, parts: operand.predicate.parts, test: (raw: unknown) => raw !== undefined };
          return { kind: 'and', operands: [negated(operand), { kind: 'test', predicate: known, expr }] };
        }`,
  },
  {
    name: 'only the first value of an array, where the slow tests look',
    file: values,
    from: '  for (const item of value) if (anyValue(item, test, depth + 1)) return true;\n  return false;',
    to: '  return value.length > 0 && anyValue(value[0], test, depth + 1);',
  },
  {
    name: 'only the first value of an array, where the generated code looks',
    file: 'rules/plan/generate.ts',
    from: 'for(let i=0;i<o.length;i++)',
    to: 'for(let i=0;i<1;i++)',
  },
  {
    name: '* stops at /',
    file: like,
    from: 'value.startsWith(start) && value.endsWith(end);',
    to: "value.startsWith(start) && value.endsWith(end) && !value.slice(start.length, value.length - end.length).includes('/');",
  },
  {
    name: 'parts of a pattern may overlap',
    file: like,
    from: 'value.length >= least && value.startsWith(start)',
    to: 'value.startsWith(start)',
  },
  { name: '? is a UTF-16 unit', file: like, from: 'at += found > 0xffff ? 2 : 1;', to: 'at += 1;' },
  {
    name: 'a backslash escapes in patterns',
    file: like,
    from: "parts: text.split('*').map(",
    to: "parts: text.replaceAll(String.fromCharCode(92), '').split('*').map(",
  },
  {
    name: '== expands wildcards',
    file: predicate,
    from: "  const quick: Quick = { input: 'raw', equal: value, one: (text) => text === value };",
    to: "  const quick: Quick = { input: 'raw', one: patternTest(eqlPattern(value)) };",
  },
  {
    name: '== has no case',
    file: predicate,
    from: "  const quick: Quick = { input: 'raw', equal: value, one: (text) => text === value };",
    to: "  const quick: Quick = { input: 'folded', equal: foldText(value), one: (text) => text === foldText(value) };",
  },
  {
    name: 'in~ expands wildcards',
    file: predicate,
    from: "return quickTest({ input: 'folded', one: (text) => folded.has(text) });",
    to: "return quickTest({ input: 'folded', one: (text) => [...folded].some((one) => patternTest(eqlPattern(one))(text)) });",
  },
  {
    name: 'like~ and : have case',
    file: predicate,
    from: "  const insensitive = op !== 'like';\n  const texts",
    to: '  const insensitive = false;\n  const texts',
  },
  {
    name: 'full case folding',
    file: 'rules/plan/fold.ts',
    from: 'beyondAscii.test(text) ? foldPoints(text) : text.toLowerCase();',
    to: 'beyondAscii.test(text) ? text.toUpperCase().toLowerCase() : text.toLowerCase();',
  },
  {
    name: 'case folding of ASCII alone',
    file: 'rules/plan/fold.ts',
    from: 'beyondAscii.test(text) ? foldPoints(text) : text.toLowerCase();',
    to: 'text.replace(/[A-Z]/g, (one) => one.toLowerCase());',
  },
  {
    name: 'order of texts by UTF-16 units',
    file: values,
    from: 'return leftHigh !== (right >= 0xd800 && right <= 0xdfff) ? (leftHigh ? 1 : -1) : left - right;',
    to: 'return leftHigh ? left - right : left - right;',
  },
  {
    name: 'texts that spell numbers are ordered as numbers',
    file: values,
    from: "if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);",
    to: "if (typeof a === 'string' && typeof b === 'string' && numberOf(a) === undefined) return compareText(a, b);",
  },
  {
    name: 'a number never equals a text',
    file: values,
    from: '  if (String(a) === String(b)) return true;\n  const [left',
    to: '  if (1 < 2) return false;\n  const [left',
  },
  {
    name: 'JavaScript reads the numbers',
    file: values,
    from: 'if (!decimal.test(value)) return undefined;',
    to: 'if (Number.isNaN(Number(value))) return undefined;',
  },
  {
    name: 'an empty list is a value',
    file: values,
    from: '  if (value === null || depth > maxDepth) return false;\n  for',
    to: '  if (value === null || depth > maxDepth) return false;\n  if (Array.isArray(value)) return true;\n  for',
  },
  {
    name: 'an empty text is no value',
    file: values,
    from: "  if (typeof value !== 'object') return isValue(value);",
    to: "  if (typeof value !== 'object') return isValue(value) && value !== '';",
  },
  {
    name: 'whole numbers divide to fractions',
    file: 'rules/functions/arithmetic.ts',
    from: 'const whole = !float &&',
    to: 'const whole = false && !float &&',
  },
  {
    name: 'a float literal divides like a whole number',
    file: evaluate,
    from: "if (expr.kind === 'literal') return expr.float === true;",
    to: "if (expr.kind === 'literal') return false;",
  },
  {
    name: 'functions take null for empty',
    file: evaluate,
    from: 'return lacking || values.length === 0 ? undefined : found.evaluate(values, insensitive);',
    to: "return found.evaluate(values.map((one) => one ?? ''), insensitive);",
  },
  {
    name: 'between without a match is null',
    file: 'rules/functions/between.ts',
    from: "if (start < 0) return '';",
    to: 'if (start < 0) return undefined;',
  },
  {
    name: 'a regular expression needs only to match the beginning',
    file: 'rules/regex/matcher.ts',
    from: '      if (state === dead) return false;',
    to: '      if (state === dead) return false;\n      if (this.#ends[state]) return true;',
  },
  {
    name: '^ is an anchor',
    file: 'rules/regex/parse.ts',
    from: "if (this.#take('.')) return",
    to: "if (this.#take('^') || this.#take('$')) return { kind: 'empty-text' };\n    if (this.#take('.')) return",
  },
  {
    name: 'a dot does not match a line feed',
    file: 'rules/regex/parse.ts',
    from: "if (this.#take('.')) return { kind: 'set', set: anyChar };",
    to: "if (this.#take('.')) return { kind: 'set', set: complement([10, 10]) };",
  },
  {
    name: 'dotted keys are not read',
    file: nested,
    from: "const parts = key.split('.', maxParts + 1);",
    to: 'const parts = [key];',
  },
  {
    name: 'arrays of objects are not read',
    file: 'rules/plan/read.ts',
    from: 'for (const item of node) gather(item, { parts, from, depth: depth + 1 }, found);',
    to: 'if (from === parts.length) for (const item of node) gather(item, { parts, from, depth: depth + 1 }, found);',
  },
  {
    name: 'comments are stripped before strings are read',
    file: 'rules/eql/parser.ts',
    from: 'new Tokens(text)',
    to: 'new Tokens(text.replace(/\\/\\/.*|\\/\\*[^]*?\\*\\//g, " "))',
  },
  {
    name: 'maxspan is exclusive',
    file: sequence,
    from: 'if (span < maxspan || (span === maxspan && last.nanos <= first.nanos)) return false;',
    to: 'if (span < maxspan) return false;\n  if (span === maxspan) return true;',
  },
  {
    name: 'maxspan counts from the event before',
    file: sequence,
    from: 'if (exceeds(first, event, this.#plan.maxspan)) return;',
    to: 'if (exceeds(before.event, event, this.#plan.maxspan)) return;',
  },
  {
    name: 'maxspan in whole seconds',
    file: 'detect/sequence-plan.ts',
    from: 'maxspan: query.maxspan ?? Number.POSITIVE_INFINITY,',
    to: 'maxspan: Math.floor((query.maxspan ?? Number.POSITIVE_INFINITY) / 1e6) * 1e6,',
  },
  {
    name: 'the oldest start wins',
    file: sequence,
    from: 'if (present !== undefined && !isOrdered && compareEvents(present.event, partial.event) > 0) return;',
    to: 'if (present !== undefined) return;',
  },
  {
    name: 'advancing does not empty the state',
    file: sequence,
    from: '    setPending(state, index - 1, undefined);\n    const { first',
    to: '    const { first',
  },
  {
    name: 'stages are tried first to last',
    file: sequence,
    from: 'for (let index = stages.length - 1; index >= 0; index--) {',
    to: 'for (let index = 0; index < stages.length; index++) {',
  },
  {
    name: 'until comes before the stages',
    file: sequence,
    from: 'const { stages } = this.#plan;\n    for (let index = stages.length - 1;',
    to: `const { stages, until } = this.#plan;
    if (until !== undefined && hits.includes(until.condition)) {
      for (const key of this.#keysOf(until.keys, event)) this.#end(until.condition, key, event);
    }
    for (let index = stages.length - 1;`,
  },
  {
    name: 'until leaves what its event started',
    file: sequence,
    from: 'if (partial === undefined || compareEvents(partial.event, event) > 0) continue;',
    to: 'if (partial === undefined || compareEvents(partial.event, event) >= 0) continue;',
  },
  {
    name: 'until ends the sequences of all keys',
    file: sequence,
    from: 'for (const key of this.#keysOf(until.keys, event)) this.#end(until.condition, key, event);',
    to: 'for (let one = this.#states.oldest(); one !== undefined; one = this.#states.oldest()) this.#drop(one);',
  },
  { name: 'null keys join', file: keys, from: 'if (!optional) return [];', to: '' },
  {
    name: 'optional keys do not join null with null',
    file: keys,
    from: 'if (!optional) return [];',
    to: 'return [];',
  },
  {
    name: 'keys without case',
    file: keys,
    from: 'return key.length === 1 ? key[0] : JSON.stringify(key);',
    to: 'return JSON.stringify(key).toLowerCase();',
  },
  {
    name: 'keys without types',
    file: keys,
    from: 'return key.length === 1 ? key[0] : JSON.stringify(key);',
    to: 'return key.length === 1 ? String(key[0]) : JSON.stringify(key);',
  },
  {
    name: 'keys joined into one text',
    file: keys,
    from: 'return key.length === 1 ? key[0] : JSON.stringify(key);',
    to: "return key.length === 1 ? key[0] : key.join('');",
  },
  {
    name: 'keys joined with a separator',
    file: keys,
    from: 'return key.length === 1 ? key[0] : JSON.stringify(key);',
    to: "return key.length === 1 ? key[0] : key.join('\\u0000');",
  },
  {
    name: 'only the first value of a key',
    file: keys,
    from: 'distinctValues(read(doc), limit);',
    to: 'distinctValues(read(doc), limit).slice(0, 1);',
  },
  {
    name: 'runs are ignored',
    file: 'detect/sequence-plan.ts',
    from: 'run < step.runs;',
    to: 'run < 1;',
  },
  {
    name: 'the range of a missing event is closed',
    file: sequence,
    from: 'partial.absent !== undefined || partial.event.time >= event.time',
    to: 'partial.absent !== undefined || partial.event.time > event.time',
  },
  {
    name: 'a missing event is asked for only when it is the latest',
    file: sequence,
    from: 'if (absent !== undefined && absent < one.event.time) return;',
    to: 'if (absent !== undefined && absent > one.event.time) return;',
  },
  {
    name: 'a leading missing event counts to the first step',
    file: sequence,
    from: 'last.time - partial.led <= maxspan',
    to: 'first.time - partial.led <= maxspan',
  },
  {
    name: 'a trailing missing event counts from the last step',
    file: sequence,
    from: 'const from = leading ? (partial.led ?? first.time) : first.time;',
    to: 'const from = leading ? (partial.led ?? first.time) : last.time;',
  },
  {
    name: 'leading and trailing missing events count apart',
    file: sequence,
    from: 'if (leading && !trailing && partial.led',
    to: 'if (leading && partial.led',
  },
  {
    name: 'a trailing missing event is not waited for',
    file: sequence,
    from: 'const waits = trailing &&',
    to: 'const waits = false && trailing &&',
  },
  {
    name: 'a failed condition on a bound event takes the candidate',
    file: sequence,
    from: 'if (!this.#holds(stage.condition, event, before)) return;',
    to: 'if (!this.#holds(stage.condition, event, before)) { setPending(state, index - 1, undefined); return; }',
  },
  {
    name: 'pipes in the wrong order',
    file: 'detect/query-run.ts',
    from: 'pipes.reduceRight<Sink>(',
    to: 'pipes.reduce<Sink>(',
  },
  {
    name: 'one event stands for two steps of a sample',
    file: 'detect/sample.ts',
    from: 'chosen.includes(event) ? undefined :',
    to: 'chosen.length > 9 ? undefined :',
  },
  {
    name: 'KQL has no case',
    file: kql,
    from: "const test = quickTest({ input: 'raw', one: value, ...equal }, value);",
    to: 'const test = { test: (raw: unknown) => [raw].flat().some((one) => one !== undefined && value(String(one).toLowerCase())) };',
  },
  {
    name: 'KQL has a wildcard ?',
    file: kql,
    from: 'const matches = patternTest(textPattern(value.parts));',
    to: "const all = new RegExp(value.parts.map((part) => part.replaceAll('?', '.')).join('.*')); const matches = (one: string) => all.test(one);",
  },
  {
    name: 'KQL braces may be met by different objects',
    file: kql,
    from: 'if (Array.isArray(node)) return depth < 32 && node.some((item) => anyObject(item, depth + 1));',
    to: 'if (Array.isArray(node)) return matches(Object.fromEntries(node.flatMap((one) => Object.keys(one)).map((key) => [key, node.map((one) => one[key])])));',
  },
  {
    name: 'KQL addresses take no blocks',
    file: kql,
    from: '  const block = parseBlock(text);\n  if (block',
    to: '  const block = parseBlock(text)?.bits === 128 ? parseBlock(text) : undefined;\n  if (block',
  },
  {
    name: 'dates are compared as text',
    file: typed,
    from: "if (type === 'date') return dateTest",
    to: "if (type === 'date' && op === '!=') return dateTest",
  },
  {
    name: 'dates of unknown fields are compared as text',
    file: typed,
    from: '  if (date === undefined) return undefined;\n  return (value) =>',
    to: '  if (date !== undefined) return undefined;\n  return (value) =>',
  },
  {
    name: '> of a day begins with it',
    file: typed,
    from: 'return instant > date.last(now.millis);',
    to: 'return instant > date.first(now.millis);',
  },
  {
    name: '<= of a day ends with its first moment',
    file: typed,
    from: 'return instant <= date.last(now.millis);',
    to: 'return instant <= date.first(now.millis);',
  },
  {
    name: 'a zone is passed over',
    file: dates,
    from: 'const first = whole + millis - offset;',
    to: 'const first = whole + millis;',
  },
  {
    name: 'weeks begin on Thursday',
    file: dates,
    from: "unit === 'w' ? firstMonday : 0",
    to: "unit === 'w' ? 0 : 0",
  },
  {
    name: 'a month has as many days as the one before',
    file: dates,
    from: 'date.setUTCDate(Math.min(day, last.getUTCDate()));',
    to: 'date.setUTCDate(day);',
  },
  {
    name: 'now is the beginning of 1970',
    file: 'rules/plan.ts',
    from: '(isValue(value) ? instantOf(value) : undefined) ?? 0',
    to: '(isValue(value) ? undefined : undefined) ?? 0',
  },
  {
    name: 'now inside of braces is unknown',
    file: kql,
    from: '      now = nowOf(doc);\n      return anyObject',
    to: '      return anyObject',
  },
  {
    name: 'addresses are compared as text',
    file: typed,
    from: "if (type === 'ip') return addressTest(op, literal);",
    to: '',
  },
  {
    name: 'KQL ranges go by text',
    file: typed,
    from: 'if (number === undefined) return (one) => compare(op, one, literal);',
    to: 'if (number !== 0.5) return (one) => compare(op, one, literal);',
  },
  {
    name: 'large whole numbers are rounded',
    file: values,
    from: 'Number.isSafeInteger(number) || !whole.test(value) ? number',
    to: 'number !== undefined ? number',
  },
  {
    name: 'a number has no length',
    file: 'rules/functions/function.ts',
    from: 'return value === undefined ? undefined : String(value);',
    to: "return typeof value === 'string' ? value : undefined;",
  },
  {
    name: 'a dotted key beside an object is passed over',
    file: nested,
    from: 'if (known === undefined || known === null) return value;',
    to: 'if (known !== undefined) return known;\n  if (1 < 2) return value;',
  },
  {
    name: 'a dotted key further down is passed over',
    file: nested,
    from: 'add(tree, key, copied(',
    to: '(depth > 0 ? put : add)(tree, key, copied(',
  },
];
