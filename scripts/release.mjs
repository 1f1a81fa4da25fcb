// Makes a signed, notarised package of a payload, on a Mac, and what other tools need to install it.
//
//   npm run package -- --arch arm64 && npm run package -- --arch x64
//   node scripts/release.mjs --payload DIR [--payload DIR] --identity NAME --installer-identity NAME --keychain-profile NAME
//     --provisioning-profile FILE    of your team, with EndpointSecurity: without it the app gets no such entitlement
//     --base-url URL, --homepage URL, --team-id ID, --team-name NAME    for packaging/; what is not given stays a placeholder
//     --out DIR        build/release
//     --dry-run        prints every step and does none; --json one document a step
//   node scripts/release.mjs --packaging-only    fills packaging/ with what is given, without a package
//
// The names are those that "security find-identity" prints; the keychain profile is made once by
// "xcrun notarytool store-credentials". docs/deploy.md tells what comes of it.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { endWithFailure, Failure } from './package/failure.mjs';
import { writePackaging } from './package/packaging.mjs';
import { layout } from './package/payload.mjs';
import { releasePlan } from './package/release-plan.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

function readOptions() {
  const text = { type: 'string' };
  const flag = { type: 'boolean', default: false };
  try {
    const { values } = parseArgs({
      options: {
        payload: { type: 'string', multiple: true, default: [] },
        identity: text,
        'installer-identity': text,
        'keychain-profile': text,
        'provisioning-profile': text,
        'base-url': text,
        homepage: text,
        'team-id': text,
        'team-name': text,
        out: text,
        'dry-run': flag,
        json: flag,
        'packaging-only': flag,
      },
    });
    return values;
  } catch (error) {
    throw new Failure(
      'release/usage',
      error.message,
      'See the head of scripts/release.mjs for what there is.',
    );
  }
}

/** What a payload is, by its manifest. */
function readPayload(folder) {
  const file = path.join(folder, layout.manifest);
  if (!existsSync(file))
    throw new Failure(
      'release/no-payload',
      `${folder} holds no payload`,
      'Make one with "npm run package -- --arch arm64".',
    );
  const { version, platform, arch } = JSON.parse(readFileSync(file, 'utf8'));
  if (platform !== 'darwin')
    throw new Failure('release/not-for-a-mac', `${folder} is a payload for ${platform}`);
  return { folder: path.resolve(folder), version, arch };
}

function requireGiven(options, names) {
  const missing = names.filter((name) => options[name] === undefined);
  if (missing.length === 0) return;
  throw new Failure(
    'release/usage',
    `missing: ${missing.map((name) => `--${name}`).join(', ')}`,
    'See the head of scripts/release.mjs for what they are.',
  );
}

function requireTools(plan) {
  const names = new Set(plan.flatMap(({ run }) => (run === undefined ? [] : [run[0]])));
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  const missing = [...names].filter(
    (name) => !path.isAbsolute(name) && !folders.some((folder) => existsSync(path.join(folder, name))),
  );
  if (missing.length === 0) return;
  throw new Failure(
    'release/needs-a-mac',
    `these tools of Apple are not here: ${missing.join(', ')}`,
    'Run it on a Mac with the Command Line Tools, or use --dry-run to see what would be done.',
  );
}

const quoted = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

function print(step, json) {
  if (json) console.log(JSON.stringify({ schema: 'launchwarden.release-step/1', ...step }));
  else if (step.run !== undefined) console.log(`# ${step.does}\n${step.run.map(quoted).join(' ')}`);
  else if (step.copy !== undefined)
    console.log(`# ${step.does}\ncp ${quoted(step.copy.from)} ${quoted(step.copy.to)}`);
  else console.log(`# ${step.does}: ${step.write.file}`);
}

function act(step) {
  if (step.write !== undefined) {
    mkdirSync(path.dirname(step.write.file), { recursive: true });
    writeFileSync(step.write.file, step.write.text, { mode: step.write.mode });
    return;
  }
  if (step.copy !== undefined) {
    copyFileSync(step.copy.from, step.copy.to);
    return;
  }
  const [command, ...args] = step.run;
  const done = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (done.status === 0) return;
  throw new Failure(
    'release/step-failed',
    `could not ${step.does}: ${done.error?.message ?? `${command} ended with ${done.status ?? done.signal}`}`,
    'What was made so far stays; cure it and run this again, from a fresh payload.',
  );
}

function describe(file) {
  const content = readFileSync(file);
  return { sha256: createHash('sha256').update(content).digest('hex'), bytes: content.length };
}

function packaging(options, out, packages) {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const folder = path.join(out, 'packaging');
  const left = writePackaging(root, folder, {
    version,
    baseUrl: options['base-url'],
    homepage: options.homepage,
    teamId: options['team-id'],
    teamName: options['team-name'],
    packages,
  });
  console.log(folder);
  if (left.length > 0) console.log(`to be filled in by hand: ${left.join(', ')}`);
}

async function main() {
  const options = readOptions();
  const out = path.resolve(options.out ?? path.join(root, 'build', 'release'));
  if (options['packaging-only']) {
    packaging(options, out);
    return;
  }
  requireGiven(options, ['identity', 'installer-identity', 'keychain-profile']);
  if (options.payload.length === 0) requireGiven({}, ['payload']);
  const payloads = options.payload.map(readPayload);
  const plan = payloads.flatMap((payload) =>
    releasePlan(root, {
      payload,
      out,
      identity: options.identity,
      installerIdentity: options['installer-identity'],
      keychainProfile: options['keychain-profile'],
      provisioningProfile: options['provisioning-profile'],
    }),
  );
  if (!options['dry-run']) requireTools(plan);
  for (const step of plan) {
    print(step, options.json);
    if (!options['dry-run']) act(step);
  }
  if (options['dry-run']) return;
  const packages = {};
  for (const { version, arch } of payloads) {
    const file = path.join(out, `launchwarden-${version}-darwin-${arch}.pkg`);
    packages[arch] = describe(file);
    writeFileSync(`${file}.sha256`, `${packages[arch].sha256}  ${path.basename(file)}\n`);
  }
  packaging(options, out, packages);
}

await endWithFailure(main);
