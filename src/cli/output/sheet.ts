import type { Output } from './output.js';
import type { StyleName } from './style.js';
import { pad, textWidth, wrap } from './width.js';

const labelWidth = 13;
const leastTextWidth = 30;
const widest = 120;

export interface IndentedLine {
  readonly text: string;
  readonly indent: number;
  /** Stands before it: a number. */
  readonly lead?: string;
  /** It may be copied. */
  readonly whole?: boolean;
}

/**
 * Text for a line that the terminal goes on with in its first column: more than one blank is shown as such, so that nobody's
 * text can look like a line of ours there.
 */
export function unbroken(safeText: string): string {
  return safeText.replace(/ {2,}/g, (blanks) => '\u2420'.repeat(blanks.length));
}

/** A page for one thing: sections with labelled lines. All text that it is given is safe already. */
export class Sheet {
  readonly #out: Output;
  readonly #width: number;
  #empty = true;

  constructor(out: Output) {
    this.#out = out;
    this.#width = Math.min(out.width ?? widest, widest);
  }

  /** The heading of a section, printed with the first line that the section has. */
  section(title: string, body: (section: Section) => void): void {
    let begun = false;
    const print = (text: string) => {
      if (!begun) {
        if (!this.#empty) this.#out.line();
        this.#out.line(this.#out.style('bold', title));
        begun = true;
        this.#empty = false;
      }
      this.#out.line(text);
    };
    body(new Section(this.#out, { print, width: this.#width }));
  }

  /** A line of its own above the sections. */
  title(text: string): void {
    this.#out.line(text);
    this.#empty = false;
  }
}

export class Section {
  readonly #out: Output;
  readonly #print: (text: string) => void;
  readonly #width: number;

  constructor(out: Output, how: { readonly print: (text: string) => void; readonly width: number }) {
    this.#out = out;
    this.#print = how.print;
    this.#width = how.width;
  }

  /** `label  value`; nothing when there is no value. Long values continue under themselves. */
  field(label: string, value: string | undefined, look?: StyleName): void {
    if (value === undefined || value === '') return;
    const room = Math.max(leastTextWidth, this.#width - labelWidth - 4);
    for (const [index, line] of wrap(value, room, false).entries()) {
      const shown = look === undefined ? line : this.#out.style(look, line);
      this.#print(`  ${this.#out.style('dim', pad(index === 0 ? label : '', labelWidth))}  ${shown}`);
    }
  }

  /**
   * `label  value` of what one would copy: a path, a hash, a command. Never broken.
   */
  copy(label: string, value: string | undefined, look?: StyleName): void {
    if (value === undefined || value === '') return;
    const text = unbroken(value);
    this.#print(
      `  ${this.#out.style('dim', pad(label, labelWidth))}  ${look === undefined ? text : this.#out.style(look, text)}`,
    );
  }

  /** A list under one label, one item a line; at most `most`, and how many more there are. */
  list(label: string, items: readonly string[], most = 50): void {
    const shown = items.slice(0, most);
    if (items.length > most) shown.push(`… and ${items.length - most} more`);
    for (const [index, item] of shown.entries())
      this.field(index === 0 ? label : '', item === '' ? '""' : item);
  }

  /** A line as it is, indented. */
  line(text: string, indent = 2): void {
    const room = Math.max(leastTextWidth, this.#width - indent);
    for (const [index, line] of wrap(text, room, false).entries())
      this.#print(' '.repeat(index === 0 ? indent : indent + 2) + line);
  }

  /** A line; one that is whole is not broken, so that it can be copied. */
  indented({ text, indent, lead = '', whole = false }: IndentedLine): void {
    if (whole) this.#print(' '.repeat(indent) + lead + unbroken(text));
    else this.line(lead + text, indent);
  }

  /** A line that must not be wrapped: a query, an address. */
  verbatim(line: string): void {
    this.#print(`  ${line}`);
  }

  /** Markdown as far as guides use it: paragraphs and list items are filled anew, headings stand out, code stays. */
  block(text: string): void {
    const room = Math.max(leastTextWidth, this.#width - 2);
    for (const { kind, lead, text: content } of markdownLines(text)) {
      if (kind === 'heading') this.#print(`  ${this.#out.style('bold', content)}`);
      else if (kind === 'code') this.#print(`  ${content}`);
      else if (content === '') this.#print('');
      else {
        const indent = ' '.repeat(textWidth(lead));
        const lines = wrap(content, Math.max(leastTextWidth, room - indent.length), false);
        for (const [index, line] of lines.entries()) this.#print(`  ${index === 0 ? lead : indent}${line}`);
      }
    }
  }
}

interface MarkdownLine {
  readonly kind: 'heading' | 'code' | 'text';
  /** Indent and mark of a list item. */
  readonly lead: string;
  text: string;
}

/** Joins the lines of a paragraph or of a list item, as Markdown does. */
function markdownLines(text: string): MarkdownLine[] {
  const lines: MarkdownLine[] = [];
  let fenced = false;
  for (const source of text.trim().split('\n')) {
    const last = lines.at(-1);
    const item = /^ *(?:[-*] |\d+\. )/.exec(source)?.[0];
    const heading = /^#+ +/.exec(source)?.[0];
    if (/^ *```/.test(source)) fenced = !fenced;
    else if (fenced) lines.push({ kind: 'code', lead: '', text: source });
    else if (heading !== undefined)
      lines.push({ kind: 'heading', lead: '', text: source.slice(heading.length) });
    else if (item !== undefined)
      lines.push({ kind: 'text', lead: item, text: source.slice(item.length).trim() });
    else if (source.trim() === '') lines.push({ kind: 'text', lead: '', text: '' });
    else if (last?.kind === 'text' && last.text !== '') last.text += ` ${source.trim()}`;
    else if (source.startsWith('    ')) lines.push({ kind: 'code', lead: '', text: source });
    else lines.push({ kind: 'text', lead: '', text: source.trim() });
  }
  return lines;
}
