import { type Child, code, type Html, html } from './html.js';

interface Block {
  readonly kind: 'heading' | 'item' | 'text' | 'code';
  text: string;
}

/** A guide as far as Markdown goes in guides: headings, lists, paragraphs, code. Everything else is text. */
export function guideHtml(text: string): Html {
  const parts: Child[] = [];
  const blocks = blocksOf(text);
  for (let index = 0; index < blocks.length; index++) {
    const { kind, text: content } = blocks[index] as Block;
    if (kind === 'heading') parts.push(html`<h3>${content}</h3>`);
    else if (kind === 'code')
      parts.push(html`<pre>${content.split('\n').map((line) => html`${line}<br>`)}</pre>`);
    else if (kind === 'text') parts.push(html`<p>${inline(content)}</p>`);
    else {
      const items = [html`<li>${inline(content)}</li>`];
      while (blocks[index + 1]?.kind === 'item')
        items.push(html`<li>${inline(blocks[++index]?.text ?? '')}</li>`);
      parts.push(html`<ul>${items}</ul>`);
    }
  }
  return html`<div class="guide">${parts}</div>`;
}

/** Lines of a paragraph or of a list item joined, as Markdown does. */
function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  let open = false;
  let fenced = false;
  for (const line of text.split('\n')) {
    const last = blocks.at(-1);
    const item = /^ *(?:[-*\u2022]|\d+\.) +/.exec(line)?.[0];
    if (/^ *```/.test(line)) {
      fenced = !fenced;
      if (fenced) blocks.push({ kind: 'code', text: '' });
      open = false;
    } else if (fenced && last !== undefined) last.text += last.text === '' ? line : `\n${line}`;
    else if (line.trim() === '') open = false;
    else if (/^#+ /.test(line)) {
      blocks.push({ kind: 'heading', text: line.replace(/^#+ +/, '') });
      open = false;
    } else if (item !== undefined) {
      blocks.push({ kind: 'item', text: line.slice(item.length).trim() });
      open = true;
    } else if (open && last !== undefined) last.text += ` ${line.trim()}`;
    else {
      blocks.push({ kind: 'text', text: line.trim() });
      open = true;
    }
  }
  return blocks;
}

/** Code and strong words; the rest as it is. */
function inline(text: string): Child[] {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (/^`[^`]+`$/.test(part)) return code(part.slice(1, -1));
    return /^\*\*[^*]+\*\*$/.test(part) ? html`<strong>${part.slice(2, -2)}</strong>` : part;
  });
}
