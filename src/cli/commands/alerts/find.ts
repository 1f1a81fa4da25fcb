import { clip } from '../../../base/escape.js';
import type { Alert } from '../../../event/alert.js';
import type { Store } from '../../../store/index.js';
import { type IdRule, type Ids, resolveId } from '../../ids.js';
import { safe } from '../../output/output.js';

function idsOf(store: Store): Ids {
  return {
    noun: 'alert',
    stage: 'alerts',
    listedBy: 'launchwarden alerts list',
    beginning: (text, limit) => store.alerts.idsLike(text, limit),
    known: () => store.alerts.ids(),
    about: (id) => safe(clip(store.alerts.get(id)?.ruleName ?? '', 80)),
  };
}

/** The whole id that was meant. Throws a UserError. */
export function findAlertId(store: Store, written: string, rule?: IdRule): string {
  return resolveId(written, idsOf(store), rule);
}

/** The alert of an id or of a beginning that only one has. Throws a UserError that names the nearest known ids. */
export function findAlert(store: Store, written: string): Alert {
  const found = store.alerts.get(findAlertId(store, written));
  if (found !== undefined) return found;
  // Its document has gone between the two.
  throw new Error(`alert ${written} went away`);
}
