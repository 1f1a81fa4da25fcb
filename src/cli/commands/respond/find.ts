import { UserError } from '../../../base/errors.js';
import { quote } from '../../../base/escape.js';
import { canonicalMacPath } from '../../../base/root.js';
import { type Target, targetOfAlert, targetOfItem, targetOfPath } from '../../../respond/index.js';
import { leastToRead } from '../../ids.js';
import { findAlert } from '../alerts/find.js';
import type { Surroundings } from './act.js';

/** What an alert's id, an item or a path means. Throws a UserError when it means nothing. */
export function findTarget(written: string, { store, root }: Surroundings): Target {
  if (written.startsWith('/'))
    return targetOfPath(
      root.simulated && root.contains(written) ? root.toMac(written) : canonicalMacPath(written),
      store,
    );
  if (
    /^[0-9a-f]+$/.test(written) &&
    written.length >= leastToRead &&
    store.alerts.idsLike(written, 1).length > 0
  )
    return alertTarget(written, { store, root });
  const item = targetOfItem(written, store);
  if (item !== undefined) return item;
  throw new UserError(
    'respond/unknown-target',
    `${quote(written, 100)} is no alert, no item and no absolute path`,
    {
      hint: 'See "launchwarden alerts list" and "launchwarden inventory list --all".',
    },
  );
}

export function findAlertTarget(written: string, surroundings: Surroundings): Target {
  return alertTarget(written, surroundings);
}

/** What a simulated Mac showed is never looked for on this machine. */
function alertTarget(written: string, { store, root }: Pick<Surroundings, 'store' | 'root'>): Target {
  const alert = findAlert(store, written);
  if (alert.doc.labels?.launchwarden_simulated === true && !root.simulated)
    throw new UserError(
      'respond/simulated',
      'this alert was observed on a folder tree, not on this machine',
      {
        hint: 'Name the tree with --root DIR.',
      },
    );
  return targetOfAlert(alert, store);
}

/** Takes what stands there now, of the item or its programs, also if it has this very hash. */
export function forced(target: Target, sha256: string | undefined): Target {
  if (sha256 === undefined) return target;
  const { expect, programs } = target;
  return {
    ...target,
    expect: { ...expect, orSha256: sha256 },
    programs: programs.map((one) => ({ ...one, expect: { ...one.expect, orSha256: sha256 } })),
  };
}

export function sha256Of(option: string): (text: string) => string {
  return (text) => {
    if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
    throw new UserError(
      'cli/invalid-value',
      `${option} is ${quote(text, 100)}; expected the sha256 that was told, 64 hexadecimal digits`,
    );
  };
}
