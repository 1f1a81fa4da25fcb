import { UserError } from '../../../base/errors.js';
import { quote } from '../../../base/escape.js';
import { didYouMean } from '../../../base/nearest.js';
import type { Alert } from '../../../event/alert.js';
import type { Store } from '../../../store/index.js';

const listHint = 'See "launchwarden alerts list".';

/** The alert of an id or of a beginning that only one has. Throws a UserError that names the nearest known id. */
export function findAlert(store: Store, written: string): Alert {
  const found = written === '' ? undefined : store.alerts.get(written);
  if (found !== undefined) return found;
  // People write beginnings as the listing shows them: compare with beginnings of the same length.
  const ids = store.alerts.ids().map((id) => (written.length < id.length ? id.slice(0, written.length) : id));
  throw new UserError('alerts/unknown', `there is no alert ${quote(written, 100)}`, {
    hint: (written === '' ? undefined : didYouMean(written, ids)) ?? listHint,
  });
}
