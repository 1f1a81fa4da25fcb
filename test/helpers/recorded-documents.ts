import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { systemClock } from '../../src/base/clock.js';
import { silentLogger } from '../../src/base/log.js';
import { RootMap } from '../../src/base/root.js';
import { Enricher, NamedPaths } from '../../src/enrich/index.js';
import type { EcsDocument } from '../../src/event/document.js';
import type { Observation, SensorKind } from '../../src/event/event.js';
import { fileReader, Normaliser } from '../../src/sensors/endpoint-security/index.js';
import type { EsFile, EsKind, EsMessage, EsProcess } from '../../src/sensors/endpoint-security/message.js';
import { EsloggerReader } from '../../src/sensors/eslogger/index.js';
import { ProgramWatch } from '../../src/sensors/file-watch/index.js';
import { LaunchdStateSensor } from '../../src/sensors/launchd-state/index.js';
import type { ProcessRecord } from '../../src/sensors/process-scan/index.js';
import { processEvent } from '../../src/sensors/process-scan/to-event.js';
import { RecordingSink } from '../contract/sensor.contract.js';
import { Rig } from '../unit/sensors-file/rig.js';
import { FakeLaunchd, written } from '../unit/sensors-launchd/fake-launchd.js';
import { execLine, file, line, processObject, token } from './eslogger-lines.js';
import { ManualClock } from './manual-clock.js';

/** Documents as detection gets them, by the sensor that saw what they tell. */
export interface Recorded {
  readonly kind: SensorKind;
  readonly docs: readonly EcsDocument[];
}

const plistText = `<plist version="1.0"><dict><key>Label</key><string>com.example.x</string>
<key>Program</key><string>/private/tmp/x</string><key>ProgramArguments</key><array><string>/private/tmp/x</string></array>
<key>RunAtLoad</key><true/><key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>
<key>LimitLoadToSessionType</key><string>System</string><key>LimitLoadToHosts</key><string>h</string>
<key>WatchPaths</key><string>/private/tmp/w</string><key>Disabled</key><false/><key>UserName</key><string>root</string>
<key>StartInterval</key><integer>5</integer></dict></plist>`;
const plist = '/Library/LaunchDaemons/com.example.x.plist';

