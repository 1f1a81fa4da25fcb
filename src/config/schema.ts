import * as v from 'valibot';
import { logOptions, retentionOptions, ruleOptions, sensorOptions } from './options.js';
import { name } from './values.js';

const destinationName = v.pipe(
  v.string('a name of letters, digits, "-" and "_"'),
  v.regex(/^[A-Za-z0-9_-]{1,64}$/, 'a name of letters, digits, "-" and "_"'),
);

const destinations = v.variant('type', [
  v.strictObject({
    name: destinationName,
    type: v.literal('file'),
    /** Folder or file of the NDJSON file. A relative one stands beside the configuration file. */
    path: name,
  }),
]);

/** A table of which every key is optional: left out, it is as if it were written and empty. */
const table = <T extends v.GenericSchema>(schema: T) => v.optional(schema, {});

/** The configuration file, as TOML gives it. */
export const configSchema = v.strictObject({
  data_dir: v.optional(name),
  log: table(logOptions),
  sensors: table(sensorOptions),
  rules: table(ruleOptions),
  retention: table(retentionOptions),
  destination: v.optional(v.array(destinations), []),
});

export type Config = v.InferOutput<typeof configSchema>;
export type DestinationConfig = Config['destination'][number];
