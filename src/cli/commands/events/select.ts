import { UserError } from '../../../base/errors.js';
import type { Micros } from '../../../base/time.js';
import { conditionsOf } from '../../../detect/index.js';
import type { EcsDocument } from '../../../event/document.js';
import type { Event } from '../../../event/event.js';
import { compileQuery, formatDiagnostic, planConditions, querySource } from '../../../rules/index.js';
import { list, type OptionValues, value } from '../../define-command.js';
import { filePath, timePoint, timeRange } from '../../values.js';

const text = (written: string) => written;

/** Which events: every option narrows the choice. */
export const selectOptions = {
  since: value('--since TIME', 'not older: 2h, 2026-01-31T12:00:00Z', timePoint('--since')),
  until: value('--until TIME', 'older than this', timePoint('--until')),
  category: list('--category NAME', 'file, process, configuration, ...', text),
  action: list('--action NAME', 'modification, exec, deletion, ...', text),
  path: value('--path TEXT', 'that stands in a path, a program or an argument', filePath('--path')),
  process: value('--process NAME', 'name or pid of a process', text),
  user: value('--user NAME', 'name or id', text),
  item: value('--item ID', 'of one persistent item ("inventory list"), or the beginning of its id', text),
  filter: value('--filter KQL', 'any condition: "file.path: *.plist and not user.name: root"', text),
};

/** The range and the test that options ask for. Throws a UserError. */
export function selection(
  options: OptionValues<typeof selectOptions>,
  now: Micros,
): { readonly range: { from?: Micros; to?: Micros }; readonly wants: (event: Event) => boolean } {
  const { since: from, until: to } = timeRange(options, now);
  const filter = options.filter === undefined ? undefined : compiled(options.filter, now);
  const { category = [], action = [], path, process, user, item } = options;
  const wants = ({ doc }: Event): boolean =>
    (category.length === 0 || anyOf(doc.event?.category, category)) &&
    (action.length === 0 || anyOf(doc.event?.action, action)) &&
    (process === undefined || isProcess(doc, process)) &&
    (user === undefined || [doc.user?.name, doc.user?.id, doc.file?.owner].includes(user)) &&
    (item === undefined || doc.launchwarden?.persistence?.item_id?.startsWith(item) === true) &&
    (path === undefined || namesPath(doc, path)) &&
    (filter === undefined || filter(doc));
  return { range: { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }, wants };
}

function anyOf(values: unknown, wanted: readonly string[]): boolean {
  return [values].flat().some((one) => typeof one === 'string' && wanted.includes(one));
}

function isProcess({ process }: EcsDocument, wanted: string): boolean {
  return (
    process !== undefined &&
    [process.name, String(process.pid ?? ''), process.entity_id, process.executable].includes(wanted)
  );
}

/** Documents may hold anything anywhere. */
function namesPath({ file, process, launchwarden }: EcsDocument, text: string): boolean {
  const texts: unknown[] = [
    file?.path,
    process?.executable,
    process?.args,
    launchwarden?.persistence?.path,
    launchwarden?.persistence?.runs,
    launchwarden?.job?.plist_path,
    launchwarden?.job?.program,
  ];
  return texts.flat().some((one) => typeof one === 'string' && one.includes(text));
}

function compiled(written: string, now: Micros): (doc: EcsDocument) => boolean {
  const found = compileQuery('kuery', written, querySource(written, '--filter'));
  if (!('query' in found)) {
    const [first, ...more] = found.diagnostics.filter(({ severity }) => severity === 'error');
    const rest = more.map((one) => `\n${formatDiagnostic(one)}`).join('');
    throw new UserError(first?.code ?? 'kql/syntax', `${first?.message}\n${first?.excerpt}${rest}`, {
      at: { file: '--filter', line: first?.line ?? 1, column: first?.column ?? 1 },
      ...(first?.hint === undefined ? {} : { hint: first.hint }),
    });
  }
  const set = planConditions(conditionsOf(found.query), Math.floor(now / 1000));
  return (doc) => {
    const hits: number[] = [];
    set.match(doc, hits);
    return hits.length > 0;
  };
}
