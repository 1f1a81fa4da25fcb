import type { Command } from './define-command.js';

/** A command, or a noun with its verbs. Only the chosen command's module is loaded. */
export interface CatalogEntry {
  readonly name: string;
  readonly summary: string;
  readonly load?: () => Promise<Command>;
  readonly commands?: readonly CatalogEntry[];
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
    name: 'note',
    summary: 'Add a note to an alert',
    load: async () => (await import('./commands/alerts/note.js')).alertsNote,
  },
  {
    name: 'watch',
    summary: 'Print alerts as they are stored',
    load: async () => (await import('./commands/alerts/watch.js')).alertsWatch,
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

export const catalog: CatalogEntry = {
  name: 'launchwarden',
  summary: 'Detects what makes itself permanent on a Mac, on the Mac itself',
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
    { name: 'alerts', summary: 'Look at alerts and work on them', commands: alerts },
    { name: 'rules', summary: 'Look at detection rules', commands: rules },
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
    {
      name: 'config',
      summary: 'Look at the configuration',
      commands: [
        {
          name: 'show',
          summary: 'Show every setting in force',
          load: async () => (await import('./commands/config/show.js')).configShow,
        },
      ],
    },
    {
      name: 'install',
      summary: 'Install the agent as a launchd job',
      load: async () => (await import('./commands/install.js')).install,
    },
    {
      name: 'uninstall',
      summary: 'Remove the launchd job',
      load: async () => (await import('./commands/uninstall.js')).uninstall,
    },
    {
      name: 'version',
      summary: 'Show the version of the program and of what it runs on',
      load: async () => (await import('./commands/version.js')).version,
    },
  ],
};
