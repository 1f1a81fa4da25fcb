import { nameOf } from './bundle.js';
import { firstItems, ownersItem } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem, Place } from './mechanism.js';
import { linesOf, runsOfProgram, runsOfShell } from './read.js';

const system = ['/private/etc/gitconfig', '/usr/local/etc/gitconfig', '/opt/homebrew/etc/gitconfig'];
const templates = [
  '.git-templates/hooks',
  '.git-template/hooks',
  '.git_template/hooks',
  '.config/git/template/hooks',
  '.githooks',
  '.git-hooks',
  '.config/git/hooks',
];

/** Settings of git that make it run something in every repository, and the hooks they lead to. Source: git-config(1), githooks(5). */
export const gitConfig: Mechanism = {
  id: 'git-config',
  name: 'git hook or setting',
  techniques: ['T1546'],
  confidential: true,
  byLine: true,
  places: [
    { scope: 'home', path: '.gitconfig', what: 'file' },
    { scope: 'home', path: '.config/git/config', what: 'file' },
    ...system.map((path): Place => ({ scope: 'system', path, what: 'file' })),
    ...templates.map((path): Place => ({ scope: 'home', path, what: 'entries' })),
  ],
  read: (file) =>
    /config$/i.test(file.path)
      ? firstItems(settingsIn(file))
      : /\.sample$/i.test(file.path)
        ? []
        : [
            ownersItem({
              label: nameOf(file.path),
              runs: [runsOfProgram(file.path)],
              when: ['host-program'],
            }),
          ],
  removal: ({ label, key }, { path }) =>
    key === ''
      ? `Delete ${path}.`
      : `Delete it with \`git config --file ${path} --unset ${label ?? 'NAME'}\`.`,
};

/** Names of settings that run their value, and those that name where to read more. */
const commands =
  /^(?:core\.(?:fsmonitor|sshcommand|gitproxy|askpass|alternaterefscommand|editor|pager)|pager\..*|diff\.external|gpg(?:\..*)?\.(?:program|defaultkeycommand)|(?:filter\..*\.(?:clean|smudge|process))|diff\..*\.(?:command|textconv)|merge\..*\.driver|(?:difftool|mergetool|browser|man)\..*\.(?:cmd|path)|trailer\..*\.(?:command|cmd)|interactive\.difffilter|remote\..*\.(?:uploadpack|receivepack)|uploadpack\.packobjectshook|sequence\.editor)$/;
const folders =
  /^(?:core\.hookspath|init\.templatedir|include\.path|includeif\..*\.path|core\.attributesfile)$/;
/** What is set on most developers' Macs and names git's own tools. */
const usual =
  /^(?:git-lfs (?:clean|smudge|filter-process)\b[^;&|`$]*|true|false|(?:\/(?:usr\/(?:local\/)?|opt\/(?:homebrew|local)\/|nix\/)(?!.*\.\.)[\w./+-]*)?gpg2?|\/Applications\/1Password\.app\/Contents\/MacOS\/op-ssh-sign|ssh-keygen|(?:less|more|most|cat|bat|delta|diff-so-fancy|vim?|nvim|nano|emacs|code|subl|mate|bbedit)(?:\s+-[\w-]+)*)$/i;
/** Helpers for passwords: git's own, without a folder or in that of a package manager, and those of well-known tools. */
const usualHelper =
  /^(?:(?:[a-z][\w-]*|\/(?:usr\/local|opt\/homebrew|Library\/Developer\/CommandLineTools|Applications\/Xcode[\w.-]*\.app)\/(?!.*\.\.)[\w./-]*\/git-credential-[\w-]+)(?: [\w=./~:-]+)*|!(?:\/(?:usr\/local|opt\/homebrew)\/bin\/)?(?:gh auth git-credential|glab auth git-credential|aws codecommit credential-helper \$@))$/;

function* settingsIn(file: MechanismFile): Generator<PersistentItem> {
  let section = '';
  const isComment = (text: string) => /^[#;]/.test(text);
  for (const { text } of linesOf(file, { joins: true, isComment })) {
    const head = /^\[\s*([\w.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]/.exec(text);
    if (head !== null)
      section = `${head[1]?.toLowerCase()}${head[2] === undefined ? '' : `.${head[2].toLowerCase()}`}`;
    const rest = head === null ? text : text.slice(head[0].length).trim();
    const [, name, raw] = /^([A-Za-z][\w-]*)\s*=\s*(.*)$/.exec(rest) ?? [];
    if (name === undefined || raw === undefined) continue;
    const value = raw
      .replace(/^"((?:[^"\\]|\\.)*)".*$|^([^"]*?)\s+[#;].*$/, '$1$2')
      .replace(/\\(["\\])/g, '$1')
      .trim();
    const setting = `${section}.${name.toLowerCase()}`;
    const shell = value.startsWith('!') ? value.slice(1) : undefined;
    if (value === '' || usual.test(value)) continue;
    // The transport `ext` runs what stands behind it.
    const transport =
      /^url\.ext::(.+)\.(?:push)?insteadof$/.exec(setting)?.[1] ?? /^ext::(.+)$/i.exec(value)?.[1];
    if (transport !== undefined) {
      yield item(file, { section, name, value, runs: [runsOfShell(transport, file.path)] });
      continue;
    }
    // Without a leading `!`, a name stands for `git credential-NAME` and a path for itself.
    if (/^credential\.(?:.*\.)?helper$/.test(setting)) {
      if (!usualHelper.test(value))
        yield item(file, { section, name, value, runs: [runsOfShell(shell ?? value, file.path)] });
      continue;
    }
    if (folders.test(setting))
      yield item(file, { section, name, value, runs: [runsOfProgram(value, file.path)] });
    else if (commands.test(setting))
      yield item(file, { section, name, value, runs: [runsOfShell(value, file.path)] });
    // An alias that is a shell's text: common, and told apart by its label.
    else if (shell !== undefined && /^(?:alias\.|submodule\..*\.update$)/.test(setting))
      yield item(file, { section, name, value, runs: [runsOfShell(shell, file.path)] });
  }
}

function item(
  _file: MechanismFile,
  {
    section,
    name,
    value,
    runs,
  }: {
    readonly section: string;
    readonly name: string;
    readonly value: string;
    readonly runs: PersistentItem['runs'];
  },
): PersistentItem {
  return ownersItem({
    key: `${section}.${name}=${value}`,
    label: `${section}.${name}`,
    runs,
    when: ['host-program'],
  });
}
