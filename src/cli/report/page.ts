import { createHash } from 'node:crypto';
import { formatMicros, type Micros } from '../../base/time.js';
import { type Child, escapeHtml, type Html, html } from './html.js';
import { style } from './style.js';

const styleHash = createHash('sha256').update(style).digest('base64');

/** Nothing is loaded or run: this one style sheet, told by its hash, and drawings in the page itself. */
const policy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'`;

/** A page that stands for itself. */
export function page(given: {
  readonly title: string;
  readonly head: Child;
  readonly body: readonly Child[];
  readonly version: string;
  readonly now: Micros;
}): string {
  const { title, head, body, version, now } = given;
  const made = `${formatMicros(now).slice(0, 19).replace('T', ' ')} UTC`;
  const content = html`<header>${head}</header><main>${body}</main><footer><p>Made by launchwarden ${version} at ${made}. Times are UTC.
This page runs no scripts and loads nothing; names, paths and commands in it were chosen by whoever made the files that it is about.</p></footer>`;
  return [
    '<!DOCTYPE html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="referrer" content="no-referrer">',
    '<meta name="color-scheme" content="light dark">',
    `<title>${escapeHtml(title, 200)}</title>`,
    `<style>${style}</style>`,
    '</head>',
    `<body>${content.source}</body>`,
    '</html>',
    '',
  ].join('\n');
}

/** A time as people read it, with the exact one for machines. */
export function timeTag(time: Micros, how: { readonly fine?: boolean } = {}): Html {
  const text = formatMicros(time);
  const shown = `${text.slice(0, 10)} ${text.slice(11, how.fine === true ? 23 : 19)}`;
  return html`<time datetime="${text}">${shown}</time>`;
}
