import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { renderJob } from '../../../src/install/index.js';
import { type Written, xmlPlist } from '../../helpers/plist-writer.js';
import { cli, tempFolder } from '../../helpers/run-cli.js';
import { entitlements, infoPlist, job, mistakes, payloads, profile } from './payload-keys.js';

/** A property list as another reader than ours understands it. */
function read(text: string): Record<string, unknown> {
  const code = 'import json,plistlib,sys; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))';
  const done = spawnSync('python3', ['-c', code], { input: text, encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`python3 cannot read it: ${done.error?.message ?? done.stderr}`);
  return JSON.parse(done.stdout) as Record<string, unknown>;
}

const template = (name: string) => readFileSync(`launchd/${name}`, 'utf8');
const filled: Record<string, string> = {
  TEAM_ID: 'ABCDE12345',
  PROFILE_UUID: '6d2e3c0e-9b5d-4d2f-8f38-000000000001',
  PAYLOAD_UUID: '6d2e3c0e-9b5d-4d2f-8f38-000000000002',
  PROGRAM: '/Library/Application Support/launchwarden/bin/node',
  VERSION: '1.0.0',
  POLICY_URL: 'https://policy.example/launchwarden.bundle',
  POLICY_PUBLIC_KEY: 'zmbXKCOGbdJtnbSQFeVTTaLGK7wY5dLgpJKHqRzRtw4=',
  SIEM_URL: 'https://elastic.example:9200',
};
const fill = (text: string) => text.replace(/@([A-Z_]+)@/g, (whole, name: string) => filled[name] ?? whole);

interface Identity {
  readonly Identifier: string;
  readonly IdentifierType: string;
  readonly Allowed?: boolean;
  readonly Authorization?: string;
}

function mistakesOf(text: string): string[] {
  const whole = read(text);
  const contents = (whole['PayloadContent'] ?? []) as Record<string, unknown>[];
  const inside = contents.flatMap((one) => {
    const keys = payloads[String(one['PayloadType'])];
    const services = Object.values((one['Services'] ?? {}) as Record<string, Identity[]>).flat();
    return [
      ...(keys === undefined
        ? [`${one['PayloadType']} is no payload that is known here`]
        : mistakes(one, keys)),
      ...services.flatMap((identity) => identityMistakes(identity)),
    ];
  });
  return [...mistakes(whole, profile), ...inside];
}

/** A bundle is named by its identifier, a bare binary by its path; "Allowed" and "Authorization" exclude each other. */
function identityMistakes({ Identifier, IdentifierType, Allowed, Authorization }: Identity): string[] {
  const isPath = Identifier.startsWith('/');
  return [
    ...(isPath === (IdentifierType === 'path') ? [] : [`${Identifier} is named as ${IdentifierType}`]),
    ...((Allowed === undefined) !== (Authorization === undefined)
      ? []
      : [`${Identifier} needs exactly one of Allowed and Authorization`]),
  ];
}

describe('what launchd/ holds has the keys that Apple publishes', () => {
  const profiles = readdirSync('launchd/profiles');

  test.each(profiles)('%s', (name) => {
    const text = fill(template(`profiles/${name}`));
    expect(text).not.toMatch(/@[A-Z_]+@/);
    expect(mistakesOf(text)).toEqual([]);
  });

  test('there is a profile for an app bundle and one for a bare binary', () => {
    expect(profiles).toEqual(
      expect.arrayContaining([
        'full-disk-access-app.mobileconfig.in',
        'full-disk-access-binary.mobileconfig.in',
        'managed-login-item.mobileconfig.in',
      ]),
    );
  });

  test('the settings profile sets what the agent takes as managed preferences', async () => {
    const whole = read(fill(template('profiles/settings.mobileconfig.in')));
    const [payload = {}] = whole['PayloadContent'] as Record<string, Written>[];
    const settings = Object.entries(payload).filter(([key]) => !key.startsWith('Payload'));
    const root = tempFolder();
    const folder = path.join(root, 'Library', 'Managed Preferences');
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'com.launchwarden.agent.plist'), xmlPlist(Object.fromEntries(settings)), {
      mode: 0o644,
    });
    const shown = await cli(['config', 'show', '--origin', '--json', '--root', root]);
    expect(shown.stderr).toBe('');
    const managed = shown.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { key: string; origin: string })
      .filter(({ origin }) => origin === 'managed');
    expect(managed.map(({ key }) => key).sort()).toEqual([
      ...['destination[0].api_key', 'destination[0].name', 'destination[0].type', 'destination[0].url'],
      ...['policy.public_key', 'policy.url'],
    ]);
  });

  test('the job', () => {
    const rendered = read(renderJob({ node: '/opt/node', script: '/opt/lw.js' }));
    expect(mistakes(rendered, job)).toEqual([]);
    expect(rendered).toMatchObject({ ProcessType: 'Interactive', LegacyTimers: true });
  });

  test('the app bundle and its entitlements', () => {
    expect(mistakes(read(fill(template('app/Info.plist.in'))), infoPlist)).toEqual([]);
    for (const name of ['entitlements.plist', 'entitlements-without-endpoint-security.plist'])
      expect(mistakes(read(template(name)), entitlements)).toEqual([]);
  });

  test.each([
    [
      'an unknown key',
      '<key>Allowed</key>',
      '<key>Extra</key><true/><key>Allowed</key>',
      "no key of Apple's",
    ],
    ['a payload of an unknown type', 'com.apple.TCC', 'com.example.TCC', 'is no payload that is known here'],
    ['a key that Apple does not have', '<key>Services</key>', '<key>Service</key>', 'Services is missing'],
    ['a bundle named by path', '<string>bundleID</string>', '<string>path</string>', 'is named as path'],
    [
      'a wrong type',
      '<key>Allowed</key>\n\t\t\t\t\t\t<true/>',
      '<key>Allowed</key><string>yes</string>',
      'is a string',
    ],
    [
      'both ways to allow',
      '<key>Allowed</key>',
      '<key>Authorization</key><string>Allow</string><key>Allowed</key>',
      'exactly one of',
    ],
  ])('the check finds %s', (_what, good, bad, mistake) => {
    const text = fill(template('profiles/full-disk-access-app.mobileconfig.in'));
    expect(text).toContain(good);
    expect(mistakesOf(text.replace(good, bad)).join('\n')).toContain(mistake);
  });
});
