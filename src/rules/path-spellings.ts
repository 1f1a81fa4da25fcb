import { macPathAliases } from '../base/root.js';

/**
 * Events carry one spelling of a path (`/private/tmp/x`), people write another (`/tmp/x`): a pattern stands for both. It is
 * given the patterns that fit, in the spelling of events, what it fits in another one.
 */

/** One code point that stands for itself, or a wildcard: `any` run of characters, `one` character. */
type Part = { readonly text: string } | 'any' | 'one';

/** A pattern that a whole path must fit. */
export type PathParts = readonly Part[];

/** `*` and `?` of the text are wildcards as `wildcards` names them. */
export function pathParts(text: string, wildcards: '' | '*' | '*?'): PathParts {
  return Array.from(text, (one): Part => {
    if (!wildcards.includes(one)) return { text: one };
    return one === '*' ? 'any' : 'one';
  });
}

/** Undefined for a pattern that holds a `*` or `?` that stands for itself. */
export function patternText(parts: PathParts): string | undefined {
  let text = '';
  for (const part of parts) {
    if (part === 'any') text += '*';
    else if (part === 'one') text += '?';
    else if (part.text === '*' || part.text === '?') return undefined;
    else text += part.text;
  }
  return text;
}

/** Whether a field holds paths in the spelling of events, or at times. */
export function isPathField(name: string): boolean {
  return /(?:^|[._])(?:path|executable|working_directory|program)$/.test(name);
}

/** The same pattern in the spelling of events, as further patterns; none when it is in that spelling already. */
export function furtherSpellings(parts: PathParts, insensitive: boolean): readonly PathParts[] {
  const found: PathParts[] = [];
  for (const alias of macPathAliases) {
    for (const pattern of [parts, ...found]) {
      for (const one of below(pattern, alias, insensitive))
        if (![parts, ...found].some((known) => includes(known, one, insensitive))) found.push(one);
    }
  }
  return found;
}

/** Whether a path that fits can only stand where events name it otherwise. */
export function isOtherSpelling(text: string, insensitive: boolean): boolean {
  const fold = (one: string) => (insensitive ? one.toLowerCase() : one);
  return macPathAliases.some(
    ({ from }) => fold(text) === fold(from) || fold(text).startsWith(`${fold(from)}/`),
  );
}

type Alias = (typeof macPathAliases)[number];

/** What the pattern fits at and below `from`, at and below `to`. */
function below(parts: PathParts, { from, to }: Alias, insensitive: boolean): readonly PathParts[] {
  const start = new Set(closed(parts, [0]));
  // `/System/*` fits the data volume too, by its text: whoever writes it means the system, and not the whole disk. So the
  // end of the volume's name must stand in the pattern.
  const at =
    to === ''
      ? spelled(parts, from.slice(-1), after(parts, [...from.slice(0, -1)], start, insensitive), insensitive)
      : after(parts, [...from], start, insensitive);
  const exact = [...at].some((index) => parts.slice(index).every((part) => part === 'any'));
  const inside = after(parts, ['/'], at, insensitive);
  // What remains behind a `*` is a part of what remains with it.
  const rests = [...inside].filter((index) => !(inside.has(index - 1) && parts[index - 1] === 'any'));
  return [
    ...(exact ? [pathParts(to === '' ? '/' : to, '')] : []),
    ...rests.map((index) => [...pathParts(`${to}/`, ''), ...parts.slice(index)]),
  ];
}

/** The places of the pattern that the characters lead to. */
function after(
  parts: PathParts,
  characters: readonly string[],
  from: ReadonlySet<number>,
  insensitive: boolean,
): ReadonlySet<number> {
  let places = from;
  for (const character of characters) {
    const next: number[] = [];
    for (const place of places) {
      const part = parts[place];
      if (part === 'any') next.push(place);
      else if (part !== undefined && fits(part, character, insensitive)) next.push(place + 1);
    }
    places = new Set(closed(parts, next));
    if (places.size === 0) break;
  }
  return places;
}

/** The places behind this character where the pattern has it, and no wildcard in its place. */
function spelled(
  parts: PathParts,
  character: string,
  from: ReadonlySet<number>,
  insensitive: boolean,
): ReadonlySet<number> {
  const found = [...from].filter((place) => {
    const part = parts[place];
    return typeof part === 'object' && fits(part, character, insensitive);
  });
  return new Set(
    closed(
      parts,
      found.map((place) => place + 1),
    ),
  );
}

