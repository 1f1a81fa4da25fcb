import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { RootMap } from '../../../src/base/root.js';
import { Enricher } from '../../../src/enrich/index.js';
import type { EcsDocument } from '../../../src/event/document.js';
import { EsloggerReader } from '../../../src/sensors/eslogger/index.js';
import {
  closeLine,
  execLine,
  file,
  line,
  processObject,
  type Token,
  token,
} from '../../helpers/eslogger-lines.js';

const shell: Token = { pid: 600, pidversion: 61 };
const child: Token = { pid: 601, pidversion: 70 };
const loaded: Token = { pid: 601, pidversion: 71 };
const plist = '/Library/LaunchAgents/x.plist';
const zsh = (own: Token, parent: Token = { pid: 1, pidversion: 2 }) =>
  processObject(own, '/bin/zsh', { parent_audit_token: token(parent), ppid: parent.pid });
const launchctl = processObject(loaded, '/bin/launchctl', { parent_audit_token: token(shell), ppid: 600 });

const startShell = execLine(['zsh', '-c', 'launchctl load x'], {
  process: zsh({ pid: 600, pidversion: 60 }),
  target: zsh(shell),
});
const fork = line('fork', { child: zsh(child, shell) }, { process: zsh(shell) });
const load = execLine(['launchctl', 'load', plist], { process: zsh(child, shell), target: launchctl });
const exit = line('exit', { stat: 256 }, { process: launchctl });

function documents(...lines: string[]): { docs: EcsDocument[]; counters: EsloggerReader['counters'] } {
  const root = new RootMap();
  const reader = new EsloggerReader({ root, boot: 'boot' });
  const enricher = new Enricher({
    root,
    clock: systemClock,
    version: '0',
    agentId: 'a',
    hostId: 'h',
    boot: 'boot',
    users: { user: () => undefined, group: () => undefined },
  });
  const docs = lines
    .flatMap((text) => reader.read(text))
    .flatMap((observation) => enricher.enrich(observation))
    .map(({ doc }) => doc);
  return { docs, counters: reader.counters };
}

const parentOf = ({ docs }: ReturnType<typeof documents>) => docs.at(-1)?.process?.parent;

describe('processes that stand in messages', () => {
  const known = {
    pid: 600,
    name: 'zsh',
    executable: '/bin/zsh',
    code_signature: { exists: true, trusted: true, signing_id: 'com.apple.zsh' },
  };

  test('whoever wrote a file is known as the parent of what he starts', () => {
    expect(parentOf(documents(closeLine(plist, { process: zsh(shell) }), load))).toMatchObject(known);
  });

  test('so is whoever forked, before the child executes anything', () => {
    const { docs } = documents(fork);
    expect(docs[0]?.process).toMatchObject({ pid: 601, name: 'zsh', parent: known });
    expect(parentOf(documents(fork, load))).toMatchObject(known);
  });

  test('and the image before an exec, of what it had started', () => {
    const before = execLine(['sleep', '9'], {
      process: zsh(shell),
      target: processObject({ pid: 600, pidversion: 62 }, '/bin/sleep'),
    });
    expect(parentOf(documents(before, load))).toMatchObject(known);
    // Who comes later and asks by the pid alone means the newest image.
    const late = execLine(['x'], {
      target: processObject({ pid: 700, pidversion: 1 }, '/bin/x', {
        parent_audit_token: token({ pid: 600, pidversion: 99 }),
        ppid: 600,
      }),
    });
    expect(parentOf(documents(before, late))?.name).toBe('sleep');
  });

  test('a fork has the arguments of its parent, an end those of its start', () => {
    const { docs } = documents(startShell, fork, load, exit);
    expect(docs.map(({ event, process }) => [event?.action, process?.args, process?.parent?.args])).toEqual([
      ['exec', ['zsh', '-c', 'launchctl load x'], undefined],
      ['fork', ['zsh', '-c', 'launchctl load x'], ['zsh', '-c', 'launchctl load x']],
      ['exec', ['launchctl', 'load', plist], ['zsh', '-c', 'launchctl load x']],
      ['end', ['launchctl', 'load', plist], ['zsh', '-c', 'launchctl load x']],
    ]);
    expect(docs.at(-1)?.process).toMatchObject({
      args_count: 3,
      command_line: `launchctl load ${plist}`,
      working_directory: '/private/tmp',
      exit_code: 1,
      code_signature: { exists: true },
      parent: { command_line: 'zsh -c launchctl load x' },
    });
  });

  test('a fork that is told as another image has no arguments of its parent', () => {
    const odd = line('fork', { child: processObject(child, '/bin/bash') }, { process: zsh(shell) });
    const { docs } = documents(startShell, odd);
    expect(docs.at(-1)?.process).not.toHaveProperty('args');
  });
});

test('events and versions that nobody knows here are counted, and named', () => {
  const reader = new EsloggerReader({ root: new RootMap(), boot: 'boot' });
  reader.read(line('bootstrap_look_up', { service_name: 'com.example' }));
  reader.read(line('lookup', { relative_target: 'x' }));
  reader.read(execLine(['a'], { version: 11 }));
  expect(reader.notes()).toEqual(['events that are not known here: bootstrap_look_up, lookup']);
  expect(reader.read(execLine(['b'], { version: 12 }))).toHaveLength(1);
  expect(reader.counters).toMatchObject({ unknown_event: 2, observed: 2 });
  expect(reader.notes()[1]).toContain('version 12');
  for (let index = 0; index < 100; index++) reader.read(line(`e${index}${'x'.repeat(1_000)}`, {}));
  expect(reader.notes()[0]?.length).toBeLessThan(2_000);
});

describe('what did not happen is no event', () => {
  const answered = (text: string, result: object) =>
    text.replace(
      '"action":{"result":{"result_type":0,"result":{"auth":0}}}',
      `"action":{"result":${JSON.stringify(result)}}`,
    );
  const refused = { result_type: 0, result: { auth: 1 } };

  test.each([
    ['a start', load],
    ['a write', closeLine(plist)],
    ['a removal', line('unlink', { target: file(plist), parent_dir: file('/Library/LaunchAgents') })],
  ])('%s that another client refused', (_, text) => {
    expect(answered(text, refused)).not.toBe(text);
    const { docs, counters } = documents(answered(text, refused));
    expect(docs).toEqual([]);
    expect(counters).toMatchObject({ denied: 1, observed: 0, malformed: 0 });
  });

  test('an open of which no flag was allowed', () => {
    const open = line('open', { fflag: 1, file: file(plist) });
    expect(documents(answered(open, { result_type: 1, result: { flags: 0 } })).docs).toEqual([]);
    expect(documents(answered(open, { result_type: 1, result: { flags: 4_294_967_295 } })).docs).toHaveLength(
      1,
    );
  });

  test('an answer of a shape that nobody knows is none', () => {
    for (const result of [null, 7, {}, { result_type: 9, result: [] }, { result: { auth: 'allow' } }])
      expect(documents(answered(load, result as object)).docs).toHaveLength(1);
  });

  test('an attribute that is set; one that is removed is no change of the file', () => {
    const attribute = { target: file(plist), extattr: 'com.apple.quarantine' };
    expect(documents(line('setextattr', attribute)).docs).toEqual([]);
    const [removed] = documents(line('deleteextattr', attribute)).docs;
    expect(removed?.event).toMatchObject({ action: 'extended_attributes_delete', type: ['deletion'] });
    expect(removed?.file).toMatchObject({ path: plist, attributes: ['com.apple.quarantine'] });
  });
});
