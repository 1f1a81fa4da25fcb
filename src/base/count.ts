/** A number as people read it: `10,006`. */
export function counted(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A number with the word for what is counted, which may bring its verb: `1 rule is`, `10,006 rules are`. */
export function things(number: number, one: string, many = `${one}s`): string {
  return `${counted(number)} ${number === 1 ? one : many}`;
}

/** `a, b and c`. */
export function allOf(items: readonly string[]): string {
  return items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}
