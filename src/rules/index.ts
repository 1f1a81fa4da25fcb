export type { PathPattern } from './allowed-values.js';
export type {
  Arithmetic,
  Call,
  Compare,
  DescendantOf,
  EventQuery,
  Expr,
  Field,
  In,
  KqlExists,
  KqlField,
  KqlIs,
  KqlNested,
  KqlQuery,
  KqlRange,
  Like,
  Literal,
  Logical,
  MatchAll,
  Negate,
  Not,
  Pipe,
  Query,
  Regex,
  SampleQuery,
  Scalar,
  SequenceQuery,
  Span,
  Step,
  StepCondition,
} from './ast.js';
export { checkQuery } from './check.js';
export { type Compiled, compileQuery } from './compile.js';
export { covers, degradedReasons, type StepSight, stepSights, type Tier } from './degraded.js';
export { formatDiagnostic, querySource, type Source } from './diagnostic.js';
export { ruleDigest } from './digest.js';
export type { EqlQuery } from './eql/parser.js';
export {
  type Exception,
  type ExceptionPack,
  type ExceptionSet,
  exceptionPacks,
  type LoadedExceptions,
  loadExceptions,
  type RequiredSigner,
  readExceptionFile,
} from './exceptions/index.js';
export { type ExportedRule, exportedRules } from './file/kibana.js';
export { maxRuleFileBytes, type RuleFileResult, readRuleFile } from './file/read.js';
export { type LoadedRules, loadBuiltinRules, loadRules } from './load.js';
export { isPair } from './pair.js';
export { type Parsed, parseEql, parseKql } from './parse.js';
export { childrenOf } from './plan/fields-of.js';
export { foldText } from './plan/fold.js';
export { validateWildcard } from './plan/like.js';
export { RawFilter } from './plan/raw-filter.js';
export { fieldReader, type Reader } from './plan/read.js';
export { distinctValues, hasValue, isValue, type Value, valuesOf } from './plan/values.js';
export { type Bindings, ConditionSet, planConditions, type Verdict } from './plan.js';
export { printQuery } from './print.js';
export { validateRegex } from './regex.js';
export type { Diagnostic, Rule, RuleTest } from './rule.js';
export {
  ruleRequirements,
  type StepRequirements,
  watchPatterns,
} from './scope.js';
export { functionNames, type Signature, signatureOf } from './signatures.js';
