import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { ExitCode, UserError } from '../../../base/errors.js';
import { defaultPaths, writeConfigFile } from '../../../config/index.js';
import { type Answers, type Preset, presetConfig, presets, presetText } from '../../../config/presets.js';
import { readConfigText } from '../../../config/read.js';
import type { CommandContext } from '../../context.js';
import { defineCommand, flag, value } from '../../define-command.js';
import { safe } from '../../output/output.js';
import { Questions } from '../../questions.js';
import { oneOf } from '../../values.js';

const destinations = ['none', 'file', 'elasticsearch', 'splunk', 'syslog', 'webhook'] as const;

const secretsFolder = '/Library/Application Support/launchwarden/secrets';

/** What is asked about a destination of each type: the key, the question, and what it is when nothing is answered. */
const asked: Readonly<Record<string, readonly (readonly [key: string, question: string, usual?: string])[]>> =
  {
    file: [['path', 'Which file takes the alerts?', '/Library/Logs/launchwarden/alerts.ndjson']],
    elasticsearch: [
      ['url', 'Address of Elasticsearch, https://host:9200'],
      ['api_key', 'Where the API key stands', `file:${secretsFolder}/elastic`],
    ],
    splunk: [
      ['url', 'Address of the HTTP Event Collector, https://host:8088'],
      ['token', 'Where the token stands', `file:${secretsFolder}/hec`],
    ],
    syslog: [['address', 'Receiver, host:port']],
    webhook: [['url', 'Address that takes the alerts, https://…']],
  };

async function askDestination(
  questions: Questions,
  check: (answers: Answers) => void,
): Promise<Answers | undefined> {
  const type = await questions.ask(`Where do alerts go? ${destinations.join(', ')}`, {
    usual: 'none',
    read: oneOf('the answer', destinations),
  });
  if (type === 'none') return undefined;
  let answers: Answers = { type };
  for (const [key, question, usual] of asked[type] ?? []) {
    const read = (text: string) => {
      const more = { ...answers, [key]: text };
      // The keys that are still to be asked for are missing yet.
      try {
        check(more);
      } catch (error) {
        const all: unknown[] =
          error instanceof UserError && Array.isArray(error.cause) ? error.cause : [error];
        const wrong = all.find((one) => !(one instanceof UserError) || one.code !== 'config/missing-key');
        if (wrong !== undefined) throw wrong;
      }
      return text;
    };
    answers = { ...answers, [key]: await questions.ask(question, { usual, read }) };
  }
  return answers;
}

async function askAll(
  context: CommandContext,
  file: string,
): Promise<{ readonly preset: Preset; readonly destination: Answers | undefined }> {
  const questions = new Questions(context.io);
  const { out } = context;
  try {
    for (const one of presets) out.line(`${one}: ${presetText(one)}.`);
    const preset = await questions.ask(`Which preset? ${presets.join(' or ')}`, {
      usual: 'complete',
      read: oneOf('the answer', presets),
    });
    const destination = await askDestination(
      questions,
      (answers) => void readConfigText(presetConfig(preset, answers), file),
    );
    return { preset, destination };
  } finally {
    await questions.close();
  }
}

/** The folder that it stands in; writing the file says why there is none. */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
  } catch {
    // Below.
  }
}

export const configInit = defineCommand({
  description:
    'Writes a configuration file to begin with, each key with what it means. On a terminal it asks; without one --preset says what\n' +
    'is written. The file is the one of --config, else the one that the agent reads. One that is there stays, unless --force.',
  options: {
    preset: value(
      '--preset NAME',
      `${presets.map((one) => `${one}: ${presetText(one)}`).join('; ')}`,
      oneOf('--preset', presets),
    ),
    force: flag('--force', 'replace the file when it is there'),
    json: flag('--json', 'one JSON document'),
  },
  examples: [
    { line: 'sudo launchwarden config init', says: 'asks, and writes what the agent reads' },
    { line: 'launchwarden config init --preset light --config config.toml', says: 'in a script' },
  ],
  needs: 'the right to write where the configuration stands (sudo)',
  async handler({ context, options }) {
    const { out, io, flags } = context;
    const root = flags.root === undefined ? undefined : path.resolve(io.cwd, flags.root);
    const file =
      flags.config === undefined
        ? defaultPaths(io.platform, root).config
        : path.resolve(io.cwd, flags.config);
    if (existsSync(file) && !options.force)
      throw new UserError('config/exists', 'there is a configuration already', {
        at: { file },
        hint: 'Edit it, name another one with --config, or replace it with --force.',
      });
    if (options.preset === undefined && !io.stdout.isTTY)
      throw new UserError('config/no-terminal', 'there is no terminal to ask on', {
        hint: `Say what is wanted: --preset ${presets.join(' or --preset ')}.`,
      });
    const { preset, destination } =
      options.preset === undefined
        ? await askAll(context, file)
        : { preset: options.preset, destination: undefined };
    const text = presetConfig(preset, destination);
    readConfigText(text, file);
    makeFolder(path.dirname(file));
    writeConfigFile(file, text);
    if (options.json) {
      out.document('config-init/1', { file, preset, destination: destination?.type ?? null });
      return ExitCode.ok;
    }
    out.line(`${safe(file)} is written. Next: launchwarden config check`);
    return ExitCode.ok;
  },
});
