/** What an argument may be. `block`: a literal address or CIDR block. */
export type ArgumentKind = 'string' | 'number' | 'boolean' | 'ip' | 'block' | 'any';

/** A function of the EQL function reference as the checker sees it. */
export interface Signature {
  readonly name: string;
  readonly args: readonly ArgumentKind[];
  /** So many of `args` must be there; the rest is optional. */
  readonly required: number;
  /** The last of `args` may be repeated. */
  readonly variadic: boolean;
  readonly returns: 'string' | 'number' | 'boolean';
  /** Has a `~` form. */
  readonly insensitive: boolean;
}

type Options = { required?: number; variadic?: boolean; insensitive?: boolean };

const signature = (
  name: string,
  args: readonly ArgumentKind[],
  returns: Signature['returns'],
  options: Options = {},
): Signature => ({
  name,
  args,
  returns,
  required: options.required ?? args.length,
  variadic: options.variadic ?? false,
  insensitive: options.insensitive ?? false,
});
const folded = { insensitive: true };

const signatures: readonly Signature[] = [
  signature('add', ['number', 'number'], 'number'),
  signature('between', ['string', 'string', 'string', 'boolean'], 'string', { required: 3, ...folded }),
  signature('cidrMatch', ['ip', 'block'], 'boolean', { variadic: true }),
  signature('concat', ['any'], 'string', { variadic: true }),
  signature('divide', ['number', 'number'], 'number'),
  signature('endsWith', ['string', 'string'], 'boolean', folded),
  signature('indexOf', ['string', 'string', 'number'], 'number', { required: 2, ...folded }),
  signature('length', ['string'], 'number'),
  signature('modulo', ['number', 'number'], 'number'),
  signature('multiply', ['number', 'number'], 'number'),
  signature('number', ['string', 'number'], 'number', { required: 1 }),
  signature('startsWith', ['string', 'string'], 'boolean', folded),
  signature('string', ['any'], 'string'),
  signature('stringContains', ['string', 'string'], 'boolean', folded),
  signature('substring', ['string', 'number', 'number'], 'string', { required: 2 }),
  signature('subtract', ['number', 'number'], 'number'),
];

const byName: ReadonlyMap<string, Signature> = new Map(
  signatures.map((one) => [one.name.toLowerCase(), one]),
);

/** Function names are case-insensitive (`cidrmatch`). */
export function signatureOf(name: string): Signature | undefined {
  return byName.get(name.toLowerCase());
}

export function functionNames(): readonly string[] {
  return signatures.map(({ name }) => name);
}
