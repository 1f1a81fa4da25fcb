/** SQL: somebody holds the content with this hash, to restore it later. */
export function heldBy(hash: string): string {
  return `EXISTS (SELECT 1 FROM evidence_holds n WHERE n.sha256 = ${hash})`;
}

/** SQL: an alert that is not closed speaks of it. */
export function openAlertOf(hash: string): string {
  return `EXISTS (SELECT 1 FROM alert_hashes n JOIN alerts a ON a.seq = n.alert
    WHERE n.sha256 = ${hash} AND a.status <> 'closed')`;
}

/** SQL: one or the other. */
export function neededBy(hash: string): string {
  return `(${heldBy(hash)} OR ${openAlertOf(hash)})`;
}