/** A tree with a launch item, in the place of a Mac's. */
function tree(): { readonly root: RootMap; remove(): void } {
  const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'launchwarden-recorded-')));
  const root = new RootMap(folder);
  for (const one of ['/Library/LaunchDaemons', '/private/tmp'])
    mkdirSync(root.toHost(one), { recursive: true });
  writeFileSync(root.toHost(plist), plistText);
  chmodSync(root.toHost(plist), 0o666);
  return { root, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

function enricher(root: RootMap): Enricher {
  return new Enricher({
    root,
    clock: systemClock,
    version: '0',
    agentId: 'a',
    hostId: 'h',
    boot: 'boot',
    users: { user: (id) => `user-${id}`, group: (id) => `group-${id}` },
    namedPaths: new NamedPaths({ root, volumes: () => [{ path: '/', local: true }] }),
  });
}

function enriched(root: RootMap, observations: readonly Observation[]): EcsDocument[] {
  const made = enricher(root);
  return observations.flatMap((one) => made.enrich(one)).map(({ doc }) => doc);
}

const many = Array.from({ length: 5_000 }, (_, index) => `a${index}`);

/** What eslogger prints, of every kind that is asked for. */
function esloggerDocuments(): Recorded {
  const { root, remove } = tree();
  const shell = { pid: 500, pidversion: 50 };
  const responsible = { responsible_audit_token: token({ pid: 400, pidversion: 40 }) };
  const launchctl = { pid: 501, pidversion: 52, euid: 0 };
  const writer = processObject(shell, '/bin/zsh', { team_id: 'ABCDE12345', ...responsible });
  const child = processObject({ pid: 501, pidversion: 51 }, '/bin/zsh', {
    ...responsible,
    team_id: 'ABCDE12345',
    parent_audit_token: token(shell),
    ppid: 500,
  });
  const target = processObject(launchctl, '/bin/launchctl', {
    parent_audit_token: token(shell),
    ppid: 500,
    team_id: 'ABCDE12345',
    responsible_audit_token: token(shell),
  });
  const at = file(plist, '70');
  const folder = file('/Library/LaunchDaemons', '71');
  const by = { process: writer };
  const item = {
    item_type: 4,
    legacy: true,
    managed: false,
    uid: 0,
    item_url: `file://${plist}`,
    app_url: null,
  };
  const lines = [
    // Who runs another image later.
    execLine(['before'], { target: processObject({ pid: 400, pidversion: 39 }, '/usr/bin/before') }),
    execLine(['sh'], { target: processObject({ pid: 500, pidversion: 49 }, '/bin/sh') }),
    execLine(['login'], {
      target: processObject({ pid: 400, pidversion: 40 }, '/usr/bin/login', { team_id: 'T' }),
    }),
    execLine(['zsh', '-c', 'x'], { target: writer }),
    line('fork', { child }, by),
    execLine(['launchctl', 'load', plist, '/tmp/none', ...many, 'x'.repeat(5_000)], {
      target,
      more: { script: file('/private/tmp/script.sh') },
    }),
    execLine(['launchctl', 'kickstart', 'system/com.example.x'], { target }),
    line('exit', { stat: 0 }, { process: target }),
    line('close', { modified: true, target: at, was_mapped_writable: false }, by),
    line(
      'rename',
      { source: file('/private/tmp/a.plist', '70'), destination_type: 0, destination: { existing_file: at } },
      by,
    ),
    line('unlink', { target: at, parent_dir: folder }, by),
    line('clone', { source: at, target_dir: folder, target_name: 'com.example.x.plist' }, by),
    line('deleteextattr', { target: at, extattr: 'com.apple.quarantine' }, by),
    line('mount', { statfs: { f_mntonname: '/Volumes/x', f_mntfromname: '/dev/disk9' } }, by),
    line(
      'btm_launch_item_add',
      { item, executable_path: '/private/tmp/x', instigator: writer, app: null },
      by,
    ),
    line('bootstrap_check_in', {
      service_name: 'com.example.helper',
      instigator: writer,
      instigator_token: token(shell),
    }),
  ];
  const reader = new EsloggerReader({ root, boot: 'boot', readFile: fileReader(root) });
  const docs = enriched(
    root,
    lines.flatMap((one) => reader.read(one)),
  );
  remove();
  return { kind: 'eslogger', docs };
}

/** What EndpointSecurity tells, of every kind that is asked for. */
function endpointSecurityDocuments(): Recorded {
  const { root, remove } = tree();
  const process = (pid: number, executable: string, more: Partial<EsProcess> = {}): EsProcess => ({
    ...{ pid, pidversion: pid, ppid: 1, ruid: 0, euid: 0, rgid: 0, egid: 0, group: 5, session: 6 },
    ...{ signingFlags: 0x26015b11, platformBinary: true, start: 1_700_000_000_000_000, executable },
    ...{ signingId: 'com.apple.x', teamId: 'ABCDE12345', cdhash: 'ab', parent: { pid: 1, pidversion: 1 } },
    ...more,
  });
  const shell = process(500, '/bin/zsh', { responsible: { pid: 499, pidversion: 499 } });
  const parent = {
    parent: { pid: 500, pidversion: 500 },
    ppid: 500,
    responsible: { pid: 500, pidversion: 500 },
  };
  const target = process(501, '/bin/launchctl', parent);
  const child = process(502, '/bin/zsh', parent);
  const stat = {
    inode: '70',
    size: 3,
    mode: 0o100666,
    uid: 501,
    gid: 20,
    links: 1,
    changed: 1_700_000_000_000_000,
  };
  const at: EsFile = { path: plist, stat };
  const other: EsFile = { path: '/private/tmp/a.plist', stat };
  const args = ['launchctl', 'load', plist, '/tmp/none'];
  const exec = (given: readonly string[]) => ({
    arguments: { args: given, count: 9_000, front: 2, shortened: 1 },
    directory: '/private/tmp',
    script: '/private/tmp/script.sh',
  });
  const message = (kind: EsKind, more: Partial<EsMessage> = {}): EsMessage => ({
    ...{ kind, version: 10, time: 1_700_000_000_000_000, nanos: 0, process: shell, ...more },
  });
  const item = {
    type: 4,
    legacy: true,
    managed: false,
    uid: 0,
    url: `file://${plist}`,
    executable: '/private/tmp/x',
  };
  const messages = [
    // Who runs another image later.
    message('exec', { process: process(1, '/sbin/before', { pidversion: 9 }), exec: exec(['before']) }),
    message('exec', { process: process(500, '/bin/sh', { pidversion: 49 }), exec: exec(['sh']) }),
    message('exec', { process: process(1, '/sbin/launchd'), exec: exec(['launchd']) }),
    message('exec', { process: process(499, '/Applications/T'), exec: exec(['T']) }),
    message('exec', { exec: exec(['zsh']) }),
    message('fork', { process: child, actor: shell }),
    message('exec', { process: { ...child, pidversion: 503 }, exec: exec(['zsh', '-c', 'x']) }),
    message('exec', { process: target, exec: exec(args) }),
    message('exec', { process: target, exec: exec(['launchctl', 'kickstart', 'system/com.example.x']) }),
    message('exit', { process: target, exitStatus: 256 }),
    message('close', { file: at, modified: true }),
    message('rename', { file: at, other }),
    message('unlink', { file: at }),
    message('clone', { file: { path: plist }, other }),
    message('open', { file: at }),
    message('deleteextattr', { file: at, attribute: 'com.apple.quarantine' }),
    message('mount', { file: { path: '/Volumes/x' }, mountFrom: '/dev/disk9' }),
    message('btm_launch_item_add', { item, instigator: shell }),
    message('bootstrap_check_in', { service: 'com.example.helper', instigator: shell }),
  ];
  const normaliser = new Normaliser({ sensor: 'endpoint-security', root, boot: 'boot' }, fileReader(root));
  const docs = enriched(
    root,
    messages.flatMap((one) => normaliser.observe(one)),
  );
  remove();
  return { kind: 'endpoint-security', docs };
}

/** What both scanners make of processes: the native one all of it, the list of ps a part. */
function processScanDocuments(): Recorded {
  const { root, remove } = tree();
  const record = (pid: number, more: Partial<ProcessRecord> = {}): ProcessRecord => ({
    ...{ type: 'exec', pid, ppid: 500, pgid: 5, sid: 6, startKey: `${pid}`, imageKey: '1', start: 1_000_000 },
    ...{
      notBefore: 2_000_000,
      seen: 3_000_000,
      uid: 0,
      euid: 0,
      gid: 0,
      egid: 0,
      executable: `/bin/p${pid}`,
    },
    ...{ shortName: 'p', directory: '/private/tmp' },
    args: { args: ['launchctl', 'load', plist, '/tmp/none'], count: 9_000, front: 2, shortened: 1 },
    ...more,
  });
  const unreadable = (pid: number): ProcessRecord => {
    const { executable: _, ...rest } = record(pid, { type: 'fork' });
    return rest;
  };
  const records = [
    record(500, { ppid: 1, imageKey: '0', executable: '/bin/sh' }),
    record(500, { ppid: 1 }),
    record(501, { executable: '/bin/launchctl' }),
    record(502, { type: 'fork' }),
    record(502, { imageKey: '2', executable: '/bin/other' }),
    record(506, {
      args: { args: ['launchctl', 'kickstart', 'system/com.example.x'], count: 3, front: 3, shortened: 0 },
    }),
    record(503, { args: { args: ['a'], count: 1, front: 1, shortened: 0 }, argsInexact: true }),
    record(504, { type: 'fork', argsWithheld: true }),
    unreadable(505),
  ];
  const docs = enriched(
    root,
    records.map((one) => ({ event: processEvent(one, { root, boot: 'boot', reason: 'for a reason' }) })),
  );
  remove();
  return { kind: 'process-scan', docs };
}

/** What it makes of a program that an item runs. */
async function programChanges(rig: Rig, root: RootMap): Promise<Observation[]> {
  const changes: Observation[] = [];
  const clock = new ManualClock();
  const programs = new ProgramWatch({ root, clock, boot: 'boot', observe: (one) => changes.push(one) });
  rig.write('/opt/run.sh', 'x');
  programs.follow({ path: plist, labels: ['com.example.x'], runs: ['/opt/run.sh'] });
  rig.write('/opt/run.sh', 'longer');
  programs.tick();
  await programs.compared();
  return changes;
}

/** What the file watcher makes of real files. */
async function fileWatchDocuments(): Promise<Recorded> {
  const rig = new Rig();
  try {
    const items = '/Library/LaunchDaemons';
    rig.write(`${items}/old.plist`, plistText);
    rig.write(`${items}/gone.plist`, plistText);
    await rig.start();
    chmodSync(rig.write(`${items}/new.plist`, plistText), 0o666);
    await rig.event(`${items}/new.plist`);
    renameSync(rig.host(`${items}/old.plist`), rig.host(`${items}/moved.plist`));
    await rig.event(`${items}/moved.plist`, 'rename');
    rmSync(rig.host(`${items}/gone.plist`));
    await rig.event(`${items}/gone.plist`, 'deletion');
    symlinkSync('new.plist', rig.host(`${items}/link.plist`));
    await rig.event(`${items}/link.plist`);
    await rig.quiet();
    const root = new RootMap(rig.root);
    const observations = [...rig.sink.observations, ...(await programChanges(rig, root))];
    return { kind: 'file-watch', docs: enriched(root, observations) };
  } finally {
    await rig.stop();
    rmSync(rig.base, { recursive: true, force: true });
  }
}

/** What launchd-state makes of a launch item whose job is found loaded. */
async function launchdStateDocuments(): Promise<Recorded> {
  const { root, remove } = tree();
  const launchd = new FakeLaunchd();
  const clock = new ManualClock();
  const sensor = new LaunchdStateSensor({
    root,
    clock,
    logger: silentLogger,
    boot: 'boot',
    run: launchd.run,
  });
  const sink = new RecordingSink();
  sink.sensor = sensor;
  launchd.load('system/com.example.before', '/Library/LaunchDaemons/com.example.before.plist');
  await sensor.start(sink);
  sensor.changed(written(plist, 'com.example.x', clock.now()));
  launchd.load('system/com.example.x', plist);
  for (let turn = 0; turn < 400 && sink.events.length < 2; turn++) {
    clock.pass(50);
    sensor.ask();
    for (let answer = 0; answer < 20; answer++) await Promise.resolve();
  }
  await sensor.stop();
  const docs = enriched(root, sink.observations);
  remove();
  return { kind: 'launchd-state', docs };
}

/** Documents of every sensor, as it runs under `--root`. */
export async function recordedDocuments(): Promise<readonly Recorded[]> {
  return [
    esloggerDocuments(),
    endpointSecurityDocuments(),
    processScanDocuments(),
    await fileWatchDocuments(),
    await launchdStateDocuments(),
  ];
}
