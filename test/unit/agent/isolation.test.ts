import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { changedOp, Responding } from '../../../src/agent/responding.js';
import { silentLogger } from '../../../src/base/log.js';
import { loadSettings } from '../../../src/config/index.js';
import {
  allResponses,
  isIsolating,
  isolatePlan,
  lockResponses,
  type Response,
} from '../../../src/respond/index.js';
import { journalOf } from '../../../src/respond/response.js';
import { rulesText } from '../../../src/respond/steps/isolate.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { noAddon, type RespondPlace, respondPlace } from '../../helpers/respond-place.js';
import { standInPf } from '../../helpers/stand-in-pf.js';
import { waitFor } from '../../simulation/mac.js';

// Real processes, on a machine that may have much else to do.
vi.setConfig({ testTimeout: 60_000 });

const by = { author: 'tester' };
const allow = ['192.0.2.7', '2001:db8::/32'];
const minute = 60_000_000;

test('the rules let pass what keeps an address, what is allowed, and nothing else', () => {
  expect(rulesText({ allow: [...allow, '0.0.0.0/33', 'any', '10.0.0.1\npass all', ''], dns: true })).toBe(
    `pass quick on lo0 all
pass quick inet proto udp from any port { 67, 68 } to any port { 67, 68 }
pass quick inet6 proto udp from any port { 546, 547 } to any port { 546, 547 }
pass quick inet6 proto ipv6-icmp all icmp6-type { 133, 134, 135, 136 }
pass out quick proto { tcp, udp } from any to any port 53 keep state
pass out quick proto tcp from any to 192.0.2.7 flags any keep state
pass out quick proto udp from any to 192.0.2.7 keep state
pass out quick proto tcp from any to 2001:db8::/32 flags any keep state
pass out quick proto udp from any to 2001:db8::/32 keep state
block drop quick all
`,
  );
  expect(rulesText({ allow: [], dns: false })).not.toMatch(/port 53|keep state/);
});

