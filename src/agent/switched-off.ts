import type { Micros } from '../base/time.js';
import type { Settings } from '../config/index.js';
import { type HiddenRule, hiddenRules } from '../detect/index.js';
import { type Exception, loadExceptions } from '../rules/index.js';
import { type SelectedRules, selectRules } from './rules.js';

const named = 5;
const staleMicros = 600_000_000;
/** Rules about attacks on launchwarden itself: files of this beginning. */
const guards = /^builtin\/launchwarden-/;

export interface SwitchedOffFacts {
  readonly selected: Pick<SelectedRules, 'rules' | 'usual'>;
  readonly exceptions: readonly Exception[];
  /** Ids of rules that the sensors cannot serve. */
  readonly muted?: { has(id: string): boolean };
  readonly now: Micros;
}

/** What of the detection is off by somebody's will. */
export interface SwitchedOff {
  /** Nothing is detected, and why; undefined otherwise. */
  readonly all: string | undefined;
  /** More than a rule here and there: one sentence each; empty otherwise. */
  readonly reasons: readonly string[];
}

/**
 * Whether settings and exceptions, whoever wrote them, leave enough of the detection: single rules are switched off for good
 * reasons, half of those that come with the program, those that guard it, or all of them are not.
 */
export function switchedOff({ selected, exceptions, muted, now }: SwitchedOffFacts): SwitchedOff {
  const { rules, usual } = selected;
  const ids = rules.map(({ meta }) => meta.id);
  const hidden = hiddenRules(exceptions, ids, now);
  const detects = ids.some((id) => muted?.has(id) !== true && hidden.get(id)?.whole !== true);
  const byWhat = hidden.size === 0 ? '' : `: ${exceptionsText(hidden)}`;
  if (!detects)
    return {
      all: `no rule detects anything${ids.length === 0 ? ': none is on' : byWhat}`,
      reasons: [],
    };
  if (usual === undefined) return { all: undefined, reasons: ['the built-in rules are off (rules.builtin)'] };
  const on = new Set(ids);
  const off = usual.filter(({ id }) => !on.has(id) || hidden.has(id));
  const reasons: string[] = [];
  if (off.length * 2 >= usual.length)
    reasons.push(
      `${off.length} of ${usual.length} built-in rules are switched off (rules.disabled) or hidden by exceptions${byWhat}`,
    );
  const unguarded = off.filter(({ file }) => guards.test(file)).map(({ name }) => name);
  if (unguarded.length > 0)
    reasons.push(`rules that guard launchwarden itself are off: ${listed(unguarded)}`);
  return { all: undefined, reasons };
}

function exceptionsText(hidden: ReadonlyMap<string, HiddenRule>): string {
  const ids = new Set([...hidden.values()].flatMap(({ by }) => by));
  return `${ids.size === 1 ? 'an exception hides' : `${ids.size} exceptions hide`} whatever anybody makes (${listed([...ids])})`;
}

function listed(all: readonly string[]): string {
  const more = all.length > named ? ` and ${all.length - named} more` : '';
  return `${all.slice(0, named).join(', ')}${more}`;
}

/** The same of the settings alone, whether an agent runs or not. */
export function offBySettings(settings: Pick<Settings, 'rules' | 'exceptions'>, now: Micros): SwitchedOff {
  const { folders, packs } = settings.exceptions;
  const { exceptions } = loadExceptions(folders, packs);
  return switchedOff({ selected: selectRules(settings), exceptions, now });
}

/** The same, worked out again when something of it changed, and every ten minutes: exceptions end. */
export class SwitchedOffWatch {
  #known: { readonly facts: SwitchedOffFacts; readonly found: SwitchedOff } | undefined;

  judge(facts: SwitchedOffFacts): SwitchedOff {
    const before = this.#known?.facts;
    const isSame =
      before?.selected === facts.selected &&
      before.exceptions === facts.exceptions &&
      before.muted === facts.muted &&
      facts.now - before.now < staleMicros;
    if (this.#known === undefined || !isSame) this.#known = { facts, found: switchedOff(facts) };
    return this.#known.found;
  }
}
