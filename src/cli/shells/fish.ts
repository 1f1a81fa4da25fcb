import { allNodes, type CommandNode, everywhere, isPlace } from '../command-tree.js';

/** A completion for fish. */
export function fishCompletion(tree: CommandNode): string {
  const lines: string[] = [];
  const complete = (condition: string, rest: string) =>
    lines.push(`complete -c ${tree.name} -n '${condition}' ${rest}`);
  for (const { words, children, options, arguments: taken } of allNodes(tree)) {
    const at = words.join(' ');
    for (const { name, summary } of children)
      complete(`__${tree.name}_exactly ${at}`.trim(), `-f -a ${name} -d '${quoted(summary)}'`);
    if (children.length > 0) continue;
    for (const { long, value, optional, summary } of [...options, ...everywhere]) {
      const needs = value === undefined || optional ? '' : isPlace(value) ? ' -r -F' : ' -x';
      complete(`__${tree.name}_in ${at}`, `-l ${long.slice(2)}${needs} -d '${quoted(summary)}'`);
    }
    if (taken.some(({ name }) => isPlace(name))) complete(`__${tree.name}_in ${at}`, '-F');
  }
  return `# fish completion of ${tree.name}; made by "${tree.name} completions fish"
function __${tree.name}_words
  for word in (commandline -opc)[2..-1]
    string match -q -- '-*' $word; and break
    echo $word
  end
end
function __${tree.name}_in
  set -l words (__${tree.name}_words)
  test (count $words) -ge (count $argv); or return 1
  for i in (seq (count $argv))
    test "$words[$i]" = "$argv[$i]"; or return 1
  end
end
function __${tree.name}_exactly
  test (count (__${tree.name}_words)) -eq (count $argv); and __${tree.name}_in $argv
end
complete -c ${tree.name} -f
${lines.join('\n')}
`;
}

function quoted(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
}
