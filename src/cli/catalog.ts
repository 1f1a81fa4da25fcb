import type { Command, Example } from './define-command.js';

/** A command, or a noun with its verbs. Only the chosen command's module is loaded. */
export interface CatalogEntry {
  readonly name: string;
  readonly summary: string;
  readonly load?: () => Promise<Command>;
  readonly commands?: readonly CatalogEntry[];
  /** Shown by its help; otherwise one of each of its first commands is. */
  readonly examples?: readonly Example[];
}

const alerts: readonly CatalogEntry[] = [
  {
    name: 'list',
    summary: 'List alerts, newest first',
    load: async () => (await import('./commands/alerts/list.js')).alertsList,
  },
  {
    name: 'show',
    summary: 'Show all that is known about one alert',
    load: async () => (await import('./commands/alerts/show.js')).alertsShow,
  },
  {
    name: 'investigate',
    summary: 'Ask everything that can be asked about an alert',
    load: async () => (await import('./commands/alerts/investigate.js')).alertsInvestigate,
  },
  {
    name: 'report',
    summary: 'Write one page about an alert, to be sent to somebody',
    load: async () => (await import('./commands/alerts/report.js')).alertsReport,
  },
  {
    name: 'ack',
    summary: 'Mark alerts as seen and being worked on',
    load: async () => (await import('./commands/alerts/triage.js')).alertsAck,
  },
  {
    name: 'close',
    summary: 'Close alerts',
    load: async () => (await import('./commands/alerts/triage.js')).alertsClose,
  },
  {
    name: 'reopen',
    summary: 'Open alerts again',
    load: async () => (await import('./commands/alerts/triage.js')).alertsReopen,
  },
  {
    name: 'assign',
    summary: 'Say who works on alerts',
    load: async () => (await import('./commands/alerts/triage.js')).alertsAssign,
  },
  {
    name: 'tag',
    summary: 'Put tags on alerts, or take them off',
    load: async () => (await import('./commands/alerts/triage.js')).alertsTag,
  },
  {
    name: 'history',
    summary: 'Show who did what to an alert, and when',
    load: async () => (await import('./commands/alerts/history.js')).alertsHistory,
  },
  {
    name: 'stats',
    summary: 'Count alerts by rule, user, priority, status and age',
    load: async () => (await import('./commands/alerts/stats.js')).alertsStats,
  },
  {
    name: 'export',
    summary: 'Write alerts as NDJSON or CSV',
    load: async () => (await import('./commands/alerts/export.js')).alertsExport,
  },
  {
    name: 'note',
    summary: 'Add a note to alerts',
    load: async () => (await import('./commands/alerts/note.js')).alertsNote,
  },
  {
    name: 'escalate',
    summary: 'Send an alert with its bundle to a destination',
    load: async () => (await import('./commands/alerts/escalate.js')).alertsEscalate,
  },
  {
    name: 'watch',
    summary: 'Print alerts as they are stored',
    load: async () => (await import('./commands/alerts/watch.js')).alertsWatch,
  },
];

const events: readonly CatalogEntry[] = [
  {
    name: 'list',
    summary: 'List recorded events, the newest last',
    load: async () => (await import('./commands/events/list.js')).eventsList,
  },
  {
    name: 'show',
    summary: 'Show an event with the processes around it',
    load: async () => (await import('./commands/events/show.js')).eventsShow,
  },
  {
    name: 'export',
    summary: 'Write recorded events as NDJSON',
    load: async () => (await import('./commands/events/export.js')).eventsExport,
  },
];

const inventory: readonly CatalogEntry[] = [
  {
    name: 'list',
    summary: 'List everything that persists on this Mac',
    load: async () => (await import('./commands/inventory/list.js')).inventoryList,
  },
  {
    name: 'show',
    summary: 'Show all that is known about one item',
    load: async () => (await import('./commands/inventory/show.js')).inventoryShow,
  },
  {
    name: 'diff',
    summary: 'Show what came, changed or went away',
    load: async () => (await import('./commands/inventory/diff.js')).inventoryDiff,
  },
  {
    name: 'export',
    summary: 'Write the whole inventory as NDJSON',
    load: async () => (await import('./commands/inventory/export.js')).inventoryExport,
  },
  {
    name: 'mechanisms',
    summary: 'List the ways to persist that are known',
    load: async () => (await import('./commands/inventory/mechanisms.js')).inventoryMechanisms,
  },
];

const evidence: readonly CatalogEntry[] = [
  {
    name: 'list',
    summary: 'List the versions of items that are kept',
    load: async () => (await import('./commands/evidence/list.js')).evidenceList,
  },
  {
    name: 'show',
    summary: 'Show a version with its content',
    load: async () => (await import('./commands/evidence/show.js')).evidenceShow,
  },
  {
    name: 'diff',
    summary: 'Show what differs between two versions',
    load: async () => (await import('./commands/evidence/diff.js')).evidenceDiff,
  },
  {
    name: 'export',
    summary: 'Write a version with its metadata into a folder',
    load: async () => (await import('./commands/evidence/export.js')).evidenceExport,
  },
];

