/**
 * The keys that Apple publishes for what stands in `launchd/`: names, types, which are required, which values are allowed.
 * Sources: apple/device-management (mdm/profiles), launchd.plist(5), Information Property List reference.
 */
export interface Key {
  readonly type: 'string' | 'integer' | 'boolean' | 'array' | 'dictionary';
  readonly required?: true;
  readonly values?: readonly unknown[];
  /** Of a dictionary: its keys. Of an array: the keys of each dictionary in it, or the type of each value. */
  readonly keys?: Keys;
  readonly of?: Key['type'];
}

export type Keys = Readonly<Record<string, Key>>;

const string: Key = { type: 'string' };
const requiredString: Key = { type: 'string', required: true };
const boolean: Key = { type: 'boolean' };

const commonPayload: Keys = {
  PayloadIdentifier: requiredString,
  PayloadUUID: requiredString,
  PayloadType: requiredString,
  PayloadVersion: { type: 'integer', required: true, values: [1] },
  PayloadDescription: string,
  PayloadDisplayName: string,
  PayloadOrganization: string,
};

export const profile: Keys = {
  ...commonPayload,
  PayloadType: { ...requiredString, values: ['Configuration'] },
  PayloadScope: { ...string, values: ['System', 'User'] },
  PayloadRemovalDisallowed: boolean,
  // Each of its dictionaries is checked against `payloads`.
  PayloadContent: { type: 'array', required: true, of: 'dictionary' },
};

const identity: Keys = {
  Identifier: requiredString,
  IdentifierType: { ...requiredString, values: ['bundleID', 'path'] },
  CodeRequirement: requiredString,
  StaticCode: boolean,
  // Exactly one of the two.
  Allowed: boolean,
  Authorization: { ...string, values: ['Allow', 'Deny', 'AllowStandardUserToSetSystemService'] },
  Comment: string,
};

const managedRule: Keys = {
  RuleType: {
    ...requiredString,
    values: ['BundleIdentifier', 'BundleIdentifierPrefix', 'Label', 'LabelPrefix', 'TeamIdentifier'],
  },
  RuleValue: requiredString,
  Comment: string,
  TeamIdentifier: string,
};

/** By `PayloadType`. */
export const payloads: Readonly<Record<string, Keys>> = {
  'com.apple.TCC.configuration-profile-policy': {
    ...commonPayload,
    Services: {
      type: 'dictionary',
      required: true,
      keys: { SystemPolicyAllFiles: { type: 'array', keys: identity } },
    },
  },
  'com.apple.servicemanagement': {
    ...commonPayload,
    Rules: { type: 'array', required: true, keys: managedRule },
  },
  // Ours: the keys are those of the configuration, which the agent itself checks.
  'com.launchwarden.agent': {
    ...commonPayload,
    policy: { type: 'dictionary', required: true, keys: { url: string, public_key: string } },
    destination: { type: 'array', required: true, of: 'dictionary' },
  },
};

/** As far as the job uses them. */
export const job: Keys = {
  Label: requiredString,
  ProgramArguments: { type: 'array', required: true, of: 'string' },
  RunAtLoad: boolean,
  KeepAlive: boolean,
  ThrottleInterval: { type: 'integer' },
  ExitTimeOut: { type: 'integer' },
  AssociatedBundleIdentifiers: { type: 'array', of: 'string' },
  ProcessType: { ...string, values: ['Background', 'Standard', 'Adaptive', 'Interactive'] },
  LegacyTimers: boolean,
  Umask: { type: 'integer' },
  SoftResourceLimits: { type: 'dictionary', keys: { NumberOfFiles: { type: 'integer' } } },
  WorkingDirectory: string,
  EnvironmentVariables: { type: 'dictionary', keys: { PATH: string } },
  StandardErrorPath: string,
};

export const infoPlist: Keys = {
  CFBundleIdentifier: requiredString,
  CFBundleName: requiredString,
  CFBundleExecutable: requiredString,
  CFBundlePackageType: { ...requiredString, values: ['APPL'] },
  CFBundleInfoDictionaryVersion: { ...requiredString, values: ['6.0'] },
  CFBundleShortVersionString: requiredString,
  CFBundleVersion: requiredString,
  LSBackgroundOnly: boolean,
  LSMinimumSystemVersion: { ...requiredString, values: ['13.0'] },
};

export const entitlements: Keys = {
  'com.apple.developer.endpoint-security.client': boolean,
  'com.apple.security.cs.allow-jit': boolean,
};

/** What is wrong with a property list, one sentence each. */
export function mistakes(value: unknown, keys: Keys, where = ''): string[] {
  const found = value as Record<string, unknown>;
  const missing = Object.entries(keys)
    .filter(([name, { required }]) => required === true && found[name] === undefined)
    .map(([name]) => `${where}${name} is missing`);
  const wrong = Object.entries(found).flatMap(([name, one]) => {
    const key = keys[name];
    return key === undefined
      ? [`${where}${name} is no key of Apple's`]
      : checkOne(one, key, `${where}${name}`);
  });
  return [...missing, ...wrong];
}

function checkOne(value: unknown, { type, values, keys, of }: Key, where: string): string[] {
  if (typeOf(value) !== type) return [`${where} is a ${typeOf(value)}, not a ${type}`];
  if (values?.includes(value) === false) return [`${where} is ${JSON.stringify(value)}`];
  if (type === 'dictionary') return keys === undefined ? [] : mistakes(value, keys, `${where}.`);
  if (type !== 'array') return [];
  return (value as unknown[]).flatMap((one, index) => {
    const at = `${where}[${index}]`;
    if (keys !== undefined) return mistakes(one, keys, `${at}.`);
    return of === undefined || typeOf(one) === of ? [] : [`${at} is a ${typeOf(one)}, not a ${of}`];
  });
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'real';
  return typeof value === 'object' ? 'dictionary' : typeof value;
}
