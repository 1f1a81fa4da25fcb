import { firstItems, itemOf } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem } from './mechanism.js';
import { linesOf, runsOfProgram } from './read.js';
import { writableFolders } from './search-path.js';

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
    { scope: 'system', path: '/private/etc/sudo.conf', what: 'file' },
  ],
  read: (file) => firstItems(/\/sudo\.conf$/i.test(file.path) ? partsIn(file) : rulesIn(file)),
  removal: ({ key }, { path }) =>
    /\/sudo\.conf$/i.test(path)
      ? `Delete the line \`${key}\` from ${path}.`
      : `Delete the line \`${key}\` with \`visudo -f ${path}\`.`,
};

/** Lines of sudo.conf that make sudo load or run something else than its own. Source: sudo.conf(5). */
function* partsIn(file: MechanismFile): Generator<PersistentItem> {
  for (const { text } of linesOf(file, { joins: true })) {
    const [kind = '', name = '', place = ''] = text.split(/\s+/, 8);
    const usual = /^Plugin$/i.test(kind)
      ? /^sudoers_\w+$/.test(name) && /^(?:\/usr\/libexec\/sudo\/)?sudoers\.so$/.test(place)
      : !/^Path$/i.test(kind) || place === '' || /^\/usr\/(?:libexec|bin|sbin)\/(?!.*\.\.)/.test(place);
    if (usual) continue;
    yield rule(text.replace(/\s+/g, ' '), {
      label: `${kind} ${name}`,
      findings: ['program-of-setting'],
      path: place.startsWith('/') ? place : `/usr/libexec/sudo/${place}`,
      ignored: false,
    });
  }
}

/** What begins with the number sign may also include a file, or be a rule for a user's number (sudoers(5)). */
const isComment = (text: string) => text.startsWith('#') && !/^#(?:include(?:dir)?\s|\d)/.test(text);

