type Schema = Readonly<Record<string, unknown>>;

/** Judges a value by the part of JSON Schema that our schemas use; other words are an error. Returns what is wrong. */
export function schemaErrors(schema: Schema, value: unknown, at = ''): string[] {
  const errors: string[] = [];
  const wrong = (what: string) => errors.push(`${at || '/'}: ${what}`);
  for (const [word, rule] of Object.entries(schema)) {
    switch (word) {
      case '$schema':
      case 'title':
      case 'description':
      case 'default':
        break;
      case 'type':
        if (typeOf(value) !== rule && !(rule === 'number' && typeOf(value) === 'integer'))
          wrong(`is no ${rule}`);
        break;
      case 'const':
        if (value !== rule) wrong(`is not ${rule}`);
        break;
      case 'enum':
        if (!(rule as unknown[]).includes(value)) wrong('is none of the words');
        break;
      case 'pattern':
        if (typeof value === 'string' && !new RegExp(rule as string, 'u').test(value))
          wrong('does not match');
        break;
      case 'minimum':
        if (typeof value === 'number' && value < (rule as number)) wrong('is too small');
        break;
      case 'maximum':
        if (typeof value === 'number' && value > (rule as number)) wrong('is too large');
        break;
      case 'minItems':
        if (Array.isArray(value) && value.length < (rule as number)) wrong('has too few items');
        break;
      case 'maxItems':
        if (Array.isArray(value) && value.length > (rule as number)) wrong('has too many items');
        break;
      case 'items':
        if (Array.isArray(value))
          for (const [index, one] of value.entries())
            errors.push(...schemaErrors(rule as Schema, one, `${at}/${index}`));
        break;
      case 'properties':
        for (const [name, one] of Object.entries(rule as Record<string, Schema>))
          if (isObject(value) && value[name] !== undefined)
            errors.push(...schemaErrors(one, value[name], `${at}/${name}`));
        break;
      case 'required':
        for (const name of rule as string[])
          if (isObject(value) && value[name] === undefined) wrong(`lacks ${name}`);
        break;
      case 'additionalProperties': {
        const known = Object.keys((schema['properties'] ?? {}) as object);
        for (const [name, one] of Object.entries(isObject(value) ? value : {})) {
          if (known.includes(name)) continue;
          if (rule === false) wrong(`has ${name}`);
          else errors.push(...schemaErrors(rule as Schema, one, `${at}/${name}`));
        }
        break;
      }
      case 'anyOf':
        if (!(rule as Schema[]).some((one) => schemaErrors(one, value).length === 0)) wrong('fits nothing');
        break;
      case 'oneOf':
        if ((rule as Schema[]).filter((one) => schemaErrors(one, value).length === 0).length !== 1)
          wrong('fits not one');
        break;
      default:
        throw new Error(`unknown word ${word}`);
    }
  }
  return errors;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}
