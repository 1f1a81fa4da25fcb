import { describe, expect, test } from 'vitest';
import { Detector, Exceptions, exceptionOf } from '../../../src/detect/index.js';
import { alertDocument, type Detection } from '../../../src/event/alert.js';
import type { CodeSignatureFields, EcsDocument } from '../../../src/event/document.js';
import type { Event } from '../../../src/event/event.js';
import { type Exception, readExceptionFile } from '../../../src/rules/index.js';
import { fileEvent, launchctl, rule, start } from './events.js';

const folder = '/Users/alice/Library/LaunchAgents';
const theirs = `${folder}/com.vendor.agent.plist`;
const loads = rule(
  'eql',
  `sequence by host.id with maxspan=1m [file where file.path : "${folder}/*"] [process where process.args == "load"]`,
);

function exceptions(body: string): readonly Exception[] {
  const text = `name = "x"\n[[exception]]\nid = "e"\nreason = "r"\nauthor = "a"\nexpires = 2027-01-01\n${body}`;
  const result = readExceptionFile(text, 'x.toml');
  if (!('set' in result)) throw new Error(JSON.stringify(result.diagnostics));
  return result.set.exceptions;
}

function detect(body: string, events: readonly Event[]) {
  const told = new Map<string, Detection>();
  const hits: string[] = [];
  const detector = new Detector({
    rules: [loads],
    exceptions: new Exceptions(exceptions(body)),
    onDetection: (one) => told.set(one.id, one),
    onExcepted: ({ id }) => hits.push(id),
  });
  for (const one of events)
    detector.judge({ ...one, doc: { ...one.doc, event: { ...one.doc.event, id: one.id } } });
  detector.finish();
  const paths = [...told.values()].map(({ candidates }) => candidates[0]?.event.doc.file?.path);
  return { paths, hits, told: [...told.values()], detector };
}

function item(id: string, at: number, path: string, more: EcsDocument = {}): Event {
  const one = fileEvent(id, at, path, {
    inode: id,
    type: 'file',
    hash: { sha256: id.slice(0, 1).repeat(64) },
  });
  return { ...one, doc: { ...one.doc, ...more } };
}

const program = (signature: CodeSignatureFields, findings: string[] = []): EcsDocument => ({
  launchwarden: { findings, plist: { code_signature: signature } },
});
const vendor: CodeSignatureFields = { exists: true, trusted: true, team_id: 'ABCDE12345', signing_id: 'v' };
const bound = `signer = { team_id = "ABCDE12345" }`;
const byPath = `item = 'file.path: "${theirs}"'`;

describe('per candidate', () => {
  test('what is excepted gives no alert and is counted', () => {
    expect(detect(byPath, [item('a', 0, theirs), launchctl('p', 1, ['load', theirs])])).toMatchObject({
      paths: [],
      hits: ['e'],
    });
  });

  test('a decoy that is excepted does not hide the file that the load names', () => {
    const evil = `${folder}/evil.plist`;
    const events = [item('a', 0, evil), item('b', 1, theirs), launchctl('p', 2, ['load', evil])];
    expect(detect(byPath, events)).toMatchObject({ paths: [evil], hits: [] });
  });

  test('nor one that stands in the window of a load that names nothing', () => {
    const evil = `${folder}/evil.plist`;
    const events = [item('a', 0, evil), item('b', 1, theirs), launchctl('p', 2, ['load', '-D', 'user'])];
    const { paths, told } = detect(byPath, events);
    expect(paths).toEqual([evil]);
    const context = { version: '1', agentId: 'a', created: start, sensors: [], simulated: true };
    expect(alertDocument(told[0] as Detection, context).file?.path).toBe(evil);
  });

  test('by the step and by the process', () => {
    const events = [item('a', 0, theirs), launchctl('p', 1, ['load', '-w', theirs])];
    const steps = (query: string) => `step = [{ number = 2, query = '${query}' }]`;
    expect(detect(steps('process.args: "-w"'), events).paths).toEqual([]);
    expect(detect(steps('process.args: "-F"'), events).paths).toEqual([theirs]);
    expect(detect(`process = 'process.args: "-w"'`, events).paths).toEqual([]);
    expect(detect(`rules = ["other"]\n${byPath}`, events).paths).toEqual([theirs]);
  });

  test('none that has expired', () => {
    const late = [item('a', 86_400 * 60, theirs), launchctl('p', 86_400 * 60 + 1, ['load', theirs])];
    expect(detect(byPath, late).paths).toEqual([theirs]);
  });
});

