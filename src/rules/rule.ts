import type { RuleMeta } from '../event/rule-meta.js';
import type { Query } from './ast.js';

/** A rule that parsed and checked: what a rule file holds, with the query as a tree. */
export interface Rule {
  readonly meta: RuleMeta;
  readonly query: Query;
  /** Of type threshold: alert when at least `value` events share the values of `fields` in the look-back window. */
  readonly threshold?: { readonly fields: readonly string[]; readonly value: number };
  /** Of type new_terms: alert when the values of `fields` were not seen together for `historyWindow` microseconds. */
  readonly newTerms?: { readonly fields: readonly string[]; readonly historyWindow: number };
  /**
   * `[rule.alert_suppression]`: of the matches that share the values of `fields` within `duration` (microseconds; without
   * one the rule's interval) the first is an alert, the others are counted in it. What lacks a field is a group of its own
   * (`together`) or never suppressed (`apart`).
   */
  readonly suppression?: {
    readonly fields: readonly string[];
    readonly duration?: number;
    readonly missing: 'together' | 'apart';
  };
  /** `enabled = false` in the file: off unless somebody enables it. */
  readonly off?: true;
  /** `[rule.launchwarden]`, our own additions. */
  readonly launchwarden?: {
    /** Off unless somebody enables it. */
    readonly enabled?: boolean;
    /**
     * Only matches in which the process names a file of the window count: by path, by a folder, by its label or by its
     * inode. Also those of which it may name one: a call that was not seen in full.
     */
    readonly linked?: true;
    /** `content`: the same path with the same content is a repeat, also as another file; else a new inode is news. */
    readonly news?: 'content';
    /**
     * Of a sequence of two events: the first is kept across restarts until `maxspan` is over, and what follows it sooner than
     * `after` (microseconds) is no match but ends the waiting.
     */
    readonly deferred?: { readonly after: number };
    /** `[[rule.launchwarden.test]]`: events that must or must not match. */
    readonly tests?: readonly RuleTest[];
  };
  /** What the check found that does not keep the rule from running. */
  readonly warnings?: readonly Diagnostic[];
}

export interface RuleTest {
  readonly name: string;
  readonly events: readonly Record<string, unknown>[];
  /** How many alerts these events give. */
  readonly matches: number;
}

/** Where and what is wrong with a query or a rule file. `line` and `column` are 1-based, in the file or the query. */
export interface Diagnostic {
  /** A warning does not keep a rule from running: a field that nobody knows, a comparison that is never true. */
  readonly severity: 'error' | 'warning';
  /** Stable words, `eql/syntax`, `rule/unsupported-type`, ... */
  readonly code: string;
  readonly message: string;
  readonly file?: string;
  readonly line: number;
  readonly column: number;
  /** The source line and a caret under the place, two lines, bounded and safe to print. */
  readonly excerpt: string;
  /** What could have stood there, as it would be written. */
  readonly expected?: readonly string[];
  readonly hint?: string;
}
