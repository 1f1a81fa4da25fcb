/** Why a client could not be made, and what cures it. Keys: EsResult of native/src/es/es_api.h, ESTypes.h. */
interface Trouble {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  /** True when it may work a moment later. */
  readonly transient?: boolean;
}

const useEslogger = 'launchwarden uses the eslogger sensor instead where that is allowed.';

const troubles: Readonly<Record<number, Trouble>> = {
  1: {
    code: 'argument',
    message: 'EndpointSecurity refused the request as invalid',
    hint: 'This is a fault of launchwarden: report it.',
  },
  2: {
    code: 'internal',
    message: "EndpointSecurity's subsystem cannot be reached",
    hint: 'It is tried again; when it lasts, restart the Mac.',
    transient: true,
  },
  3: {
    code: 'not-entitled',
    message: 'the main executable lacks the entitlement com.apple.developer.endpoint-security.client',
    hint: `Stock Node.js can never have it: it needs an app of your own, signed with a profile from Apple. ${useEslogger}`,
  },
  4: {
    code: 'not-permitted',
    message: 'Full Disk Access is missing',
    hint: 'Grant it in System Settings, Privacy & Security, Full Disk Access (or by an MDM profile), then restart the agent.',
  },
  5: {
    code: 'not-privileged',
    message: 'only root may use EndpointSecurity',
    hint: 'Run the agent as root: launchwarden install.',
  },
  6: {
    code: 'too-many-clients',
    message: 'the limit of EndpointSecurity clients is reached',
    hint: 'Another security product uses them up: stop one of its clients.',
    transient: true,
  },
  8: {
    code: 'unsupported',
    message: 'this system has no EndpointSecurity',
    hint: 'It needs macOS 13 or later.',
  },
  9: { code: 'muting', message: 'EndpointSecurity did not take the list of paths', hint: useEslogger },
  10: { code: 'subscribe', message: 'EndpointSecurity refused the subscription', hint: useEslogger },
};

/** The trouble behind a result that is not success (0). */
export function troubleOf(result: number): Trouble {
  return (
    troubles[result] ?? {
      code: 'unknown',
      message: `EndpointSecurity failed with result ${result}`,
      hint: useEslogger,
    }
  );
}