const baseline: readonly CatalogEntry[] = [
  {
    name: 'save',
    summary: 'Call the state of now known good',
    load: async () => (await import('./commands/baseline/save.js')).baselineSave,
  },
  {
    name: 'list',
    summary: 'List what was called known good',
    load: async () => (await import('./commands/baseline/list.js')).baselineList,
  },
  {
    name: 'diff',
    summary: 'Compare what persists now with what is known good',
    load: async () => (await import('./commands/baseline/diff.js')).baselineDiff,
  },
  {
    name: 'approve',
    summary: 'Accept single items as they are now',
    load: async () => (await import('./commands/baseline/approve.js')).baselineApprove,
  },
  {
    name: 'remove',
    summary: 'Forget a baseline',
    load: async () => (await import('./commands/baseline/remove.js')).baselineRemove,
  },
];

const rules: readonly CatalogEntry[] = [
  {
    name: 'list',
    summary: 'List the rules that are loaded',
    load: async () => (await import('./commands/rules/list.js')).rulesList,
  },
  {
    name: 'show',
    summary: 'Show a rule with its query and investigation guide',
    load: async () => (await import('./commands/rules/show.js')).rulesShow,
  },
  {
    name: 'check',
    summary: 'Check rule files, and what each sensor tier supplies for them',
    load: async () => (await import('./commands/rules/check.js')).rulesCheck,
  },
  {
    name: 'enable',
    summary: 'Switch rules on',
    load: async () => (await import('./commands/rules/switch.js')).rulesEnable,
  },
  {
    name: 'disable',
    summary: 'Switch rules off',
    load: async () => (await import('./commands/rules/switch.js')).rulesDisable,
  },
  {
    name: 'import',
    summary: 'Copy rule files beside the configuration',
    load: async () => (await import('./commands/rules/import.js')).rulesImport,
  },
  {
    name: 'remove',
    summary: 'Remove imported rules',
    load: async () => (await import('./commands/rules/remove.js')).rulesRemove,
  },
  {
    name: 'new',
    summary: 'Write a rule file to begin with',
    load: async () => (await import('./commands/rules/new.js')).rulesNew,
  },
  {
    name: 'fields',
    summary: 'List the fields that rules can read',
    load: async () => (await import('./commands/rules/fields.js')).rulesFields,
  },
  {
    name: 'test',
    summary: 'Run the tests that rules carry',
    load: async () => (await import('./commands/rules/test.js')).rulesTest,
  },
  {
    name: 'explain',
    summary: 'Tell which predicate of a rule decided about an event',
    load: async () => (await import('./commands/rules/explain.js')).rulesExplain,
  },
];

const exceptions: readonly CatalogEntry[] = [
  {
    name: 'list',
    summary: 'List exceptions with their reasons, expiry and hits',
    load: async () => (await import('./commands/exceptions/list.js')).exceptionsList,
  },
  {
    name: 'add',
    summary: 'Propose exceptions for an alert, and write one',
    load: async () => (await import('./commands/exceptions/add.js')).exceptionsAdd,
  },
  {
    name: 'test',
    summary: 'Check exceptions, and what they would have hidden',
    load: async () => (await import('./commands/exceptions/test.js')).exceptionsTest,
  },
  {
    name: 'review',
    summary: 'Show the exceptions that somebody should look at again',
    load: async () => (await import('./commands/exceptions/review.js')).exceptionsReview,
  },
  {
    name: 'remove',
    summary: 'Remove exceptions',
    load: async () => (await import('./commands/exceptions/remove.js')).exceptionsRemove,
  },
];

const forward: readonly CatalogEntry[] = [
  {
    name: 'status',
    summary: 'Show what waits for each destination, and why',
    load: async () => (await import('./commands/forward/status.js')).forwardStatus,
  },
  {
    name: 'test',
    summary: 'Try whether a destination takes documents',
    load: async () => (await import('./commands/forward/test.js')).forwardTest,
  },
  {
    name: 'retry',
    summary: 'Try again now',
    load: async () => (await import('./commands/forward/control.js')).forwardRetry,
  },
  {
    name: 'pause',
    summary: 'Hold documents of a destination back',
    load: async () => (await import('./commands/forward/control.js')).forwardPause,
  },
  {
    name: 'resume',
    summary: 'Send to a destination again',
    load: async () => (await import('./commands/forward/control.js')).forwardResume,
  },
];

