import { descriptionKey, descriptions } from './descriptions.js';

export const presets = ['light', 'complete'] as const;
export type Preset = (typeof presets)[number];

/** A table and the values that are written into it; keys in the order of the file. */
type Section = readonly [table: string, values: Readonly<Record<string, unknown>>];

/** What each preset sets. What is not named has its default. */
const sections: Readonly<Record<Preset, readonly Section[]>> = {
  light: [
    ['watch', { mechanisms: false }],
    ['retention', { events: '256 MiB', evidence: '64 MiB', closed_alerts: '90d' }],
    ['forward', { heartbeat: '15m' }],
  ],
  complete: [
    ['watch', { mechanisms: true }],
    ['exceptions', { packs: ['mdm', 'updaters'] }],
    ['retention', { events: '2 GiB', evidence: '512 MiB', closed_alerts: '365d' }],
    ['canary', { every: '24h' }],
    ['forward', { heartbeat: '5m' }],
  ],
};

const says: Readonly<Record<Preset, string>> = {
  light: 'what the rules name is watched, and little is kept',
  complete: 'every place in which something can persist is watched, and the chain proves itself once a day',
};

export const presetText = (preset: Preset) => says[preset];

/** A destination as it is asked for. */
export type Answers = Readonly<Record<string, unknown>> & { readonly type: string };

function valueText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(valueText).join(', ')}]`;
  return JSON.stringify(value).replaceAll('\u007f', '\\u007f');
}

function lines(path: readonly string[], values: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const key = descriptionKey([...path, name]);
    return [...(key === undefined ? [] : [`# ${descriptions[key]}`]), `${name} = ${valueText(value)}`];
  });
}

/** The text of a configuration file to begin with: each key with what it means. */
export function presetConfig(preset: Preset, destination?: Answers): string {
  const tables = sections[preset].map(([table, values]) =>
    [`[${table}]`, ...lines([table], values)].join('\n'),
  );
  const alerts =
    destination === undefined
      ? []
      : [['[[destination]]', ...lines(['destination', destination.type], destination)].join('\n')];
  return [
    '#:schema ./config.schema.json',
    `# launchwarden, preset "${preset}": ${says[preset]}.`,
    '# "launchwarden config schema > config.schema.json" beside this file lets an editor complete it;',
    '# "launchwarden config check" says what is wrong with it, "launchwarden reload" has the agent take it up.',
    '',
    [...tables, ...alerts].join('\n\n'),
    '',
  ].join('\n');
}
