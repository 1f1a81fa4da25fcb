/** Packs of exceptions that come with the program: `packs/<name>.toml`. All are off by default. */
export const exceptionPacks = ['mdm', 'updaters'] as const;

export type ExceptionPack = (typeof exceptionPacks)[number];
