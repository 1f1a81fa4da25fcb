import { lookup } from 'node:dns/promises';
import { messageOf, UserError } from '../../../base/errors.js';
import { quote } from '../../../base/escape.js';
import type { Settings } from '../../../config/index.js';
import { allResponses, isIsolating, isNetwork, isolatePlan } from '../../../respond/index.js';
import { defineCommand, value } from '../../define-command.js';
import { notRunning } from '../../not-running.js';
import { findAlertId } from '../alerts/find.js';
import { act, actNeeds, actOptions, undo } from './act.js';

export const respondIsolate = defineCommand({
  description:
    'Cuts the network off with rules of pf, but for the destinations of the configuration and what [respond.isolation]\n' +
    'allows, whose addresses are looked up now. The running agent keeps that up, also after a restart of the Mac, and\n' +
    'lifts it after a while (revert). It is off unless the configuration says "enabled = true".',
  options: {
    alert: value('--alert ALERT', 'keep the result with this alert', (text) => text),
    ...actOptions,
  },
  examples: [
    { line: 'sudo launchwarden respond isolate --dry-run', says: 'who would stay reachable' },
    {
      line: 'sudo launchwarden respond isolate --alert 3f9a01c2',
      says: 'for as long as the configuration says',
    },
  ],
  needs: `${actNeeds}; a running agent, which lifts it again`,
  handler: async ({ context, options }) => {
    const { respond, destinations } = await context.settings();
    const { enabled, allow, dns, revert } = respond.isolation;
    if (!enabled && !options.dryRun)
      throw new UserError('respond/isolation-off', 'isolation is switched off', {
        hint: 'Set "enabled = true" below [respond.isolation], with what has to stay reachable in "allow".',
      });
    // Nobody else would open the network again.
    if (!options.dryRun && (await context.askDaemon('status', undefined)) === undefined)
      throw await notRunning(context);
    const addresses = await addressesOf([...allow, ...hostsOf(destinations)]);
    return act(context, options, ({ store, machine }) => {
      const alert = options.alert === undefined ? undefined : findAlertId(store, options.alert);
      if (!options.dryRun && allResponses(machine.dataDir).some(isIsolating))
        throw new UserError('respond/isolated', 'this Mac is isolated already', {
          hint: '"launchwarden respond release" opens the network again.',
        });
      return isolatePlan({ allow: addresses, dns, until: machine.clock.now() + revert }, alert);
    });
  },
});

export const respondRelease = defineCommand({
  description: 'Undoes the response that has isolated this Mac.',
  options: { rootScope: actOptions.rootScope, json: actOptions.json },
  examples: [{ line: 'sudo launchwarden respond release', says: 'open the network again' }],
  needs: actNeeds,
  handler: ({ context, options }) =>
    undo(context, { ...options, dryRun: false }, (dataDir) => {
      const found = allResponses(dataDir).find(isIsolating);
      if (found !== undefined) return found;
      throw new UserError('respond/not-isolated', 'this Mac is not isolated', {
        hint: 'See "launchwarden respond status".',
      });
    }),
});

/** The hosts that destinations are reached by. */
function hostsOf(destinations: Settings['destinations']): string[] {
  return destinations.flatMap((one) => {
    const { url, address, proxy, brokers } = one as {
      readonly url?: unknown;
      readonly address?: unknown;
      readonly proxy?: unknown;
      readonly brokers?: unknown;
    };
    const urls = [proxy ?? url].filter((text): text is string => typeof text === 'string');
    const pairs = [address, ...(Array.isArray(brokers) ? brokers : [])].filter(
      (text) => typeof text === 'string',
    );
    return [
      ...urls.flatMap((text) => (URL.canParse(text) ? [new URL(text).hostname.replace(/^\[|\]$/g, '')] : [])),
      ...pairs.map((text) => text.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')),
    ];
  });
}

/** Addresses as they are, names looked up: what is allowed must not depend on who answers for a name later. */
async function addressesOf(hosts: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    [...new Set(hosts)].map(async (host) => {
      if (isNetwork(host)) return [host];
      try {
        return (await lookup(host, { all: true })).map(({ address }) => address);
      } catch (error) {
        throw new UserError(
          'respond/unknown-host',
          `${quote(host)} has to stay reachable and cannot be looked up: ${messageOf(error)}`,
          {
            hint: 'Write its address into "allow" below [respond.isolation], or take the destination out.',
          },
        );
      }
    }),
  );
  return [...new Set(found.flat())].filter(isNetwork);
}