const dead: readonly CatalogEntry[] = [
  {
    name: 'list',
    summary: 'List dead letters',
    load: async () => (await import('./commands/outbox/dead.js')).deadList,
  },
  {
    name: 'show',
    summary: 'Show a dead letter',
    load: async () => (await import('./commands/outbox/dead.js')).deadShow,
  },
  {
    name: 'retry',
    summary: 'Put dead letters back into the queue',
    load: async () => (await import('./commands/outbox/dead.js')).deadRetry,
  },
  {
    name: 'export',
    summary: 'Print dead letters with their documents',
    load: async () => (await import('./commands/outbox/dead.js')).deadExport,
  },
  {
    name: 'purge',
    summary: 'Forget dead letters',
    load: async () => (await import('./commands/outbox/dead.js')).deadPurge,
  },
];

const respond: readonly CatalogEntry[] = [
  {
    name: 'all',
    summary: 'Boot out, end the processes and quarantine',
    load: async () => (await import('./commands/respond/all.js')).respondAll,
  },
  {
    name: 'boot-out',
    summary: 'Have launchd forget a job',
    load: async () => (await import('./commands/respond/boot-out.js')).respondBootOut,
  },
  {
    name: 'kill',
    summary: 'End processes with all that they started',
    load: async () => (await import('./commands/respond/kill.js')).respondKill,
  },
  {
    name: 'quarantine',
    summary: 'Move files away, safely and reversibly',
    load: async () => (await import('./commands/respond/quarantine.js')).respondQuarantine,
  },
  {
    name: 'restore',
    summary: 'Put an earlier version of a file back',
    load: async () => (await import('./commands/respond/restore.js')).respondRestore,
  },
  {
    name: 'restart-directory-service',
    summary: 'Restart what loads directory plug-ins',
    load: async () =>
      (await import('./commands/respond/restart-directory-service.js')).respondRestartDirectoryService,
  },
  {
    name: 'isolate',
    summary: 'Cut the network off, but for a few hosts, for a while',
    load: async () => (await import('./commands/respond/isolate.js')).respondIsolate,
  },
  {
    name: 'release',
    summary: 'Open the network again',
    load: async () => (await import('./commands/respond/isolate.js')).respondRelease,
  },
  {
    name: 'status',
    summary: 'Show what is quarantined, isolated, watched for, and done by itself',
    load: async () => (await import('./commands/respond/status.js')).respondStatus,
  },
  {
    name: 'list',
    summary: 'List what was done, newest first',
    load: async () => (await import('./commands/respond/list.js')).respondList,
  },
  {
    name: 'show',
    summary: 'Show the steps of one response',
    load: async () => (await import('./commands/respond/show.js')).respondShow,
  },
  {
    name: 'undo',
    summary: 'Take a response back',
    load: async () => (await import('./commands/respond/undo.js')).respondUndo,
  },
];

