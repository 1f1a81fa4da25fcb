import type { Output } from './output.js';
import type { StyleName } from './style.js';
import { pad, textWidth, wrap } from './width.js';

const labelWidth = 13;
const leastTextWidth = 30;
const widest = 120;

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
    for (const [index, line] of wrap(value, room).entries()) {
      const shown = look === undefined ? line : this.#out.style(look, line);
      this.#print(`  ${this.#out.style('dim', pad(index === 0 ? label : '', labelWidth))}  ${shown}`);
    }
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
    for (const [index, line] of wrap(text, room).entries())
      this.#print(' '.repeat(index === 0 ? indent : indent + 2) + line);
  }

  /** A line that must not be wrapped: a query. */
  verbatim(line: string): void {
    this.#print(`  ${line}`);
  }

  /** Text with paragraphs, wrapped; Markdown headings stand out. */
  block(text: string): void {
    const room = Math.max(leastTextWidth, this.#width - 2);
    for (const source of text.trim().split('\n')) {
      const lead = /^ *(?:[-*] |\d+\. )?/.exec(source)![0];
      const heading = /^#+ +/.exec(source);
      if (heading !== null) this.#print(`  ${this.#out.style('bold', source.slice(heading[0].length))}`);
      else if (source.trim() === '') this.#print('');
      else {
        for (const [index, line] of wrap(source.slice(lead.length), room - textWidth(lead)).entries())
          this.#print(`  ${index === 0 ? lead : ' '.repeat(textWidth(lead))}${line}`);
      }
    }
  }
}
