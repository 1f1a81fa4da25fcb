/** Exit codes of every command (README, "Exit codes"). */
export const ExitCode = {
  ok: 0,
  checkFailed: 1,
  usage: 2,
  unreachable: 3,
  bug: 70,
  interrupted: 130,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

export interface UserErrorOptions {
  /** What to do about it, one sentence. */
  readonly hint?: string;
  /** Where: a file with an optional 1-based line and column. */
  readonly at?: { readonly file?: string; readonly line?: number; readonly column?: number };
  readonly exitCode?: ExitCode;
  readonly cause?: unknown;
}

/**
 * A failure that the person who runs us can mend: said in one message, without a stack. Anything that is not a
 * UserError is a bug. `code` is stable and documented; scripts may test it.
 */
export class UserError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly at: UserErrorOptions['at'];
  readonly exitCode: ExitCode;

  constructor(code: string, message: string, options: UserErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'UserError';
    this.code = code;
    this.hint = options.hint;
    this.at = options.at;
    this.exitCode = options.exitCode ?? ExitCode.usage;
  }

  /** `file:line:column: message [code]`, further lines of the message, and the hint on a line of its own. */
  describe(): string {
    const { file, line, column } = this.at ?? {};
    const where = [file, line, column].filter((part) => part !== undefined).join(':');
    const [first = '', ...more] = this.message.split('\n');
    const lines = [`${where === '' ? '' : `${where}: `}${first} [${this.code}]`, ...more];
    if (this.hint !== undefined) lines.push(`  ${this.hint}`);
    return lines.join('\n');
  }
}

/** `EACCES: permission denied, open '/x'` of a file call as people say it: `permission denied: '/x'`. */
function plainMessage(error: Error): string {
  const { syscall, path } = error as { syscall?: unknown; path?: unknown };
  if (typeof syscall !== 'string' || typeof path !== 'string') return error.message;
  return error.message.replace(/^E[A-Z0-9]+: /, '').replace(`, ${syscall} '`, ": '");
}

/**
 * The message of anything thrown. Of several failures in one (AggregateError, which a connection to a name with several
 * addresses throws without a message of its own) all of them.
 */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { errors } = error as { errors?: unknown };
  if (!Array.isArray(errors) || errors.length === 0) return plainMessage(error);
  const each = errors.slice(0, 8).map((one) => (one === error ? '' : messageOf(one)));
  return [error.message, ...new Set(each)].filter((text) => text !== '').join('; ');
}

/** The `code` of a Node.js system error (`ENOENT`), or undefined. */
export function errnoOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

const systemReasons: Readonly<Record<string, string>> = {
  EACCES: 'it is not allowed (sudo may be needed)',
  EEXIST: 'it is there already',
  EISDIR: 'it is a folder',
  ELOOP: 'it is a link',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'the name is too long',
  ENOENT: 'there is no such file or folder',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'part of its path is no folder',
  EPERM: 'it is not allowed (sudo may be needed)',
  EROFS: 'the disk is mounted read-only',
};

/** Why a call of the system failed, in words; of any other failure its message. */
export function reasonOf(error: unknown): string {
  return systemReasons[errnoOf(error) ?? ''] ?? messageOf(error);
}

/** True of a system error that another user, root say, would not have met. */
export function isDenied(error: unknown): boolean {
  const code = errnoOf(error);
  return code === 'EACCES' || code === 'EPERM';
}
