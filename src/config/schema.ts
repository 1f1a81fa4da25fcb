import * as v from 'valibot';
import { destinationOptions, forwardOptions } from '../forward/options.js';
import { policyOptions } from '../policy/options.js';
import {
  budgetOptions,
  canaryOptions,
  detectOptions,
  exceptionOptions,
  logOptions,
  respondOptions,
  retentionOptions,
  ruleOptions,
  scanOptions,
  sensorOptions,
  watchOptions,
} from './options.js';
import { name } from './values.js';

/** A table of which every key is optional: left out, it is as if it were written and empty. */
const table = <T extends v.GenericSchema>(schema: T) => v.optional(schema, {});

/** The configuration file, as TOML gives it. Each stage's own keys stand in its `options.ts`. */
export const configSchema = v.strictObject({
  data_dir: v.optional(name),
  log: table(logOptions),
  sensors: table(sensorOptions),
  watch: table(watchOptions),
  rules: table(ruleOptions),
  exceptions: table(exceptionOptions),
  detect: table(detectOptions),
  scan: table(scanOptions),
  policy: table(policyOptions),
  respond: table(respondOptions),
  canary: table(canaryOptions),
  retention: table(retentionOptions),
  budget: table(budgetOptions),
  forward: table(forwardOptions),
  destination: v.optional(v.array(destinationOptions), []),
});

export type Config = v.InferOutput<typeof configSchema>;
