/** What keeps a payload or a release from being made: a stable code, what is wrong, what to do. */
export class Failure extends Error {
  constructor(code, message, hint) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/** Runs `main`; a Failure ends the process with 2, anything else is a bug and shows where it is. */
export async function endWithFailure(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    console.error(`error: ${error.message} [${error.code}]`);
    if (error.hint !== undefined) console.error(`  ${error.hint}`);
    process.exitCode = 2;
  }
}