describe.skipIf(noAddon !== undefined)('an isolation under the agent', () => {
  function setUp() {
    const place = respondPlace();
    const pf = standInPf(place.host('/sbin/pfctl'));
    const clock = new ManualClock(place.machine.clock.now());
    const { respond } = loadSettings({
      flags: { dataDir: place.dataDir, root: place.root },
      cwd: place.base,
      platform: 'linux',
    });
    const said: string[] = [];
    /** An agent begins; the one before may have been killed. */
    const agent = (): Responding => {
      const responding = new Responding({
        settings: { dataDir: place.dataDir, respond },
        ...{ store: place.store, root: place.machine.root, clock, log: silentLogger },
        ...{ scopePid: process.pid, destinations: [], runs: () => true },
        revised: () => {},
        said: (_author, text) => void said.push(text),
      });
      responding.start();
      onTestFinished(() => responding.stop());
      return responding;
    };
    const until = () => clock.now() + minute;
    return { place, pf, clock, said, agent, until };
  }

  /** As the command line does it: one at a time on a data folder. */
  const isolated = async ({ engine, dataDir }: RespondPlace, until: number): Promise<Response> => {
    const lock = await lockResponses(dataDir, 10_000);
    try {
      return await engine.run(isolatePlan({ allow, dns: false, until }), by);
    } finally {
      lock.release();
    }
  };
  const states = ({ dataDir }: RespondPlace) => allResponses(dataDir).map(({ state }) => state);
  const watched = (agent: Responding) =>
    waitFor('the agent to watch it', () =>
      (agent.status() as { isolated: boolean }).isolated ? true : undefined,
    );
  /** What is waited for happens at one of the agent's looks. */
  const within = (clock: ManualClock, what: string, done: () => boolean) =>
    waitFor(what, () => {
      if (done()) return true;
      clock.pass(5_000);
      return undefined;
    });

  test('is put in force again after a restart of the Mac, and lifted when its time is over', async () => {
    const { place, pf, clock, said, agent, until } = setUp();
    const responding = agent();
    const response = await isolated(place, until());
    expect(response.state).toBe('done');
    responding.handlers()[changedOp]?.(undefined);
    await watched(responding);
    const rules = pf.rules();
    pf.forget();
    clock.pass(5_000);
    await waitFor('the rules', () => (pf.rules() === rules ? true : undefined));
    await within(clock, 'the network to be open', () => pf.rules() === '');
    await waitFor('the end', () => (states(place)[0] === 'undone' ? true : undefined));
    expect(pf.released()).toBe('4711');
    expect(pf.calls().filter((one) => one.startsWith('-F states'))).toHaveLength(2);
    expect(said.at(-1)).toContain('the network is open again');
    await waitFor('the timer to end', () => (clock.waiting === 0 ? true : undefined));
  });

  test('its time goes on while no agent runs: the next one lifts it', async () => {
    const { place, pf, clock, agent, until } = setUp();
    const first = agent();
    await isolated(place, until());
    first.handlers()[changedOp]?.(undefined);
    await watched(first);
    await first.stop();
    clock.pass(90_000);
    expect(pf.rules()).toContain('block drop quick all');
    await watched(agent());
    clock.pass(5_000);
    await waitFor('the end', () => (states(place)[0] === 'undone' ? true : undefined));
    expect(pf.rules()).toBe('');
  });

  /** A journal as a crash leaves it: lines up to a point. */
  function cutOff({ dataDir }: RespondPlace, lines: readonly object[]): void {
    const journal = journalOf(dataDir, 'abcdefabcdef');
    for (const line of lines) journal.append(line);
    journal.close();
  }

  const crashed = (until: number) => {
    const plan = isolatePlan({ allow, dns: false, until });
    const deed = { kind: 'isolate', until, rules: rulesText({ allow, dns: false }) };
    const begun = [
      { plan, time: 1, author: 'tester', automatic: false, simulated: true },
      { begin: 0, deed, time: 2 },
    ];
    const done = { end: 0, time: 3, state: 'done', says: 'cut off', deed: { ...deed, token: '4711' } };
    return { begun, whole: [...begun, done, { ended: 'done', time: 4 }], deed: done.deed };
  };

  test('that a crash has cut off before the rules were in force is finished, and ends in time', async () => {
    const { place, pf, clock, agent, until } = setUp();
    cutOff(place, crashed(until()).begun);
    await watched(agent());
    expect(pf.rules()).toContain('block drop quick all');
    const [response] = allResponses(place.dataDir);
    expect(isIsolating(response as Response)).toBe(true);
    await within(clock, 'the network to be open', () => pf.rules() === '');
  });

  test('whose lifting a crash has cut off is lifted by the next agent', async () => {
    const { place, pf, agent, until } = setUp();
    const { whole, deed } = crashed(until());
    cutOff(place, [...whole, { undoing: 'tester', time: 5 }, { unbegin: 0, deed, time: 6 }]);
    pf.forget();
    agent();
    await waitFor('the end', () => (states(place)[0] === 'undone' ? true : undefined));
    expect([pf.rules(), pf.released()]).toEqual(['', '4711']);
  });

  test('rules that pf does not let go are said, and tried again when asked', async () => {
    const { place, pf, until } = setUp();
    const { engine, machine } = place;
    const response = await engine.run(isolatePlan({ allow, dns: false, until: until() }), by);
    const { Engine } = await import('../../../src/respond/index.js');
    const stuck = Object.create(machine, {
      pfctl: {
        value: async (args: readonly string[]) =>
          args.includes('-F')
            ? { status: 1, stdout: '', stderr: 'pfctl: Operation not permitted' }
            : machine.pfctl(args),
      },
    });
    const failed = await new Engine({ machine: stuck, tell: async () => {} }).undo(response, by);
    expect(failed.state).toBe('partly undone');
    expect(failed.records[0]?.undo?.says).toContain('still in force: pfctl ended with 1: pfctl: Operation');
    expect(isIsolating(failed)).toBe(true);
    expect((await engine.undo(failed, by)).state).toBe('undone');
    expect(pf.rules()).toBe('');
  });
});