describe('bound', () => {
  const run = (body: string, doc: EcsDocument) =>
    detect(body, [item('a', 0, theirs, doc), launchctl('p', 1, ['load', theirs])]).paths.length === 0;

  test('to the content', () => {
    expect(run(`sha256 = "${'a'.repeat(64)}"`, {})).toBe(true);
    expect(run(`sha256 = "${'b'.repeat(64)}"`, {})).toBe(false);
  });

  test('to the signer of the program, who must be trusted', () => {
    expect(run(bound, program(vendor))).toBe(true);
    expect(run(bound, program({ ...vendor, trusted: false }))).toBe(false);
    expect(run(bound, program({ ...vendor, team_id: 'EVIL123456' }))).toBe(false);
    expect(run(bound, {})).toBe(false);
  });

  test('what makes a signed program do something else is not hidden', () => {
    expect(run(bound, program(vendor, ['dyld-environment']))).toBe(false);
    expect(run(bound, program(vendor, ['label-not-file-name']))).toBe(true);
    expect(run(byPath, program(vendor, ['remote-script']))).toBe(false);
  });

  test('a writer that is known must be the vendor, or the installer of macOS', () => {
    const writer = (signature: CodeSignatureFields, executable = '/x') => ({
      process: { executable, code_signature: signature },
    });
    const shell = { exists: true, trusted: true, signing_id: 'com.apple.sh' };
    expect(run(bound, { ...program(vendor), ...writer(vendor) })).toBe(true);
    expect(run(bound, { ...program(vendor), ...writer(shell, '/bin/sh') })).toBe(false);
    const installd = { exists: true, trusted: true, signing_id: 'com.apple.installd' };
    const place = '/System/Library/PrivateFrameworks/PackageKit.framework/Resources/installd';
    expect(run(bound, { ...program(vendor), ...writer(installd, place) })).toBe(true);
    expect(run(bound, { ...program(vendor), ...writer(installd, '/private/tmp/installd') })).toBe(false);
    // What the vendor itself wrote, as long as it is not known to run somebody else's program.
    expect(run(bound, writer(vendor))).toBe(true);
    expect(run(bound, { ...program({ exists: false }), ...writer(vendor) })).toBe(false);
  });
});

test('a file that holds something else a moment later is not hidden by what it held before', () => {
  const told: Detection[] = [];
  const single = rule('eql', `file where file.path : "${folder}/*"`);
  const detector = new Detector({
    rules: [single],
    exceptions: new Exceptions(exceptions(`sha256 = "${'a'.repeat(64)}"`)),
    onDetection: (one) => told.push(one),
  });
  const first = item('a', 0, theirs);
  detector.judge(first);
  expect(told).toEqual([]);
  detector.judge({
    ...first,
    doc: { ...first.doc, file: { ...first.doc.file, hash: { sha256: 'f'.repeat(64) } } },
  });
  expect(told).toHaveLength(1);
});

test('exceptions are replaced while events are judged', () => {
  const { detector } = detect(byPath, []);
  let alerts = 0;
  const other = new Detector({ rules: [loads], onDetection: () => alerts++ });
  other.replaceExceptions(new Exceptions(exceptions(byPath)));
  for (const one of [item('a', 0, theirs), launchctl('p', 1, ['load', theirs])]) other.judge(one);
  expect(alerts).toBe(0);
  other.replaceExceptions(new Exceptions());
  for (const one of [item('b', 400, theirs), launchctl('q', 401, ['load', theirs])]) other.judge(one);
  expect(alerts).toBe(1);
  expect(detector.counters()['excepted']).toBe(0);
});

test('a stored alert is hidden when its exception holds for all that it could be about', () => {
  const events = [item('a', 0, theirs), launchctl('p', 1, ['load', theirs])];
  const told = detect('sha256 = "' + '0'.repeat(64) + '"', events).told[0] as Detection;
  const context = { version: '1', agentId: 'a', created: start, sensors: [], simulated: true };
  const doc = alertDocument(told, context);
  const by = (body: string, one = doc) => exceptionOf(new Exceptions(exceptions(body)), one, told.time)?.id;
  expect(by(byPath)).toBe('e');
  expect(by(bound)).toBeUndefined();
  const signed = structuredClone(doc);
  Object.assign((signed['Events'] as EcsDocument[])[0] as EcsDocument, program(vendor));
  expect(by(bound, signed)).toBe('e');
  const twice = structuredClone(doc);
  const fields = twice.launchwarden?.['alert'] as { candidates: object[]; candidate_count: number };
  fields.candidates.push({ event_id: 'not embedded', named: true });
  fields.candidate_count++;
  expect(by(byPath, twice)).toBeUndefined();
  for (const odd of [{}, { launchwarden: { alert: null } }, { ...doc, Events: [null] }])
    expect(by(byPath, odd as EcsDocument)).toBeUndefined();
});
