import { configShape, type Key, type Shape, type Table } from './shape.js';

/** A value of a property list. */
export type Pfm = string | number | boolean | Date | readonly Pfm[] | { readonly [key: string]: Pfm };

/** The keys that every payload of a profile has. */
const payloadKeys: readonly { readonly [key: string]: Pfm }[] = [
  {
    pfm_name: 'PayloadDescription',
    pfm_type: 'string',
    pfm_title: 'Payload Description',
    pfm_default: 'Settings of launchwarden',
  },
  {
    pfm_name: 'PayloadDisplayName',
    pfm_type: 'string',
    pfm_title: 'Payload Display Name',
    pfm_require: 'always',
    pfm_default: 'launchwarden',
  },
  {
    pfm_name: 'PayloadIdentifier',
    pfm_type: 'string',
    pfm_title: 'Payload Identifier',
    pfm_require: 'always',
    pfm_default: 'com.launchwarden.agent',
  },
  {
    pfm_name: 'PayloadType',
    pfm_type: 'string',
    pfm_title: 'Payload Type',
    pfm_require: 'always',
    pfm_default: 'com.launchwarden.agent',
  },
  {
    pfm_name: 'PayloadUUID',
    pfm_type: 'string',
    pfm_title: 'Payload UUID',
    pfm_require: 'always',
    pfm_format: '^[0-9A-Za-z]{8}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-[0-9A-Za-z]{12}$',
  },
  {
    pfm_name: 'PayloadVersion',
    pfm_type: 'integer',
    pfm_title: 'Payload Version',
    pfm_require: 'always',
    pfm_default: 1,
    pfm_range_list: [1],
  },
  { pfm_name: 'PayloadOrganization', pfm_type: 'string', pfm_title: 'Payload Organization' },
];

/** `raw_events`: `Raw events`. */
function titleOf(name: string): string {
  const words = name.replaceAll('_', ' ');
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
}

function subkeys({ keys }: Table): Pfm[] {
  return Object.entries(keys).map(([name, key]) => subkey(name, key));
}

/** Destinations of all types in one: a manifest knows no choice between tables. What only some of them have says so. */
function oneTable(tables: Readonly<Record<string, Table>>): Table {
  const keys: Record<string, Key> = {};
  const types = Object.keys(tables);
  for (const table of Object.values(tables))
    for (const [name, key] of Object.entries(table.keys)) {
      const having = types.filter((type) => tables[type]?.keys[name] !== undefined);
      const description =
        having.length === types.length ? key.description : `${having.join(', ')}: ${key.description}`;
      keys[name] ??= { ...key, required: false, description };
    }
  return {
    kind: 'table',
    keys: {
      ...keys,
      type: {
        shape: { kind: 'words', words: types },
        description: keys['type']?.description ?? '',
        required: true,
      },
    },
  };
}

function typed(shape: Shape): { readonly [key: string]: Pfm } {
  switch (shape.kind) {
    case 'table':
      return { pfm_type: 'dictionary', pfm_subkeys: subkeys(shape) };
    case 'variant':
      return { pfm_type: 'dictionary', pfm_subkeys: subkeys(oneTable(shape.tables)) };
    case 'off-or':
      return { pfm_type: 'dictionary', pfm_subkeys: subkeys(shape.table) };
    case 'list':
      return { pfm_type: 'array', pfm_subkeys: [typed(shape.item)] };
    case 'words':
      return { pfm_type: 'string', pfm_range_list: shape.words };
    case 'number':
      return {
        pfm_type: 'integer',
        ...(shape.least === undefined ? {} : { pfm_range_min: shape.least }),
        ...(shape.most === undefined ? {} : { pfm_range_max: shape.most }),
      };
    case 'switch':
      return { pfm_type: 'boolean' };
    case 'text':
      return { pfm_type: 'string', ...(shape.pattern === undefined ? {} : { pfm_format: shape.pattern }) };
    case 'size':
    case 'duration':
      return { pfm_type: 'string' };
    case 'map':
    case 'any':
      return { pfm_type: 'dictionary', pfm_subkeys: [] };
  }
}

function subkey(name: string, { shape, description, fallback, required }: Key): Pfm {
  const isPlain = ['string', 'number', 'boolean'].includes(typeof fallback);
  return {
    pfm_name: name,
    pfm_title: titleOf(name),
    pfm_description: description,
    ...typed(shape),
    ...(isPlain ? { pfm_default: fallback as Pfm } : {}),
    ...(required ? { pfm_require: 'always' } : {}),
  };
}

/**
 * The managed preferences as a manifest in the format of ProfileManifests (format 1), for ProfileCreator, iMazing and Jamf.
 * `version` is that of the program, `modified` when it was made.
 */
export function profileManifest(version: string, modified: Date): { readonly [key: string]: Pfm } {
  return {
    pfm_description: 'Settings of launchwarden, which tells when something makes itself permanent on a Mac',
    pfm_domain: 'com.launchwarden.agent',
    pfm_format_version: 1,
    pfm_last_modified: modified,
    pfm_platforms: ['macOS'],
    pfm_subkeys: [...payloadKeys, ...subkeys(configShape())],
    pfm_targets: ['system'],
    pfm_title: 'launchwarden',
    pfm_unique: true,
    pfm_version: Number(version.split('.')[0]) || 1,
  };
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function element(value: Pfm, indent: string): string {
  if (typeof value === 'string') return `${indent}<string>${escaped(value)}</string>`;
  if (typeof value === 'number') return `${indent}<integer>${value}</integer>`;
  if (typeof value === 'boolean') return `${indent}<${value}/>`;
  if (value instanceof Date) return `${indent}<date>${value.toISOString().slice(0, 19)}Z</date>`;
  const inside = `${indent}\t`;
  if (Array.isArray(value)) {
    const items = (value as readonly Pfm[]).map((one) => element(one, inside));
    return items.length === 0
      ? `${indent}<array/>`
      : [`${indent}<array>`, ...items, `${indent}</array>`].join('\n');
  }
  const entries = Object.entries(value as { readonly [key: string]: Pfm }).map(
    ([key, one]) => `${inside}<key>${escaped(key)}</key>\n${element(one, inside)}`,
  );
  return [`${indent}<dict>`, ...entries, `${indent}</dict>`].join('\n');
}

/** A property list in XML. */
export function plistText(value: Pfm): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    '<plist version="1.0">',
    element(value, ''),
    '</plist>',
    '',
  ].join('\n');
}
