import { whatRuns } from '../base/what-runs/index.js';
import { firstItems, ownersItem } from './item.js';
import { elementsOf, type Json, jsonOf, member, membersOf, stringOf } from './json.js';
import type { Mechanism, MechanismFile, PersistentItem, Place } from './mechanism.js';
import { linesOf, runsOfShell } from './read.js';
import { variableFinding } from './search-path.js';

const support = 'Library/Application Support';
const files = [
  ...['.claude/settings.json', '.claude/settings.local.json', '.gemini/settings.json', '.cursor/hooks.json'],
  ...[
    '.cursor/mcp.json',
    '.codeium/windsurf/mcp_config.json',
    '.copilot/mcp-config.json',
    '.kiro/settings/mcp.json',
  ],
  ...[`${support}/Claude/claude_desktop_config.json`, `${support}/Code/User/mcp.json`],
];
const tables = ['.codex/config.toml'];
const managed = '/Library/Application Support/ClaudeCode';

/** Commands that coding assistants run by themselves: hooks, servers of tools, helpers. Source: the manuals of each. */
export const assistantHook: Mechanism = {
  id: 'assistant-hook',
  name: 'hook of a coding assistant',
  techniques: ['T1546'],
  confidential: true,
  places: [
    ...[...files, ...tables].map((path): Place => ({ scope: 'home', path, what: 'file' })),
    ...['managed-settings.json', 'managed-mcp.json'].map(
      (name): Place => ({ scope: 'system', path: `${managed}/${name}`, what: 'file' }),
    ),
  ],
  read: (file) => firstItems(/\.toml$/i.test(file.path) ? linesIn(file) : commandsIn(file)),
  removal: ({ label }, { path }) => `Delete ${label ?? 'the command'} from ${path}.`,
};

/** Settings whose value is a command of a shell, or an object with one. */
const helpers = ['apiKeyHelper', 'awsAuthRefresh', 'awsCredentialExport', 'otelHeadersHelper', 'statusLine'];
const more = ['fileSuggestion', 'toolDiscoveryCommand', 'toolCallCommand', 'notify'];

function* commandsIn(file: MechanismFile): Generator<PersistentItem> {
  const settings = jsonOf(file);
  for (const [event, value] of membersOf(member(settings, 'hooks')))
    for (const { command } of hooksIn(value, 0)) yield item(file, `hooks.${event}`, command);
  for (const name of [...helpers, ...more]) {
    const value = member(settings, name);
    const command = stringOf(value) ?? stringOf(member(value, 'command'));
    if (command !== undefined) yield item(file, name, command);
  }
  for (const name of ['mcpServers', 'servers', 'context_servers'])
    for (const [server, value] of membersOf(member(settings, name))) {
      const command = stringOf(member(value, 'command'));
      const args = elementsOf(member(value, 'args')).flatMap((one) => stringOf(one) ?? []);
      if (command !== undefined) yield item(file, `${name}.${server}`, command, args.slice(0, 256));
    }
  for (const [name, value] of membersOf(member(settings, 'env'))) {
    const text = stringOf(value);
    const finding = text === undefined || name === 'PATH' ? undefined : variableFinding(name, text);
    if (finding === undefined) continue;
    yield ownersItem({
      key: `env.${name}=${text}`,
      label: `env.${name}`,
      when: ['host-program'],
      findings: [finding],
    });
  }
}

/** `notify = ["program", "argument"]`, and `command` and `args` of a table of a server. */
function* linesIn(file: MechanismFile): Generator<PersistentItem> {
  let table = '';
  let command: string | undefined;
  const pending = () => (command === undefined ? [] : [item(file, `${table}.command`, command)]);
  for (const { text } of linesOf(file)) {
    const head = /^\[\s*([^\]]{1,256})\]/.exec(text)?.[1];
    const [, name = '', value = ''] = /^(notify|command|args)\s*=\s*(.*)$/.exec(text) ?? [];
    const words = [...value.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'/g)]
      .slice(0, 256)
      .map(([, double, single]) => double?.replace(/\\(.)/g, '$1') ?? single ?? '');
    if (head !== undefined) {
      yield* pending();
      [table, command] = [head.trim(), undefined];
    } else if (name === 'notify' && words[0] !== undefined) yield item(file, name, words[0], words.slice(1));
    else if (name === 'command') command = words[0];
    else if (name === 'args' && command !== undefined) {
      yield item(file, `${table}.command`, command, words);
      command = undefined;
    }
  }
  yield* pending();
}

/** `[{"matcher": "", "hooks": [{"type": "command", "command": "..."}]}]`, or the same with fewer levels. */
function* hooksIn(value: Json | undefined, depth: number): Generator<{ readonly command: string }> {
  if (depth > 4) return;
  for (const one of elementsOf(value).slice(0, 256)) {
    const command = stringOf(member(one, 'command')) ?? stringOf(member(one, 'bash'));
    if (command !== undefined) yield { command };
    yield* hooksIn(member(one, 'hooks'), depth + 1);
  }
}

function item(file: MechanismFile, label: string, command: string, args?: readonly string[]): PersistentItem {
  const text = [command, ...(args ?? [])].join(' ');
  return ownersItem({
    key: `${label}=${text}`,
    label,
    runs: [
      args === undefined
        ? runsOfShell(command, file.path)
        : whatRuns({ args: [command, ...args], itemPath: file.path }),
    ],
    when: ['host-program'],
  });
}
