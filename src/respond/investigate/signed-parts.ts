import type { Case } from './case.js';

/** Something that can be signed: the program of an item, its bundle, the application around it. */
export interface SignedPart {
  readonly what: string;
  readonly path: string;
  readonly isApp: boolean;
}

/** The program, and the bundles that it or the item stands in. */
export function codePart({ path, program, isBundle, runs }: Case['about']): SignedPart[] {
  const parts: SignedPart[] = [];
  const main = program ?? runs.find((one) => one.startsWith('/'));
  if (main !== undefined && !(isBundle && main === path))
    parts.push({ what: 'The program', path: main, isApp: false });
  if (isBundle && path !== undefined) parts.push({ what: 'The bundle', path, isApp: false });
  const app = /^(.*?\.app)\//.exec(main ?? '')?.[1];
  if (app !== undefined) parts.push({ what: 'The application', path: app, isApp: true });
  return parts;
}
