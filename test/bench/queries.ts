// EQL queries in the shapes and proportions of Elastic's published macOS rules (what they use was counted: names of
// processes in four of five, event.type and action in nearly all, a third of them sequences), with texts of our own.
import { commonPrograms, pick, seeded, watchedPrograms } from './documents.js';

const quoted = (texts: readonly string[]) => texts.map((text) => `"${text}"`).join(', ');
const folders = [
  '/Applications/*',
  '/Library/*',
  '/Users/*/Library/*',
  '/usr/local/*',
  '/opt/homebrew/*',
  '/private/tmp/*',
];
const words = [
  'inject',
  'payload',
  'http://',
  'https://',
  'tunnel',
  'keychain',
  'password',
  'exfil',
  'launch',
  'stage',
  'shell',
];
const places = [
  '/Library/LaunchDaemons/', '/Users/*/Library/LaunchAgents/', '/etc/periodic/', '/private/etc/pam.d/', '/Library/Scripts/',
  '/Users/*/.ssh/', '/Library/Security/SecurityAgentPlugins/', '/Users/*/Library/Application Scripts/', '/usr/local/lib/',
  '/System/Library/Extensions/', '/private/var/at/tabs/', '/Users/*/.zshrc', '/Library/Input Methods/', '/Library/QuickLook/',
]; // biome-ignore format: a list

class Writer {
  readonly #random = seeded(11);

  #some<T>(from: readonly T[], most: number): T[] {
    const count = 1 + Math.floor(this.#random() * most);
    return [...new Set(Array.from({ length: count }, () => pick(this.#random, from)))];
  }

  #word(): string {
    return pick(this.#random, words) + Math.floor(this.#random() * 1000);
  }

  #programs(): string {
    const from = this.#random() < 0.1 ? commonPrograms : watchedPrograms;
    return quoted(this.#some<string>(from, 5));
  }

  #arguments(): string {
    const kind = this.#random();
    if (kind < 0.35)
      return `process.args : (${quoted(this.#some(words, 3).map((word) => `*${word}${this.#word()}*`))})`;
    if (kind < 0.6) return `process.args in (${quoted([this.#word(), this.#word(), `-${this.#word()}`])})`;
    return `process.command_line : (${quoted([`*${this.#word()}*${this.#word()}*`, `*${this.#word()}*`])})`;
  }

  #exceptions(): string {
    const parts: string[] = [];
    if (this.#random() < 0.6)
      parts.push(`not process.parent.executable : (${quoted(this.#some(folders, 3))})`);
    if (this.#random() < 0.3)
      parts.push(`not process.code_signature.signing_id like~ "com.vendor.${this.#word()}*"`);
    if (this.#random() < 0.3)
      parts.push(`not process.Ext.effective_parent.executable like "${pick(this.#random, folders)}"`);
    return parts.map((part) => ` and ${part}`).join('');
  }

  process(): string {
    const kind = this.#random();
    const start = 'process where event.type in ("start", "process_started") and event.action == "exec"';
    if (kind < 0.7)
      return `${start} and process.name : (${this.#programs()}) and ${this.#arguments()}${this.#exceptions()}`;
    if (kind < 0.85)
      return `${start} and process.parent.name in (${this.#programs()}) and process.name in (${this.#programs()})${this.#exceptions()}`;
    return `${start} and ${this.#arguments()} and process.executable like~ "${pick(this.#random, folders)}"${this.#exceptions()}`;
  }

  file(): string {
    const paths = this.#some(places, 4).map(
      (place) => `${place}${this.#random() < 0.5 ? '*' : `*${this.#word()}*`}`,
    );
    const action = this.#random() < 0.5 ? 'event.action == "modification"' : 'event.type != "deletion"';
    const writer =
      this.#random() < 0.5 ? ` and not process.executable : (${quoted(this.#some(folders, 4))})` : '';
    const name = this.#random() < 0.3 ? ` and process.name in (${this.#programs()})` : '';
    return `file where host.os.type == "macos" and ${action} and file.path : (${quoted(paths)})${name}${writer}`;
  }

  network(): string {
    const list = quoted(['10.0.0.0/8', '192.168.0.0/16', '172.16.0.0/12', '::1/128']);
    return `network where event.action == "connection_attempted" and process.name : (${this.#programs()}) and not cidrmatch(destination.ip, ${list})`;
  }

  sequence(): string {
    const by = this.#random() < 0.8 ? ' by process.entity_id' : ' by host.id';
    const second = this.#random() < 0.5 ? this.file() : this.network();
    return `sequence${by} with maxspan=${pick(this.#random, ['10s', '15s', '30s', '1m'])}\n [${this.process()}]\n [${second}]`;
  }

  next(): string {
    const kind = this.#random();
    if (kind < 0.33) return this.sequence();
    if (kind < 0.75) return this.process();
    return kind < 0.93 ? this.file() : this.network();
  }
}

/** So many different queries. */
export function queries(count: number): string[] {
  const writer = new Writer();
  const found = new Set<string>();
  while (found.size < count) found.add(writer.next());
  return [...found];
}
