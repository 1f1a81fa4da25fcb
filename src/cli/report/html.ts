import { clip, escapeText } from '../../base/escape.js';

/** HTML that may stand in a page as it is. Only this module makes it of texts. */
export class Html {
  readonly source: string;

  private constructor(source: string) {
    this.source = source;
  }

  /** Of our own constants alone. */
  static raw(source: string): Html {
    return new Html(source);
  }
}

export type Child = Html | string | number | undefined | readonly Child[];

const maxText = 2_000;

/** Text as it can stand in HTML and in an attribute: bounded, on one line, with what is hidden or reorders made visible. */
export function escapeHtml(text: string, limit = maxText): string {
  return escapeText(clip(text, limit)).replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/**
 * A template of HTML. Whatever is filled in is escaped, lists are joined, `undefined` is nothing. Values stand between tags
 * or in attributes with double quotes, never in a tag's name, a style or an address.
 */
export function html(parts: TemplateStringsArray, ...children: readonly Child[]): Html {
  let source = parts[0] ?? '';
  for (const [index, child] of children.entries()) source += sourceOf(child) + (parts[index + 1] ?? '');
  return Html.raw(source);
}

function sourceOf(child: Child): string {
  if (child === undefined) return '';
  if (child instanceof Html) return child.source;
  if (typeof child === 'object') return child.map(sourceOf).join('');
  return escapeHtml(String(child));
}

/** What one would copy: a path, a hash, a command. Its writing direction does not reach what stands beside it. */
export function code(text: string | undefined, limit?: number): Html | undefined {
  return text === undefined || text === '' ? undefined : Html.raw(`<code>${escapeHtml(text, limit)}</code>`);
}

/** A section with a heading; nothing without a body. */
export function section(
  title: string,
  body: Child,
  how: { readonly id?: string; readonly intro?: Child } = {},
): Html | undefined {
  if (sourceOf(body) === '') return undefined;
  const id = how.id === undefined ? '' : ` id="${how.id}"`;
  const intro = how.intro === undefined ? undefined : html`<p class="intro">${how.intro}</p>`;
  return html`<section${Html.raw(id)}><h2>${title}</h2>${intro}${body}</section>`;
}

/** A heading of a table, and the share of the width that its column gets on a wide page, per cent. */
export type Column = readonly [head: string, width: number];

/** A table with a heading for each column; on a narrow page each row is a block with the headings beside the values. */
export function table(columns: readonly Column[], rows: readonly (readonly Child[])[]): Html | undefined {
  if (rows.length === 0) return undefined;
  const cell = (content: Child, index: number) =>
    html`<td data-label="${columns[index]?.[0] ?? ''}">${content}</td>`;
  return html`${tableHead(columns)}<tbody>${rows.map((row) => html`<tr>${row.map(cell)}</tr>`)}</tbody></table>`;
}

/** The beginning of a table, up to its body. */
export function tableHead(columns: readonly Column[]): Html {
  const widths = columns.map(([, width]) => html`<col width="${width}%">`);
  const heads = columns.map(([head]) => html`<th scope="col">${head}</th>`);
  return html`<table><colgroup>${widths}</colgroup><thead><tr>${heads}</tr></thead>`;
}