function* rulesIn(file: MechanismFile): Generator<PersistentItem> {
  // Sudo passes over names with a dot, or that end in a tilde.
  const ignored = /\/sudoers\.d\/(?:[^/]*\.[^/]*|[^/]*~)$/i.test(file.path);
  for (const line of linesOf(file, { joins: true, isComment })) {
    const text = line.text.replace(/\s+/g, ' ');
    const [, quoted, bare] = /^[#@]include(?:dir)? (?:"([^"]+)"|((?:[^\s\\]|\\.)+))/.exec(text) ?? [];
    const include = quoted ?? bare?.replace(/\\(.)/g, '$1');
    if (include === '/private/etc/sudoers.d' || include === '/etc/sudoers.d') continue;
    if (include !== undefined) {
      yield rule(text, { label: 'include', findings: ['reads-other-file'], path: include, ignored });
      continue;
    }
    if (/^Defaults\b/.test(text)) {
      const { findings, programs } = judged(text);
      if (findings.length > 0) yield rule(text, { label: 'Defaults', findings, programs, ignored });
      continue;
    }
    if (/^(?:User|Runas|Host|Cmnd|Cmd)_Alias\b/.test(text)) continue;
    const [, who, what] =
      /^((?:[^\s=\\",]|\\.|"[^"]*")+(?:, ?(?:[^\s=\\",]|\\.|"[^"]*")+)*) [^=]+=(.*)$/.exec(text) ?? [];
    if (who === undefined || what === undefined) continue;
    const findings = [
      ...(/\bNOPASSWD\s*:/.test(what) ? ['no-password'] : []),
      ...(/\bSETENV\s*:/.test(what) ? ['sets-environment'] : []),
    ];
    const programs = [...what.matchAll(allowed)]
      .slice(0, 16)
      .map(([, path = '']) => path.replace(/\\(.)/g, '$1'));
    yield rule(text, {
      programs,
      label: who,
      as: /\(\s*([^):,\s]+)/.exec(what)?.[1] ?? 'root',
      findings,
      ignored,
    });
  }
}

/** Programs that a rule allows: at its beginning, after a comma, or after a tag; not those that it forbids. */
const allowed = /(?:^|[,:)])\s*((?:\/(?:[^\s,\\]|\\.)+))/g;

/** Settings that ask for no password, keep a granted right for long or for every terminal, or hand on an environment. */
const weak =
  /!\s*(?:authenticate|tty_tickets)\b|timestamp_type\s*=\s*(?:global|kernel)|env_keep\s*\+?=[^\n]{0,500}(?:DYLD_|LD_|BASH_ENV|PYTHON|PERL5|NODE_OPTIONS|ZDOTDIR|\*|\bPATH\b)|env_delete\s*-?=[^\n]{0,500}DYLD_|exempt_group\s*=|!\s*env_reset\b|(?<!!)\bsetenv\b/i;
/** Settings with a value, `name = value` or `name += "value"`, separated by commas. */
const valued = /(?<![\w!])(\w+)\s*\+?=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/g;
/** Those that make sudo run or load what they name; and those that name a file or folder that is trusted. */
const programs =
  /^(?:mailerpath|editor|noexec_file|askpass|group_plugin|sesh_file|intercept_file|plugin_path)$/i;
const trusted = /^(?:env_file|restricted_env_file|timestampdir|rundir|sssd_file|ldap_conf|ldap_secret)$/i;
/** What is sudo's own, and the editors of macOS. */
const own = /^(?!.*\.\.)\/usr\/(?:s?bin|libexec)\/[\w./+-]+$/;
/** Minutes for which sudo asks nobody again that are more than a working day. */
const manyMinutes = 480;

/** What the settings of a line do, and the programs that they name. */
function judged(text: string): { readonly findings: string[]; readonly programs: string[] } {
  const findings = new Set<string>(weak.test(text) ? ['no-password'] : []);
  const named: string[] = [];
  // Three of them ask for another password than that of who wants the right.
  if (/(?<![\w!]|!\s)(?:rootpw|targetpw|runaspw)\b/i.test(text)) findings.add('other-password');
  for (const [, name = '', quoted, bare = ''] of text.matchAll(valued)) {
    const value = (quoted ?? bare).replace(/\\(.)/g, '$1').trim();
    if (programs.test(name)) {
      const odd = value.split(/[:\s]+/, 16).filter((one) => one !== '' && !own.test(one));
      if (odd.length === 0) continue;
      findings.add('program-of-setting');
      named.push(...odd.filter((one) => one.startsWith('/')));
    } else if (trusted.test(name)) {
      if (/^\/(?:private\/)?(?:etc|var\/db|var\/run)\/(?!.*\.\.)/.test(value)) continue;
      findings.add(/env_file$/i.test(name) ? 'sets-environment' : 'reads-other-file');
    } else if (/^secure_path$/i.test(name)) {
      if (writableFolders(value).length > 0) findings.add('writable-search-path');
    } else if (/^timestamp_timeout$/i.test(name)) {
      const minutes = Number(value);
      if (minutes < 0 || minutes > manyMinutes) findings.add('no-password');
    } else if (/^pam_(?:login_)?service$|^pam_askpass_service$/i.test(name)) {
      if (!/^(?:sudo|sudo-i|su)$/i.test(value)) findings.add('reads-other-file');
    }
  }
  return { findings: [...findings], programs: named };
}

function rule(
  text: string,
  {
    label,
    as,
    findings,
    path,
    programs = [],
    ignored,
  }: {
    readonly label: string;
    readonly as?: string;
    readonly findings: readonly string[];
    readonly path?: string;
    readonly programs?: readonly string[];
    readonly ignored: boolean;
  },
): PersistentItem {
  return itemOf({
    key: text,
    label,
    runs: [...(path === undefined ? [] : [path]), ...programs].map((one) => runsOfProgram(one)),
    when: ['authentication'],
    as: as === 'ALL' ? 'root' : as,
    enabled: ignored ? false : undefined,
    findings,
  });
}
