/** How often a property of the whole is tried: as often as the test says, or `FUZZ_RUNS` times (`npm run fuzz`). */
export function fuzzRuns(usual: number): number {
  const wanted = Number(process.env['FUZZ_RUNS']);
  return Number.isSafeInteger(wanted) && wanted > 0 ? wanted : usual;
}
