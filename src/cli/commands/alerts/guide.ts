import { escapeBlock } from '../../../base/escape.js';
import type { Alert } from '../../../event/alert.js';
import type { LaunchdJob } from '../../../inventory/index.js';
import type { Subject } from '../../../respond/investigate/index.js';
import { at, quoted, textAt } from '../../output/read.js';
import { shortId } from './alert-line.js';

/** More of a guide is not shown. */
const maxGuide = 32_768;

/** The guide of the alert's rule with what is known filled into its commands; undefined when the rule has none. Safe. */
export function filledGuide(alert: Alert, about: Subject, job: LaunchdJob | undefined): string | undefined {
  const note = at(alert.doc, 'launchwarden.rule.note');
  if (typeof note !== 'string' || note.trim() === '') return undefined;
  const values = valuesOf(alert, about, job);
  const filled = note
    .slice(0, maxGuide)
    .replace(/`([^`\n]{1,500})`/g, (_, code: string) => `\`${fill(code, values)}\``);
  return escapeBlock(filled);
}

/** What the placeholders of commands stand for, as texts for a shell. What cannot be typed is left out. */
function valuesOf(alert: Alert, about: Subject, job: LaunchdJob | undefined): ReadonlyMap<string, string> {
  const uid = textAt(alert.doc, 'file.uid');
  const domain = domainOf(alert, about, job);
  const program = about.program ?? about.path;
  const named: readonly (readonly [string, string | undefined])[] = [
    ['ID', shortId(alert.id)],
    ['LABEL', about.labels[0]],
    ['DOMAIN', domain],
    ['UID', domain === undefined ? uid : (/^(?:gui|user)\/(\d+)$/.exec(domain)?.[1] ?? uid)],
    ['PATH', program],
    ['BUNDLE', about.isBundle ? about.path : undefined],
    ['FILE', about.file ?? about.path],
    ['INODE', textAt(alert.doc, 'file.inode')],
    ['USER', textAt(alert.doc, 'user.name')],
  ];
  return new Map(
    named.flatMap(([name, value]) =>
      value === undefined || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}`]/u.test(value) || value.length > 1_024
        ? []
        : [[name, value]],
    ),
  );
}

/** Where launchd has the job, else where it would load it. */
function domainOf(alert: Alert, about: Subject, job: LaunchdJob | undefined): string | undefined {
  const loaded = job?.live.domains.find(({ state }) => state === 'loaded')?.domain;
  if (loaded !== undefined) return loaded;
  const told = textAt(alert.doc, 'launchwarden.job.domain');
  if (told !== undefined) return told;
  if (about.mechanism === 'launch-daemon') return 'system';
  const asked = job?.live.domains.find(({ domain }) => domain.startsWith('gui/'))?.domain;
  const uid = textAt(alert.doc, 'file.uid');
  return asked ?? (about.home === undefined || uid === undefined || uid === '0' ? undefined : `gui/${uid}`);
}

/** Fills a command: each word is quoted as a whole, since a path may hold anything. */
function fill(code: string, values: ReadonlyMap<string, string>): string {
  return code
    .split(' ')
    .map((word) => {
      const filled = word.replace(/\b[A-Z]{2,8}\b/g, (name) => values.get(name) ?? name);
      return filled === word ? word : quoted(filled);
    })
    .join(' ');
}
