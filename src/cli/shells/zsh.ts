import { allNodes, type CommandNode, everywhere, isPlace, type TreeOption } from '../command-tree.js';

/** A completion for zsh; works as a file `_launchwarden` of `$fpath`, and when it is sourced. */
export function zshCompletion(tree: CommandNode): string {
  const nodes = allNodes(tree);
  const name = ({ words }: CommandNode) => [tree.name, ...words].join(' ');
  const known = nodes.filter(({ words }) => words.length > 0).map((one) => `'${name(one)}'`);
  const cases = nodes.map((one) => `    ('${name(one)}')\n${bodyOf(one)}\n      ;;`);
  return `#compdef ${tree.name}
# made by "${tree.name} completions zsh"
_${tree.name}() {
  local at='${tree.name}'
  local -a commands
  integer i depth=1
  for ((i = 2; i < CURRENT; i++)); do
    case "$at \${words[i]}" in
      (${known.join('|')}) at="$at \${words[i]}"; depth=i ;;
      (*) break ;;
    esac
  done
  # What follows is completed as if the command's last word stood first.
  shift $((depth - 1)) words
  ((CURRENT -= depth - 1))
  case "$at" in
${cases.join('\n')}
  esac
}
if [[ "\${funcstack[1]}" == _${tree.name} ]]; then
  _${tree.name} "$@"
elif ((\${+functions[compdef]})); then
  compdef _${tree.name} ${tree.name}
fi
`;
}

function bodyOf(node: CommandNode): string {
  if (node.children.length > 0) {
    const rows = node.children.map(({ name, summary }) => `        '${quoted(`${name}:${summary}`)}'`);
    return `      commands=(\n${rows.join('\n')}\n      )\n      _describe -t commands 'command' commands`;
  }
  const specs = [
    ...[...node.options, ...everywhere].map(spec),
    ...(node.arguments.length === 0
      ? []
      : [
          `'*:${colonless(node.arguments.map(({ name }) => name).join(' '))}:${isPlace(node.arguments[0]?.name ?? '') ? '_files' : ' '}'`,
        ]),
  ];
  return `      _arguments \\\n        ${specs.join(' \\\n        ')}`;
}

function spec({ long, value, optional, summary }: TreeOption): string {
  const told = quoted(summary.replace(/[[\]\\]/g, '\\$&'));
  if (value === undefined) return `'${long}[${told}]'`;
  return `'${long}[${told}]${optional ? '::' : ':'}${colonless(value)}:${isPlace(value) ? '_files' : ' '}'`;
}

function colonless(text: string): string {
  return quoted(text.replaceAll(':', ' '));
}

function quoted(text: string): string {
  return text.replaceAll("'", "'\\''");
}
