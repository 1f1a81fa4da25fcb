import { allNodes, type CommandNode, everywhere, isPlace } from '../command-tree.js';

/** A completion for bash 3.2 and newer, of which macOS has the oldest. */
export function bashCompletion(tree: CommandNode): string {
  const nodes = allNodes(tree);
  const name = ({ words }: CommandNode) => [tree.name, ...words].join(' ');
  const places = new Set<string>();
  const taking = new Set<string>();
  for (const { options } of nodes)
    for (const { long, value, optional } of [...options, ...everywhere])
      if (value !== undefined && !optional) (isPlace(value) ? places : taking).add(long);
  // An option that means a file somewhere completes files everywhere.
  for (const long of places) taking.delete(long);
  const known = nodes.filter(({ words }) => words.length > 0).map((one) => `'${name(one)}'`);
  const lines = nodes.map((one) => {
    const words =
      one.children.length > 0
        ? [...one.children.map((child) => child.name), '--help']
        : [...one.options, ...everywhere].map(({ long }) => long);
    return `    '${name(one)}') words='${words.join(' ')}' ;;`;
  });
  return `# bash completion of ${tree.name}; made by "${tree.name} completions bash"
_${tree.name}() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" at='${tree.name}' words='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i]}" in
      ${known.join('|')}) at="$at \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$prev" in
    ${[...places].join('|')}) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    ${[...taking].join('|')}) return ;;
  esac
  case "$at" in
${lines.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _${tree.name} ${tree.name}
`;
}
