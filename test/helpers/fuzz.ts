/** How many runs a property test makes: so many, or as many as `npm run fuzz` asks for (FUZZ_RUNS). */
export function runs(usual: number): number {
  const asked = Number(process.env['FUZZ_RUNS'] ?? '');
  return Number.isSafeInteger(asked) && asked > 0 ? Math.max(asked, usual) : usual;
}
