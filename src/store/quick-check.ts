import { createRequire } from 'node:module';
import { messageOf } from '../base/errors.js';
import { runTool } from '../base/tool.js';

/** What a look through a database file gave. */
export type QuickCheck =
  | { readonly state: 'sound'; readonly schema: number }
  | { readonly state: 'damaged'; readonly problems: readonly string[] }
  /** It was not read to its end within the budget: nothing bad was found until then. */
  | { readonly state: 'unfinished' }
  | { readonly state: 'unreadable'; readonly reason: string };

/** Reads and never writes; a process of its own, since a damaged file may crash SQLite and nothing else ends a long look. */
const program = `
const [driver, file] = process.argv.slice(1);
const say = (answer) => process.stdout.write(JSON.stringify(answer));
try {
  const Driver = require(driver);
  const db = new Driver(file, { readonly: true, fileMustExist: true, timeout: 2000 });
  db.pragma('trusted_schema = OFF');
  const schema = db.pragma('user_version', { simple: true });
  const problems = db.pragma('quick_check(20)').map((row) => String(Object.values(row)[0]).slice(0, 500));
  say(problems.length === 1 && problems[0] === 'ok' ? { state: 'sound', schema } : { state: 'damaged', problems });
} catch (error) {
  const text = String(error && error.message).slice(0, 500);
  const code = String((error && error.code) || '');
  say(/CORRUPT|NOTADB/.test(code) ? { state: 'damaged', problems: [text] } : { state: 'unreadable', reason: text });
}
`;

/** `PRAGMA quick_check` of a database file, for at most so many milliseconds. Never rejects. */
export async function quickCheck(file: string, budgetMs: number): Promise<QuickCheck> {
  let driver: string;
  try {
    driver = createRequire(import.meta.url).resolve('better-sqlite3');
  } catch (error) {
    return {
      state: 'unreadable',
      reason: `the SQLite library cannot be found: ${messageOf(error).split('\n')[0]}`,
    };
  }
  const started = performance.now();
  const { status, stdout, stderr } = await runTool(process.execPath, ['-e', program, driver, file], {
    timeoutMs: budgetMs,
    mostBytes: 64 * 1024,
    signal: new AbortController().signal,
  });
  try {
    return JSON.parse(stdout) as QuickCheck;
  } catch {
    if (status === null && performance.now() - started >= budgetMs) return { state: 'unfinished' };
    const said = stderr.trim().split('\n')[0] ?? '';
    return {
      state: 'unreadable',
      reason: `the process that reads it ended with ${status ?? 'a signal'}${said === '' ? '' : `: ${said.slice(0, 300)}`}`,
    };
  }
}
