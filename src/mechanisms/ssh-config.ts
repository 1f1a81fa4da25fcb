import { firstItems, itemOf } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem, Place, When } from './mechanism.js';
import { linesOf, runsOfProgram, runsOfShell } from './read.js';

/** What a keyword makes run or lets in. */
interface Keyword {
  /** How its value is read: a command line, a program or library by its path, or nothing that runs. */
  readonly value: 'command' | 'program' | 'none';
  readonly finding?: string;
  /** Values that say nothing new. */
  readonly usual?: RegExp;
}

const none = /^(?:none|no)$/i;
/** Files that root alone may write, of which the settings are watched themselves. */
const ownFiles =
  /^(?!.*\.\.)\/(?:private\/)?etc\/ssh\/[\w.*/-]+(?:\s+\/(?:private\/)?etc\/ssh\/[\w.*/-]+)*$/i;

const ownPrograms = /^\/usr\/libexec\/sshd-\w+$/i;
/** Variables of the language and the terminal: what else a session is given is told. */
const plainVariables =
  /^(?:(?:LANG|LANGUAGE|LC_[\w*]+|TERM|COLORTERM|TZ|NO_COLOR|TERM_PROGRAM\w*|GIT_PROTOCOL)(?:=\S*)?(?:\s+|$))+$/;

/** Keywords of the server. Source: sshd_config(5). */
const server: Readonly<Record<string, Keyword>> = {
  forcecommand: { value: 'command', finding: 'forced-command', usual: none },
  authorizedkeyscommand: { value: 'command', finding: 'keys-elsewhere', usual: none },
  authorizedprincipalscommand: { value: 'command', finding: 'keys-elsewhere', usual: none },
  authorizedkeysfile: {
    value: 'none',
    finding: 'keys-elsewhere',
    usual: /^(?:none|(?:"?(?:%h\/)?\.ssh\/authorized_keys2?"?\s*)+)$/i,
  },
  authorizedprincipalsfile: { value: 'none', finding: 'keys-elsewhere', usual: none },
  trustedusercakeys: { value: 'none', finding: 'trusts-authority', usual: none },
  permitrootlogin: {
    value: 'none',
    finding: 'root-login',
    usual: /^(?:no|prohibit-password|without-password)$/i,
  },
  permitemptypasswords: { value: 'none', finding: 'no-password', usual: none },
  permituserenvironment: { value: 'none', finding: 'sets-environment', usual: none },
  sshdsessionpath: { value: 'program', finding: 'program-of-setting', usual: ownPrograms },
  sshdauthpath: { value: 'program', finding: 'program-of-setting', usual: ownPrograms },
  securitykeyprovider: { value: 'program', finding: 'program-of-setting', usual: /^(?:internal|none)$/i },
  hostkeyagent: { value: 'none', finding: 'reads-other-file', usual: none },
  setenv: { value: 'none', finding: 'sets-environment', usual: plainVariables },
  acceptenv: { value: 'none', finding: 'sets-environment', usual: plainVariables },
  hostbasedauthentication: { value: 'none', finding: 'trusts-hosts', usual: none },
  ignorerhosts: { value: 'none', finding: 'trusts-hosts', usual: /^(?:yes|shosts-only)$/i },
  authenticationmethods: {
    value: 'none',
    finding: 'no-password',
    // A list that holds the method `none` lets everybody in.
    usual: /^(?!.*(?:^|[\s,])none\b).*$/i,
  },
  strictmodes: { value: 'none', finding: 'keys-elsewhere', usual: /^yes$/i },
  pamservicename: { value: 'none', finding: 'no-pam', usual: /^sshd$/i },
  usepam: { value: 'none', finding: 'no-pam', usual: /^yes$/i },
  subsystem: { value: 'command', usual: /^sftp\s+(?:\/usr\/libexec\/sftp-server|internal-sftp)\b[^;&|]*$/i },
  xauthlocation: { value: 'program' },
  include: {
    value: 'none',
    finding: 'reads-other-file',
    usual: ownFiles,
  },
};

/** Keywords of the client. Source: ssh_config(5). */
const client: Readonly<Record<string, Keyword>> = {
  proxycommand: { value: 'command', usual: none },
  localcommand: { value: 'command' },
  knownhostscommand: { value: 'command', usual: none },
  pkcs11provider: { value: 'program', usual: none },
  securitykeyprovider: { value: 'program', usual: /^(?:internal|none)$/i },
  xauthlocation: { value: 'program' },
  include: {
    value: 'none',
    finding: 'reads-other-file',
    usual: ownFiles,
  },
};

/** Settings of SSH that run something or let somebody in; others give no item. */
export const sshConfig: Mechanism = {
  id: 'ssh-config',
  name: 'SSH setting',
  techniques: ['T1098.004', 'T1546'],
  confidential: true,
  byLine: true,
  places: [
    { scope: 'home', path: '.ssh/config', what: 'file' },
    ...['ssh_config', 'sshd_config'].flatMap((name): Place[] => [
      { scope: 'system', path: `/private/etc/ssh/${name}`, what: 'file' },
      { scope: 'system', path: `/private/etc/ssh/${name}.d`, what: 'entries' },
      { scope: 'system', path: `/opt/homebrew/etc/ssh/${name}`, what: 'file' },
    ]),
    { scope: 'system', path: '/private/etc/sshd_config', what: 'file' },
  ],
  read: (file) => firstItems(settingsIn(file)),
  removal: ({ key }, { path }) => `Delete the line \`${key}\` from ${path}.`,
};

function* settingsIn(file: MechanismFile): Generator<PersistentItem> {
  const daemon = /\/sshd_config(?:\.d\/[^/]+)?$/i.test(file.path);
  const keywords = daemon ? server : client;
  const when: When = daemon ? 'authentication' : 'demand';
  for (const line of linesOf(file, { newline: /\n/ })) {
    const text = withoutComment(line.text);
    // One equals sign may stand for a blank, and the keyword may be quoted.
    const [, word = '', given = ''] = /^"?(\w+)"?(?:\s*=\s*|\s+|(?="))(.*)$/s.exec(text) ?? [];
    const name = word.toLowerCase();
    const value = /^"[^"]*"$/.test(given) ? given.slice(1, -1) : given;
    if (name === 'match') {
      const command = /\bexec(?:\s+|\s*=\s*)(?:"((?:[^"\\]|\\.)*)"|(\S+))/i.exec(value);
      const line = command?.[1] ?? command?.[2];
      if (line !== undefined)
        yield itemOf({ key: text, label: 'Match exec', runs: [runsOfShell(line)], when: [when] });
      continue;
    }
    const keyword = Object.hasOwn(keywords, name) ? keywords[name] : undefined;
    if (keyword === undefined || keyword.usual?.test(value) === true) continue;
    const command = name === 'subsystem' ? value.replace(/^\S+\s+/, '') : value;
    yield itemOf({
      key: `${word} ${value}`,
      label: word,
      runs:
        keyword.value === 'command'
          ? [runsOfShell(command)]
          : keyword.value === 'program'
            ? [runsOfProgram(command)]
            : [],
      when: [when],
      as: daemon ? 'root' : undefined,
      findings: keyword.finding === undefined ? [] : [keyword.finding],
    });
  }
}

/** What follows a number sign that stands outside of quotes, after a blank. */
function withoutComment(text: string): string {
  const [kept = ''] = /^(?:"[^"]*"|(?<=\S)#|[^"#]|")*/.exec(text) ?? [];
  return kept.trim();
}