/** With the places behind a `*`, which may stand for nothing. */
function closed(parts: PathParts, places: readonly number[]): readonly number[] {
  return places.flatMap((place) => {
    let end = place;
    while (parts[end] === 'any') end++;
    return Array.from({ length: end - place + 1 }, (_, index) => place + index);
  });
}

function fits(part: Exclude<Part, 'any'>, character: string, insensitive: boolean): boolean {
  if (part === 'one' || part.text === character) return true;
  return insensitive && part.text.toLowerCase() === character.toLowerCase();
}

/** Whether whatever fits `inner` is known to fit `outer`. Never true when it does not; a `*` of `inner` takes one of `outer`. */
function includes(outer: PathParts, inner: PathParts, insensitive: boolean): boolean {
  let used: readonly boolean[] = [true, ...inner.map(() => false)];
  for (const part of outer) {
    const next: boolean[] = [];
    for (let length = 0; length <= inner.length; length++) {
      const last = inner[length - 1];
      const before = length > 0 && used[length - 1] === true;
      if (part === 'any') next.push(used[length] === true || next[length - 1] === true);
      else if (last === undefined || last === 'any') next.push(false);
      else if (last === 'one') next.push(before && part === 'one');
      else next.push(before && fits(part, last.text, insensitive));
    }
    used = next;
  }
  return used[inner.length] === true;
}

/** What is wrong with a path that no event can carry. */
export interface PathProblem {
  readonly message: string;
  /** The spelling that events have. */
  readonly hint: string | undefined;
}

/** Why a path, as it is compared with a field of paths, never equals one; undefined when it may. */
export function pathProblem(
  text: string,
  wildcards: '' | '*' | '*?',
  kind: 'whole' | 'start' = 'whole',
): PathProblem | undefined {
  const wild = wildcards === '' ? -1 : text.search(wildcards === '*' ? /\*/ : /[*?]/);
  const fixed = wild < 0 ? text : text.slice(0, wild);
  // An empty text, and a path of Windows (in rules for all systems), are no slips.
  if (text === '' || text.includes('\\') || /^[A-Za-z]:/.test(text)) return undefined;
  if (fixed !== '' && !text.startsWith('/')) {
    return { message: 'paths begin with a /', hint: spelledFromRoot(text) };
  }
  const ends = kind === 'whole' && text.length > 1 && text.endsWith('/');
  const odd = /\/\/|\/\.\.?(?:\/|$)/.test(text);
  if (!ends && !odd) return undefined;
  const right = text.startsWith('/') ? normalized(text, ends) : undefined;
  return {
    message: odd ? 'paths hold no //, /./ or /../' : 'paths end with no /',
    hint: right === undefined || right === text ? undefined : `Write "${right}".`,
  };
}

function spelledFromRoot(text: string): string | undefined {
  if (text.startsWith('~/'))
    return `Write "/Users/*${text.slice(1)}" with \`like\` or \`:\`, and "/var/root${text.slice(1)}".`;
  const home = /^\$\{?HOME\}?(\/.*)$/.exec(text)?.[1];
  if (home !== undefined) return `Write "/Users/*${home}" with \`like\` or \`:\`.`;
  const url = /^file:\/\/(?:localhost)?(\/.*)$/.exec(text)?.[1];
  if (url !== undefined) return `Write "${url}".`;
  return text.includes('/') ? `Write "/${text}", or "*/${text}" with \`like\` or \`:\`.` : undefined;
}

/** Without doubled slashes, `/./` and `/../`; with `bare` also without a slash at the end. */
function normalized(text: string, bare: boolean): string {
  const parts: string[] = [];
  for (const part of text
    .replace(/\/{2,}/g, '/')
    .split('/')
    .slice(1)) {
    if (part === '..' && !/[*?]/.test(parts.at(-1) ?? '')) parts.pop();
    else if (part !== '.') parts.push(part);
  }
  if (bare && parts.length > 1 && parts.at(-1) === '') parts.pop();
  return `/${parts.join('/')}`;
}
