import { configShape, type Key, type Shape, type Table } from './shape.js';

type Json = Readonly<Record<string, unknown>>;

/** As base/time.ts and base/size.ts read them. */
const durationPattern = '^\\s*\\d{1,9}(\\.\\d{1,6})?\\s*(us|micros|ms|s|sec|m|min|h|hour|d|day|w)\\s*$';
const sizePattern = '^\\s*\\d{1,9}(\\.\\d{1,3})?\\s*([bB]|[kKmMgG][bB]|[kKmMgG][iI][bB])?\\s*$';

function table({ keys }: Table): Json {
  const required = Object.entries(keys).flatMap(([name, key]) => (key.required ? [name] : []));
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, property(key)])),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
}

function property({ shape, description, fallback }: Key): Json {
  return { description, ...schemaOf(shape), ...(fallback === undefined ? {} : { default: fallback }) };
}

function schemaOf(shape: Shape): Json {
  switch (shape.kind) {
    case 'table':
      return table(shape);
    case 'variant':
      return { oneOf: Object.entries(shape.tables).map(([title, one]) => ({ title, ...table(one) })) };
    case 'list':
      return {
        type: 'array',
        items: schemaOf(shape.item),
        ...(shape.least === undefined ? {} : { minItems: shape.least }),
        ...(shape.most === undefined ? {} : { maxItems: shape.most }),
      };
    case 'words':
      return shape.words.length === 1 ? { const: shape.words[0] } : { enum: shape.words };
    case 'text':
      return { type: 'string', ...(shape.pattern === undefined ? {} : { pattern: shape.pattern }) };
    case 'number':
      return {
        type: 'integer',
        ...(shape.least === undefined ? {} : { minimum: shape.least }),
        ...(shape.most === undefined ? {} : { maximum: shape.most }),
      };
    case 'switch':
      return { type: 'boolean' };
    case 'size':
      return {
        anyOf: [
          { type: 'string', pattern: sizePattern },
          { type: 'integer', minimum: 1 },
        ],
      };
    case 'duration':
      return { type: 'string', pattern: durationPattern };
    case 'map':
      return { type: 'object', additionalProperties: schemaOf(shape.item) };
    case 'off-or':
      return { anyOf: [{ const: false }, table(shape.table)] };
    case 'any':
      return {};
  }
}

/** The configuration file as JSON Schema, draft 2020-12: what editors complete and check TOML by. */
export function jsonSchema(): Json {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'launchwarden configuration',
    ...table(configShape()),
  };
}
