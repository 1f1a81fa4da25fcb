import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Writes below `folder` the files that the examples of the commands name. `capture`: the text of each capture. */
export function putExampleFiles(folder: string, capture: string): void {
  const put = (name: string, text: string) => {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  };
  const rule = (id: string) =>
    readFileSync('src/rules/builtin/login-hook-set.toml', 'utf8').replace(
      /^rule_id = .*$/m,
      `rule_id = "${id}"`,
    );
  put('own-rules/a.toml', rule('2c3f9a01-1111-4111-8111-111111111111'));
  for (const name of [
    'my-rules/a.toml',
    'my-rule.toml',
    'rules/macos/a.toml',
    'detection-rules/rules/macos/a.toml',
    'mine.toml',
  ])
    put(name, rule('3d000000-1111-4111-8111-111111111111'));
  for (const name of ['events.ndjson', 'capture.ndjson', 'event.json']) put(name, capture);
  put('new.toml', '');
  put(
    'config.toml',
    '[rules]\nfolders = ["own-rules"]\n[[destination]]\nname = "siem"\ntype = "file"\npath = "alerts.ndjson"\n',
  );
  put('known-bad.txt', `${'ab'.repeat(32)}\n`);
  mkdirSync(path.join(folder, 'mac/Library/LaunchAgents'), { recursive: true });
}
