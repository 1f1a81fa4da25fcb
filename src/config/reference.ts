import { configShape, type Key, type Shape, type Table } from './shape.js';

const cell = (text: string) => text.replaceAll('|', '\\|');

function kindOf(shape: Shape): string {
  switch (shape.kind) {
    case 'table':
    case 'variant':
      return 'table';
    case 'off-or':
      return 'table or false';
    case 'list':
      return shape.item.kind === 'words' ? `list of ${kindOf(shape.item)}` : `list of ${kindOf(shape.item)}s`;
    case 'words':
      return shape.words.map((word) => `\`${word}\``).join(', ');
    case 'number':
      return shape.most === undefined ? 'number' : `number, ${shape.least ?? 0} to ${shape.most}`;
    case 'switch':
      return '`true`, `false`';
    case 'map':
      return 'table of texts';
    case 'any':
      return 'anything';
    default:
      return shape.kind;
  }
}

/** The rows of a table: keys that hold tables of their own are walked. */
function rows({ keys }: Table, prefix: string): string[] {
  return Object.entries(keys).flatMap(([name, key]) => {
    const { shape } = key;
    if (shape.kind === 'table') return rows(shape, `${prefix}${name}.`);
    if (shape.kind === 'off-or')
      return [row(`${prefix}${name}`, key), ...rows(shape.table, `${prefix}${name}.`)];
    if (shape.kind === 'list' && shape.item.kind === 'table')
      return [row(`${prefix}${name}`, key), ...rows(shape.item, `${prefix}${name}[].`)];
    return [row(`${prefix}${name}`, key)];
  });
}

function row(name: string, { shape, description, fallback, required }: Key): string {
  const value = required ? 'required' : fallback === undefined ? '' : `\`${JSON.stringify(fallback)}\``;
  return `| \`${name}\` | ${cell(kindOf(shape))} | ${cell(value)} | ${cell(description)} |`;
}

const head = ['| key | value | default | |', '| --- | --- | --- | --- |'];

/** Every key of the configuration as Markdown, for docs/config.md. */
export function configReference(): string {
  const { keys } = configShape();
  const sections: string[] = [];
  const top = Object.entries(keys).filter(([, { shape }]) => !['table', 'list'].includes(shape.kind));
  sections.push([...head, ...top.map(([name, key]) => row(name, key))].join('\n'));
  for (const [name, { shape, description }] of Object.entries(keys)) {
    if (shape.kind === 'table')
      sections.push(`## [${name}]`, description, [...head, ...rows(shape, '')].join('\n'));
    if (shape.kind !== 'list' || shape.item.kind !== 'variant') continue;
    sections.push(`## [[${name}]]`, description);
    for (const [type, table] of Object.entries(shape.item.tables))
      sections.push(
        `### type = "${type}"`,
        [...head, ...rows(table, '').filter((one) => !one.startsWith('| `type`'))].join('\n'),
      );
  }
  return `${sections.join('\n\n')}\n`;
}
