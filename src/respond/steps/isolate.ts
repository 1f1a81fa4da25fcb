import { rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import path from 'node:path';
import { clip } from '../../base/escape.js';
import { formatMicros, type Micros } from '../../base/time.js';
import type { ToolAnswer } from '../../base/tool.js';
import type { Executor } from '../executor.js';
import type { Machine } from '../machine.js';
import type { Deed, Outcome, StepOf } from '../plan.js';
import { type Response, respondFolder } from '../response.js';

/** macOS's own /etc/pf.conf ends with `anchor "com.apple/*"`: what stands below it is in force without touching that file. */
const anchor = 'com.apple/launchwarden';
type Isolation = Extract<Deed, { readonly kind: 'isolate' }>;

export const isolate: Executor<'isolate'> = {
  does: ({ allow, dns, until }) =>
    `cut the network off until ${formatMicros(until)}, but for ${allow.join(', ') || 'nothing'}${dns ? ' and names (port 53)' : ''}`,
  async check(_step, machine) {
    const main = await machine.pfctl(['-s', 'rules']);
    if (main.status !== 0) return { state: 'failed', says: `pf cannot be asked: ${said(main)}` };
    if (!/anchor "com\.apple\/\*"/.test(main.stdout))
      return {
        state: 'refused',
        says: 'the rules of pf in force do not name com.apple/*, as those of macOS do: ours would not be looked at. Load /etc/pf.conf ("pfctl -f /etc/pf.conf")',
      };
    return { state: 'done', says: 'pf looks at our rules' };
  },
  async run(step, { machine, will }) {
    const checked = await this.check(step, machine);
    if (checked.state !== 'done') return checked;
    const deed: Isolation = { kind: 'isolate', until: step.until, rules: rulesText(step) };
    will(deed);
    return inForce(deed, machine);
  },
  resume: (deed, _step, { machine }) =>
    deed.kind === 'isolate' ? inForce(deed, machine) : Promise.resolve(damaged),
  checkUndo: () => Promise.resolve({ state: 'done', says: 'open the network again' }),
  async undo(deed, machine) {
    if (deed.kind !== 'isolate') return damaged;
    const flushed = await machine.pfctl(['-a', anchor, '-F', 'all']);
    // pf stays on for whoever else has switched it on.
    if (deed.token !== undefined) await machine.pfctl(['-X', deed.token]);
    const left = await machine.pfctl(['-a', anchor, '-s', 'rules']);
    rmSync(rulesFile(machine), { force: true });
    return left.status === 0 && left.stdout.trim() === ''
      ? { state: 'done', says: 'the network is open again' }
      : { state: 'failed', says: `the rules are still in force: ${said(flushed)}` };
  },
};

const damaged: Outcome = { state: 'failed', says: 'its journal is damaged' };

/** The isolation that a response keeps up; undefined when there is none. */
function isolationOf(response: Response): { readonly index: number; readonly deed: Isolation } | undefined {
  for (const [index, { state, deed, undo }] of response.records.entries())
    if (deed?.kind === 'isolate' && state === 'done' && undo?.state !== 'done') return { index, deed };
  return undefined;
}

export function isIsolating(response: Response): boolean {
  return isolationOf(response) !== undefined;
}

export function isolatedUntil(response: Response): Micros | undefined {
  return isolationOf(response)?.deed.until;
}

/**
 * False when the time of an isolation is over. Otherwise sees to it that its rules are in force, which a restart of the Mac
 * has taken away: `amended` gets what is to be undone then.
 */
export async function keepIsolated(
  response: Response,
  machine: Machine,
  amended: (index: number, outcome: Outcome) => void,
): Promise<boolean> {
  const found = isolationOf(response);
  if (found === undefined) return true;
  if (machine.clock.now() >= found.deed.until) return false;
  const now = await machine.pfctl(['-a', anchor, '-s', 'rules']);
  if (now.status === 0 && now.stdout.trim() === '') {
    const outcome = await inForce(found.deed, machine);
    if (outcome.state === 'done') amended(found.index, outcome);
  }
  return true;
}

async function inForce(deed: Isolation, machine: Machine): Promise<Outcome> {
  const file = rulesFile(machine);
  writeFileSync(file, deed.rules, { mode: 0o600 });
  const loaded = await machine.pfctl(['-a', anchor, '-f', file]);
  if (loaded.status !== 0) return { state: 'failed', says: `pf does not take the rules: ${said(loaded)}` };
  const enabled = await machine.pfctl(['-E']);
  const token = /Token\s*:\s*(\d{1,20})/.exec(`${enabled.stdout}\n${enabled.stderr}`)?.[1] ?? deed.token;
  const rules = await machine.pfctl(['-a', anchor, '-s', 'rules']);
  if (!/^block /m.test(rules.stdout))
    return { state: 'failed', says: `pf has not taken the rules: ${said(rules)}` };
  // What is connected already is cut off as well.
  await machine.pfctl(['-F', 'states']);
  return {
    state: 'done',
    says: `the network is cut off until ${formatMicros(deed.until)}`,
    deed: { ...deed, ...(token === undefined ? {} : { token }) },
  };
}

function rulesFile(machine: Machine): string {
  return path.join(respondFolder(machine.dataDir), 'isolation.pf');
}

function said({ status, stderr, stdout }: ToolAnswer): string {
  const [first = ''] = (stderr.trim() || stdout.trim()).split('\n');
  return `pfctl ended with ${status ?? 'no answer'}: ${clip(first, 200)}`;
}

/** True of an address or a network of addresses. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more !== undefined || address.includes('%')) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/** Rules of pf.conf(5); the first that matches decides. Addresses that are none are left out. */
export function rulesText({ allow, dns }: Pick<StepOf<'isolate'>, 'allow' | 'dns'>): string {
  const addresses = allow.filter(isNetwork);
  return [
    'pass quick on lo0 all',
    // The address itself: DHCP, and the neighbours of IPv6.
    'pass quick inet proto udp from any port { 67, 68 } to any port { 67, 68 }',
    'pass quick inet6 proto udp from any port { 546, 547 } to any port { 546, 547 }',
    'pass quick inet6 proto ipv6-icmp all icmp6-type { 133, 134, 135, 136 }',
    ...(dns ? ['pass out quick proto { tcp, udp } from any to any port 53 keep state'] : []),
    // Connections that are open already go on.
    ...addresses.flatMap((one) => [
      `pass out quick proto tcp from any to ${one} flags any keep state`,
      `pass out quick proto udp from any to ${one} keep state`,
    ]),
    'block drop quick all',
    '',
  ].join('\n');
}
