import type { WhatRuns } from '../base/what-runs/index.js';
import type { MechanismFile } from './mechanism.js';
import { linesOf, runsOfShell } from './read.js';
import { carriedCommands, holdsMore, withoutFunction } from './shell-lines.js';

/** Programs of one file that an item carries: those that are odd, then the first ones. */
const maxRuns = 64;
/** Distinct lines of a script that are read as commands. */
const maxCommands = 1_024;
const maxSuspicious = 2_048;
/** Characters of all of them. */
const maxCharacters = 128 * 1_024;

/**
 * What a shell script runs, line by line: a line that nobody would read as a command of its own costs nothing, and one
 * that is odd is found behind any number of others.
 */
export function runsOfScript(file: MechanismFile): WhatRuns[] {
  const seen = new Set<string>();
  const odd: WhatRuns[] = [];
  const plain: WhatRuns[] = [];
  const paths = new Set<string>();
  // What looks suspicious has room of its own.
  const room = { ordinary: maxCharacters, suspicious: maxCharacters };
  const left = { ordinary: maxCommands, suspicious: maxSuspicious };
  for (const { text } of linesOf(file, { joins: true })) {
    if (seen.has(text)) continue;
    if (!holdsMore(text) && assignment.test(text)) continue;
    const kind = suspicious.test(text) ? 'suspicious' : 'ordinary';
    room[kind] -= text.length;
    left[kind]--;
    if (kind === 'ordinary' && (room.ordinary < 0 || left.ordinary < 0)) continue;
    if (room.suspicious < 0 || left.suspicious < 0 || odd.length >= maxRuns) {
      odd[odd.length === 0 ? 0 : odd.length - 1] = withUnread(odd.at(-1));
      break;
    }
    seen.add(text);
    for (const runs of [withoutFunction(text), ...carriedCommands(text)].map((one) =>
      runsOfShell(one, file.path),
    ))
      keep(runs);
  }
  return [...odd, ...plain].slice(0, maxRuns);

  function keep(runs: WhatRuns): void {
    if (runs.reasons.length > 0) odd.push(runs);
    else if (runs.paths.some((path) => path.startsWith('/') && !paths.has(path))) plain.push(runs);
    for (const path of runs.paths) paths.add(path);
  }
}

/** That more of the script is suspicious than is read is odd by itself. */
function withUnread(runs: WhatRuns = runsOfShell('')): WhatRuns {
  return { ...runs, reasons: [...new Set([...runs.reasons, 'script-cut' as const])] };
}

/** A variable that is set to a plain value. */
const assignment = /^(?:export\s+)?[A-Za-z_]\w*=(?:"[^"$`]*"|'[^']*'|[^\s;&|$`"'()]*)$/;
/** What is worth reading also in a script that is longer than anybody's; quotes inside of a word hide one. */
const suspicious =
  /curl|wget|base64|openssl|osascript|python|perl|ruby|nohup|xxd|https?:|\/tmp\/|\/Users\/Shared|\/\.|eval|DYLD_|\/dev\/tcp|\||\$['(]|`|[a-z](?:''|""|\\)[a-z]|[a-z]['"][a-z]+['"][a-z]/i;
