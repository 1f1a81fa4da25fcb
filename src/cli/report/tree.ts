import type { ProcessNode } from '../../respond/investigate/index.js';
import { code, Html, html } from './html.js';

/** Processes with their children, drawn as a tree. */
export function processTree(roots: readonly ProcessNode[]): Html | undefined {
  return roots.length === 0 ? undefined : html`<ol class="tree">${roots.map(branch)}</ol>`;
}

function branch(node: ProcessNode): Html {
  const { executable, command, pid, user, isMatch, note, children } = node;
  const name = executable?.slice(executable.lastIndexOf('/') + 1) ?? '?';
  const facts = [pid === undefined ? undefined : `pid ${pid}`, user, note]
    .filter((one) => one !== undefined)
    .join(', ');
  const below = children.length === 0 ? undefined : html`<ol>${children.map(branch)}</ol>`;
  return html`<li><span class="node${Html.raw(isMatch ? ' match' : '')}"><b>${name}</b>${facts === '' ? undefined : html` <span class="soft">${facts}</span>`}<br>${code(command ?? executable, 600)}</span>${below}</li>`;
}
