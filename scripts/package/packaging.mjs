import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** What Jamf shows of a Mac, each from `launchwarden status --json`. A date that is empty is no date for Jamf. */
const extensionAttributes = {
  version: { title: 'launchwarden: version', type: 'String', expression: 'status.version' },
  health: {
    title: 'launchwarden: health',
    type: 'String',
    expression:
      '[status.verdict ?? "unknown", ...(status.reasons?.length ? [status.reasons.join("; ")] : [])].join(": ")',
  },
  'full-disk-access': {
    title: 'launchwarden: Full Disk Access',
    type: 'String',
    expression: 'status.disk_access?.state ?? "unknown"',
  },
  'last-alert': {
    title: 'launchwarden: last alert',
    type: 'Date (YYYY-MM-DD hh:mm:ss)',
    expression: '(status.last_alert?.at ?? "").slice(0, 19).replace("T", " ")',
    empty: true,
  },
};

const xml = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Replaces `@NAME@`; what `values` has not stays, so that a reader sees what is missing. */
export function fill(text, values) {
  return text.replaceAll(/@([A-Z0-9_]+)@/g, (whole, name) => values[name] ?? whole);
}

/** What is known of a release without one: the version. */
function valuesOf({ version, baseUrl, homepage, teamId, teamName, packages }) {
  const given = {
    VERSION: version,
    BASE_URL: baseUrl,
    HOMEPAGE: homepage,
    TEAM_ID: teamId,
    TEAM_NAME: teamName,
    SHA256_ARM64: packages?.arm64?.sha256,
    SHA256_X64: packages?.x64?.sha256,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

const munkiArch = { arm64: 'arm64', x64: 'x86_64' };

/**
 * All that other tools need to install a release: file name and text each. `release`: { version, baseUrl, homepage, teamId,
 * teamName, packages: { arm64: { sha256, bytes }, x64: … } }, all but the version optional.
 */
export function packagingFiles(root, release) {
  const template = (name) => readFileSync(path.join(root, 'packaging', name), 'utf8');
  const values = {
    ...valuesOf(release),
    UNINSTALL_SCRIPT: xml(template('munki/uninstall.sh')),
  };
  const filled = (name, more = {}) => fill(template(`${name}.in`), { ...values, ...more });
  const files = {};
  for (const name of [
    'homebrew/launchwarden.rb',
    'installomator/launchwarden.sh',
    'autopkg/launchwarden.download.recipe',
    'autopkg/launchwarden.pkg.recipe',
    'autopkg/launchwarden.munki.recipe',
  ])
    files[name] = filled(name);
  for (const [arch, name] of Object.entries(munkiArch)) {
    const known = release.packages?.[arch];
    files[`munki/launchwarden-${release.version}-${arch}.plist`] = filled('munki/launchwarden.plist', {
      ARCH: arch,
      MUNKI_ARCH: name,
      ...(known && { SHA256: known.sha256, SIZE_KIB: String(Math.floor(known.bytes / 1024)) }),
    });
  }
  for (const [name, { title, type, expression, empty }] of Object.entries(extensionAttributes))
    files[`jamf/${name}.sh`] = filled('jamf/extension-attribute.sh', {
      TITLE: title,
      DATA_TYPE: type,
      EXPRESSION: expression,
      NOT_INSTALLED: empty ? '' : 'not installed',
      NOT_RUNNING: empty ? '' : 'not running',
    });
  return files;
}

/** Writes them below `folder`; the names of placeholders that are left. */
export function writePackaging(root, folder, release) {
  const left = new Set();
  for (const [name, text] of Object.entries(packagingFiles(root, release))) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text, { mode: name.startsWith('jamf/') ? 0o755 : 0o644 });
    for (const [whole] of text.matchAll(/@[A-Z0-9_]+@/g)) left.add(whole);
  }
  return [...left].sort();
}
