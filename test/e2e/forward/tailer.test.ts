import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { open } from '../../contract/destinations.js';
import { alertItem } from '../../contract/receivers/items.js';
import { until } from '../../unit/forward/fakes.js';
import { Daemon, freePort, missing } from './daemons.js';

const reason = missing('rsyslogd');

test.skipIf(reason !== undefined)(
  `a log shipper that follows the file reads every line once across rotations${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'launchwarden-tailer-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const [logs, work] = [path.join(folder, 'logs'), path.join(folder, 'work')];
    for (const made of [logs, work]) mkdirSync(made);
    const live = path.join(logs, 'alerts.ndjson');
    const out = path.join(folder, 'out.ndjson');
    const port = await freePort();
    const config = path.join(folder, 'rsyslog.conf');
    // The TCP input is there only to tell that the daemon is up.
    writeFileSync(
      config,
      `global(workDirectory="${work}" maxMessageSize="256k")
module(load="imfile" mode="inotify") module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port="${port}" ruleset="none")
input(type="imfile" file="${live}" tag="launchwarden:" ruleset="in" escapeLF="off" reopenOnTruncate="on")
template(name="nd" type="list") { property(name="msg") constant(value="\\n") }
ruleset(name="none") { stop }
ruleset(name="in") { action(type="omfile" file="${out}" template="nd") }
`,
    );
    const file = await open({ type: 'file', path: live, rotate_bytes: '200 KiB', keep: 100 });
    const never = new AbortController().signal;
    await file.send([alertItem('first')], never);
    const daemon = new Daemon(port, ['rsyslogd', '-n', '-f', config, '-i', path.join(folder, 'pid')]);
    onTestFinished(() => daemon.kill());
    await daemon.start();
    const ids = [alertItem('first').id];
    for (let n = 0; n < 150; n++) {
      const items = Array.from({ length: 10 }, (_, k) => alertItem(`n${n}-${k}`));
      ids.push(...items.map(({ id }) => id));
      await file.send(items, never);
      // A reader that is slower than two rotations may miss the file in between: real ones are given the same time.
      await new Promise((resolve) => setImmediate(resolve));
    }
    await file.close();
    const seen = () => {
      const lines = existsSync(out) ? readFileSync(out, 'utf8').split('\n') : [];
      return lines
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line))
        .filter((doc) => doc.event.kind === 'alert')
        .map((doc) => doc.event.id as string);
    };
    await until(() => new Set(seen()).size >= ids.length, 'the last line', 20_000);
    expect(seen().sort()).toEqual([...ids].sort());
  },
  60_000,
);
