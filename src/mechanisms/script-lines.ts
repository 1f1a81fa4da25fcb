import type { WhatRuns } from '../base/what-runs/index.js';
import type { MechanismFile } from './mechanism.js';
import { linesOf, runsOfShell } from './read.js';

/** Programs of one file that an item carries: those that are odd, then the first ones. */
const maxRuns = 64;
/** Distinct lines of a script that are read as commands. */
const maxCommands = 1_024;
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
  let characters = 0;
  for (const { text } of linesOf(file, { joins: true })) {
    if (seen.has(text) || assignment.test(text)) continue;
    if (seen.size >= maxCommands && !suspicious.test(text)) continue;
    characters += text.length;
    if (characters > maxCharacters) break;
    seen.add(text);
    const runs = runsOfShell(text, file.path);
    if (runs.reasons.length > 0) odd.push(runs);
    else if (runs.paths.some((path) => path.startsWith('/') && !paths.has(path))) plain.push(runs);
    for (const path of runs.paths) paths.add(path);
    if (odd.length >= maxRuns) break;
  }
  return [...odd, ...plain].slice(0, maxRuns);
}

/** A variable that is set to a plain value. */
const assignment = /^(?:export\s+)?[A-Za-z_]\w*=(?:"[^"$`]*"|'[^']*'|[^\s;&|$`"'()]*)$/;
/** What is worth reading also in a script that is longer than anybody's. */
const suspicious =
  /curl|wget|base64|osascript|python|perl|ruby|nohup|https?:|\/tmp\/|\/Users\/Shared|\/\.|eval|DYLD_/i;
