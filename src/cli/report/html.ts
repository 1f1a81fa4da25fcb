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

/** A table with a heading for each column; on a narrow page each row is a block with the headings beside the values. */
export function table(heads: readonly string[], rows: readonly (readonly Child[])[]): Html | undefined {
  if (rows.length === 0) return undefined;
  const head = heads.map((one) => html`<th scope="col">${one}</th>`);
  const body = rows.map(
    (row) =>
      html`<tr>${row.map((cell, index) => html`<td data-label="${heads[index] ?? ''}">${cell}</td>`)}</tr>`,
  );
  return html`<table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
}
