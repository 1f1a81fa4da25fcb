import * as v from 'valibot';
import type { LogLevel } from '../base/log.js';
import { exceptionPacks } from '../rules/exceptions/options.js';
import { duration, name, processorShare, size } from './values.js';

/** The settings that belong to no stage. Each key stands in the file as it is written here. */

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const satisfies readonly LogLevel[];

export const logOptions = v.strictObject({
  level: v.optional(v.picklist(logLevels), 'info'),
  /** Appended to; standard error when absent. */
  file: v.optional(name),
});

export const sensorKinds = [
  'endpoint-security',
  'eslogger',
  'process-scan',
  'file-watch',
  'launchd-state',
] as const;
export const sensorTiers = ['auto', 'endpoint-security', 'eslogger', 'scan'] as const;

export const sensorOptions = v.strictObject({
  /** `auto`: the best one that this machine allows. */
  tier: v.optional(v.picklist(sensorTiers), 'auto'),
  /** Never started, whatever the tier. */
  disabled: v.optional(v.array(v.picklist(sensorKinds)), []),
});

export const watchOptions = v.strictObject({
  /** Every place in which something can persist, beside the paths that rules name. */
  mechanisms: v.optional(v.boolean(), true),
});

export const ruleOptions = v.strictObject({
  /** The rules that come with the program. */
  builtin: v.optional(v.boolean(), true),
  /** Folders or files of further rules. A relative one stands beside the configuration file. */
  folders: v.optional(v.array(name), []),
  /** Ids of rules that are switched off, and of rules that are off by default and switched on. */
  disabled: v.optional(v.array(name), []),
  enabled: v.optional(v.array(name), []),
});

export const exceptionOptions = v.strictObject({
  /** Folder of files of exceptions. A relative one stands beside the configuration file. */
  folder: v.optional(name, 'exceptions'),
  /** Exceptions that come with the program, each bound to its vendor's signature. */
  packs: v.optional(v.array(v.picklist(exceptionPacks)), []),
});

export const detectOptions = v.strictObject({
  /** An alert about an update of a known item about which nothing is odd is closed by the agent itself. */
  close_updates: v.optional(v.boolean(), true),
});

export const canaryOptions = v.strictObject({
  /** How often the agent proves its whole chain by a harmless launch item: "24h", say. Absent: never. Not more often than once a minute. */
  every: v.optional(duration),
});

export const retentionOptions = v.strictObject({
  /** Raw events: the oldest go first. Alerts embed theirs and lose nothing. */
  events: v.optional(size, '1 GiB'),
  /** Copies of what was planted: property lists, small files. */
  evidence: v.optional(size, '256 MiB'),
  /** Closed alerts are forgotten after this. */
  closed_alerts: v.optional(duration, '365d'),
});

export const budgetOptions = v.strictObject({
  /** What the agent may use of one processor, over half a minute: above it, work of little worth is left out, and said. */
  cpu: v.optional(processorShare),
  /** What the agent may use of memory. */
  memory: v.optional(size),
  /** What each program that the agent runs, eslogger say, may use of one processor: above it, it is started anew. */
  worker_cpu: v.optional(processorShare),
  /** What each of them may use of memory. */
  worker_memory: v.optional(size),
});

export const scanOptions = v.strictObject({
  /** What an alert is about is scanned by the agent, once hash lists or YARA rules are named. */
  alerts: v.optional(v.boolean(), true),
  /** Files of SHA-256 hashes, one a line. A relative one stands beside the configuration file. */
  hashes: v.optional(v.array(name), []),
  /** Files of YARA rules, and folders that hold them (`.yar`, `.yara`). */
  yara: v.optional(v.array(name), []),
  /** A larger file is only hashed. */
  max_file: v.optional(size, '64 MiB'),
  /** What YARA may take up. */
  memory: v.optional(size, '512 MiB'),
  /** YARA's time for one file. */
  file_time: v.optional(duration, '10s'),
});

export const automaticActions = ['notify', 'boot-out', 'quarantine'] as const;

export const respondOptions = v.strictObject({
  /** What happens by itself when a rule alerts; nothing when absent. */
  automatic: v.optional(
    v.array(
      v.strictObject({
        /** Id or name of a rule. */
        rule: name,
        action: v.picklist(automaticActions),
        /** Only tells, on the alert, what it would have done. */
        shadow: v.optional(v.boolean(), true),
      }),
    ),
    [],
  ),
  /** Automatic responses within any hour; what comes beyond is left to a person. */
  per_hour: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1_000)), 5),
  isolation: v.optional(
    v.strictObject({
      /** Without it "respond isolate" is refused. */
      enabled: v.optional(v.boolean(), false),
      /** Hosts, addresses and networks that stay reachable, beside the destinations: the MDM, a jump host. */
      allow: v.optional(v.array(name), []),
      /** Whether names can be looked up (port 53, any server). Destinations that are named by name need it. */
      dns: v.optional(v.boolean(), true),
      /** It is lifted after this, also when everything was restarted meanwhile. */
      revert: v.optional(duration, '4h'),
    }),
    {},
  ),
});
