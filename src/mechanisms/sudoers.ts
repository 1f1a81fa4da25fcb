import { firstItems, itemOf } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem } from './mechanism.js';
import { linesOf, runsOfProgram } from './read.js';

/** Who may run what as whom without the other's password. Source: sudoers(5). */
export const sudoers: Mechanism = {
  id: 'sudoers',
  name: 'sudo rule',
  techniques: ['T1548.003'],
  confidential: true,
  byLine: true,
  places: [
    { scope: 'system', path: '/private/etc/sudoers', what: 'file' },
    { scope: 'system', path: '/private/etc/sudoers.d', what: 'entries' },
  ],
  read: (file) => firstItems(rulesIn(file)),
  removal: ({ key }, { path }) => `Delete the line \`${key}\` with \`visudo -f ${path}\`.`,
};

/** What begins with the number sign may also include a file, or be a rule for a user's number (sudoers(5)). */
const isComment = (text: string) => text.startsWith('#') && !/^#(?:include(?:dir)?\s|\d)/.test(text);

function* rulesIn(file: MechanismFile): Generator<PersistentItem> {
  // Sudo passes over names with a dot, or that end in a tilde.
  const ignored = /\/sudoers\.d\/(?:[^/]*\.[^/]*|[^/]*~)$/i.test(file.path);
  for (const line of linesOf(file, { joins: true, isComment })) {
    const text = line.text.replace(/\s+/g, ' ');
    const include = /^[#@]include(?:dir)? (\S+)/.exec(text)?.[1];
    if (include === '/private/etc/sudoers.d' || include === '/etc/sudoers.d') continue;
    if (include !== undefined) {
      yield rule(text, { label: 'include', findings: ['reads-other-file'], path: include, ignored });
      continue;
    }
    if (/^Defaults\b/.test(text)) {
      if (weak.test(text)) yield rule(text, { label: 'Defaults', findings: ['no-password'], ignored });
      continue;
    }
    if (/^(?:User|Runas|Host|Cmnd|Cmd)_Alias\b/.test(text)) continue;
    const [, who, what] =
      /^((?:[^\s=\\",]|\\.|"[^"]*")+(?:, ?(?:[^\s=\\",]|\\.|"[^"]*")+)*) [^=]+=(.*)$/.exec(text) ?? [];
    if (who === undefined || what === undefined) continue;
    const findings = /\bNOPASSWD\s*:/.test(what) ? ['no-password'] : [];
    yield rule(text, { label: who, as: /\(\s*([^):,\s]+)/.exec(what)?.[1] ?? 'root', findings, ignored });
  }
}

/** Settings that ask for no password, keep a granted right for long or for every terminal, or hand on an environment. */
const weak =
  /!\s*(?:authenticate|tty_tickets)\b|timestamp_timeout\s*=\s*-|timestamp_type\s*=\s*(?:global|kernel)|env_keep\s*\+?=[^\n]{0,500}(?:DYLD_|LD_|BASH_ENV|PYTHON|PERL5|NODE_OPTIONS|ZDOTDIR)|exempt_group\s*=|!\s*env_reset\b|(?<!!)\bsetenv\b/i;

function rule(
  text: string,
  {
    label,
    as,
    findings,
    path,
    ignored,
  }: {
    readonly label: string;
    readonly as?: string;
    readonly findings: readonly string[];
    readonly path?: string;
    readonly ignored: boolean;
  },
): PersistentItem {
  return itemOf({
    key: text,
    label,
    runs: path === undefined ? [] : [runsOfProgram(path)],
    when: ['authentication'],
    as: as === 'ALL' ? 'root' : as,
    enabled: ignored ? false : undefined,
    findings,
  });
}
