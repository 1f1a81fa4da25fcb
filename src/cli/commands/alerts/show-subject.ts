import { things } from '../../../base/count.js';
import { findingMeaning, findingWeight } from '../../../event/findings.js';
import { safe } from '../../output/output.js';
import { at, listAt, quoted, textAt } from '../../output/read.js';
import type { Section } from '../../output/sheet.js';
import { commandLine } from './show-events.js';

const maxKeys = 200;

function named(name: string | undefined, id: string | undefined): string | undefined {
  return name !== undefined && id !== undefined && name !== id ? `${name} (${id})` : (name ?? id);
}

function joined(parts: readonly (string | undefined)[]): string | undefined {
  const present = parts.filter((part) => part !== undefined);
  return present.length === 0 ? undefined : present.join(', ');
}

/** What the property list says that the job is and does. */
export function launchItemSection(doc: unknown, section: Section): void {
  const item = at(doc, 'launchwarden.plist');
  if (item !== undefined) {
    section.copy('label', textAt(item, 'label'), 'bold');
    section.list('other labels', listAt(item, 'other_labels'));
    section.copy('program', textAt(item, 'program'));
    const args = listAt(item, 'program_arguments').map(quoted);
    section.copy('arguments', args.length === 0 ? undefined : args.join(' '));
    section.list('executes', listAt(item, 'runs'));
    section.field('signed by', signature(item));
    section.field('runs as', textAt(item, 'user_name'));
    const starts = [
      ...(at(item, 'run_at_load') === true ? ['RunAtLoad'] : []),
      ...(at(item, 'keep_alive') === true ? ['KeepAlive'] : []),
      ...listAt(item, 'triggers'),
    ];
    section.field('started by', starts.length === 0 ? undefined : [...new Set(starts)].join(', '));
    if (at(item, 'disabled') === true) section.field('disabled', 'yes');
    section.field('format', textAt(item, 'format'));
  }
  section.list(
    'findings',
    listAt(doc, 'launchwarden.findings').map((word) => {
      const weight = findingWeight(word);
      return `${weight > 0 ? `+${weight} ` : ''}${findingMeaning(word) ?? ''} (${word})`.trim();
    }),
  );
}

/** What hash lists and YARA rules say about its files. */
export function scanSection(doc: unknown, section: Section): void {
  const scan = at(doc, 'launchwarden.scan');
  if (scan === undefined) return;
  section.list('YARA rules', listAt(scan, 'yara'));
  section.list('hash lists', listAt(scan, 'listed'));
  section.list('files', listAt(scan, 'matched'));
  section.list('sha256', listAt(scan, 'sha256'));
  section.list('not scanned', listAt(scan, 'left_out'));
}

/** Every key of the property list as the alert keeps it. */
export function propertyListSection(doc: unknown, section: Section): void {
  const json = at(doc, 'launchwarden.plist.json');
  if (typeof json !== 'string') return;
  let list: unknown;
  try {
    list = JSON.parse(json);
  } catch {
    section.line('It cannot be shown key by key; --json has it as it is kept.');
    return;
  }
  if (typeof list !== 'object' || list === null) return;
  for (const [key, value] of Object.entries(list).slice(0, maxKeys))
    section.copy(safe(key) ?? '', safe(typeof value === 'string' ? value : JSON.stringify(value)) ?? '""');
}

export function fileSection(doc: unknown, section: Section): void {
  const file = at(doc, 'file');
  if (file === undefined) return;
  section.copy('path', textAt(file, 'path'), 'bold');
  section.copy('came from', textAt(file, 'Ext.original.path'));
  section.copy('leads to', textAt(file, 'target_path'));
  const target = at(doc, 'launchwarden.target');
  if (target !== undefined)
    section.field(
      'what is there',
      joined([
        textAt(target, 'type'),
        `mode ${textAt(target, 'mode') ?? '?'}`,
        `owner ${textAt(target, 'uid') ?? '?'}`,
        `group ${textAt(target, 'gid') ?? '?'}`,
      ]),
    );
  const size = textAt(file, 'size');
  section.field(
    'facts',
    joined([
      textAt(file, 'type'),
      size === undefined ? undefined : things(Number(size), 'byte'),
      textAt(file, 'mode') === undefined ? undefined : `mode ${textAt(file, 'mode')}`,
      textAt(file, 'inode') === undefined ? undefined : `inode ${textAt(file, 'inode')}`,
    ]),
  );
  section.field('owner', named(textAt(file, 'owner'), textAt(file, 'uid')));
  section.field('group', named(textAt(file, 'group'), textAt(file, 'gid')));
  section.field('changed', textAt(file, 'ctime'));
  section.field('modified', textAt(file, 'mtime'));
  section.copy('sha256', textAt(file, 'hash.sha256'));
}

/** Of what has a `code_signature`: a process, a launch item. */
function signature(signed: unknown): string | undefined {
  const code = at(signed, 'code_signature');
  if (code === undefined) return undefined;
  if (at(code, 'exists') === false) return 'unsigned';
  const trust = at(code, 'trusted') === true ? 'trusted' : (textAt(code, 'status') ?? 'not trusted');
  return joined([textAt(code, 'signing_id'), textAt(code, 'team_id'), textAt(code, 'subject_name'), trust]);
}

export function processSection(doc: unknown, section: Section): void {
  const process = at(doc, 'process');
  if (process === undefined) return;
  const pid = textAt(process, 'pid');
  section.field(
    'name',
    `${textAt(process, 'name') ?? '?'}${pid === undefined ? '' : ` (pid ${pid})`}`,
    'bold',
  );
  section.copy('image', textAt(process, 'executable'));
  section.copy('command', commandLine(process));
  section.copy('folder', textAt(process, 'working_directory'));
  section.field('user', named(textAt(doc, 'user.name'), textAt(doc, 'user.id')));
  section.field('started', textAt(process, 'start'));
  section.field('signature', signature(process));
  section.copy('sha256', textAt(process, 'hash.sha256'));
  section.copy('entity', textAt(process, 'entity_id'));
  const parent = at(process, 'parent');
  if (parent === undefined) return;
  const parentPid = textAt(parent, 'pid');
  const parentName = textAt(parent, 'name') ?? textAt(parent, 'executable') ?? '?';
  section.field('parent', `${parentName}${parentPid === undefined ? '' : ` (pid ${parentPid})`}`);
  section.copy('', textAt(parent, 'executable'));
  section.copy('', commandLine(parent));
}