export const catalog: CatalogEntry = {
  name: 'launchwarden',
  summary: 'Detects what makes itself permanent on a Mac, on the Mac itself',
  examples: [
    { line: 'sudo launchwarden doctor', says: 'is it installed right, and does it see?' },
    { line: 'sudo launchwarden alerts list', says: 'what was found' },
    { line: 'sudo launchwarden alerts investigate 3f9a01c2', says: 'what is behind one of them' },
    { line: 'sudo launchwarden respond all 3f9a01c2 --dry-run', says: 'what would be done about it' },
  ],
  commands: [
    {
      name: 'run',
      summary: 'Run the agent in the foreground',
      load: async () => (await import('./commands/run.js')).run,
    },
    {
      name: 'status',
      summary: 'Show how the running agent fares',
      load: async () => (await import('./commands/status.js')).status,
    },
    {
      name: 'top',
      summary: 'Show which programs, folders and rules cause most work just now',
      load: async () => (await import('./commands/top.js')).top,
    },
    {
      name: 'doctor',
      summary: 'Examine the installation, and say what to do',
      load: async () => (await import('./commands/doctor.js')).doctor,
    },
    {
      name: 'reload',
      summary: 'Have the running agent read its configuration again',
      load: async () => (await import('./commands/reload.js')).reload,
    },
    {
      name: 'coverage',
      summary: 'Show what the sensors see of each rule',
      load: async () => (await import('./commands/coverage.js')).coverage,
    },
    { name: 'alerts', summary: 'Look at alerts and work on them', commands: alerts },
    { name: 'respond', summary: 'Act on what was found, reversibly', commands: respond },
    { name: 'events', summary: 'Look at what was recorded', commands: events },
    { name: 'inventory', summary: 'Look at everything that persists', commands: inventory },
    { name: 'baseline', summary: 'Say what is known good, and compare', commands: baseline },
    { name: 'evidence', summary: 'Look at what items were, version by version', commands: evidence },
    {
      name: 'report',
      summary: 'Write one page about this Mac, to be sent to somebody',
      load: async () => (await import('./commands/report.js')).report,
    },
    {
      name: 'collect',
      summary: 'Write all that is known about an alert into one archive',
      load: async () => (await import('./commands/collect.js')).collect,
    },
    {
      name: 'scan',
      summary: 'Judge everything that persists, and what it runs, now',
      load: async () => (await import('./commands/scan/scan.js')).scan,
    },
    { name: 'rules', summary: 'Look at detection rules', commands: rules },
    { name: 'exceptions', summary: 'Say what needs no alert', commands: exceptions },
    {
      name: 'hunt',
      summary: 'Run a query over stored events or a file',
      load: async () => (await import('./commands/hunt.js')).hunt,
    },
    {
      name: 'replay',
      summary: 'Run a capture through the rules and print the alerts',
      load: async () => (await import('./commands/replay.js')).replay,
    },
    { name: 'forward', summary: 'Look at the way to the SIEM', commands: forward },
    {
      name: 'outbox',
      summary: 'Look at what could not be sent',
      commands: [
        { name: 'dead', summary: 'Work on documents that a receiver will never take', commands: dead },
      ],
    },
    {
      name: 'siem',
      summary: 'Prepare a SIEM',
      commands: [
        {
          name: 'elastic-assets',
          summary: 'Print or install the templates and the pipeline for Elasticsearch',
          load: async () => (await import('./commands/siem/elastic-assets.js')).siemElasticAssets,
        },
      ],
    },
    {
      name: 'config',
      summary: 'Look at the configuration, and begin one',
      commands: [
        {
          name: 'show',
          summary: 'Show every setting in force',
          load: async () => (await import('./commands/config/show.js')).configShow,
        },
        {
          name: 'check',
          summary: 'Check the configuration and all that it names',
          load: async () => (await import('./commands/config/check.js')).configCheck,
        },
        {
          name: 'init',
          summary: 'Write a configuration to begin with',
          load: async () => (await import('./commands/config/init.js')).configInit,
        },
        {
          name: 'schema',
          summary: 'Print the JSON Schema of the configuration, for editors',
          load: async () => (await import('./commands/config/schema.js')).configSchema,
        },
        {
          name: 'manifest',
          summary: 'Print the manifest of managed preferences, for device management',
          load: async () => (await import('./commands/config/manifest.js')).configManifest,
        },
      ],
    },
    {
      name: 'policy',
      summary: 'Make and look at the signed policy of a fleet',
      commands: [
        {
          name: 'status',
          summary: 'Show which policy is in force, and how old it is',
          load: async () => (await import('./commands/policy/status.js')).policyStatus,
        },
        {
          name: 'keygen',
          summary: 'Make the key that signs policies',
          load: async () => (await import('./commands/policy/keygen.js')).policyKeygen,
        },
        {
          name: 'build',
          summary: 'Make a policy bundle of a folder',
          load: async () => (await import('./commands/policy/build.js')).policyBuild,
        },
        {
          name: 'sign',
          summary: 'Sign a policy bundle',
          load: async () => (await import('./commands/policy/sign.js')).policySign,
        },
        {
          name: 'verify',
          summary: 'Check a policy bundle as a Mac does',
          load: async () => (await import('./commands/policy/verify.js')).policyVerify,
        },
      ],
    },
    {
      name: 'install',
      summary: 'Install the agent as a launchd job',
      load: async () => (await import('./commands/install.js')).install,
    },
    {
      name: 'upgrade',
      summary: 'Replace the installed agent by another version',
      load: async () => (await import('./commands/upgrade.js')).upgrade,
    },
    {
      name: 'uninstall',
      summary: 'Stop and remove the installed agent',
      load: async () => (await import('./commands/uninstall.js')).uninstall,
    },
    {
      name: 'canary',
      summary: 'Prove the whole chain, from a launch item to what each destination acknowledged',
      load: async () => (await import('./commands/canary.js')).canary,
    },
    {
      name: 'verify',
      summary: 'Prove of exported alerts that none is missing and none was altered',
      load: async () => (await import('./commands/verify.js')).verify,
    },
    {
      name: 'prove',
      summary: 'Ask this Mac what only a Mac can tell',
      load: async () => (await import('./commands/prove.js')).prove,
    },
    {
      name: 'diagnostics',
      summary: 'Write what a maintainer needs into one redacted archive',
      load: async () => (await import('./commands/diagnostics.js')).diagnostics,
    },
    {
      name: 'completions',
      summary: 'Print completions for a shell',
      load: async () => (await import('./commands/completions.js')).completions,
    },
    {
      name: 'man',
      summary: 'Print the manual page',
      load: async () => (await import('./commands/man.js')).man,
    },
    {
      name: 'version',
      summary: 'Show the version of the program and of what it runs on',
      load: async () => (await import('./commands/version.js')).version,
    },
  ],
};
