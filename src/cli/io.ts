import type { System } from '../install/index.js';

/** Where text goes. */
export interface TextSink {
  write(text: string): void;
  readonly isTTY: boolean;
  /** Width of the terminal in cells; undefined when it is none. */
  readonly columns: number | undefined;
  /** Height of the terminal in lines; undefined when it is none. */
  readonly rows?: number | undefined;
}

/** Everything that a command may know of its process. `main.ts` makes the real one; tests make their own. */
export interface CliIo {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly platform: NodeJS.Platform;
  /** Login name of who runs us. */
  readonly user: string;
  /** Aborted by SIGINT or SIGTERM from the first call on; before it, these signals end the process as usual. */
  interruption(): AbortSignal;
  /** Whether that has happened. */
  interrupted(): boolean;
  /** Bytes of standard input. */
  stdin(): AsyncIterable<Uint8Array>;
  /** Shows a text in a program of the user's choice and waits for it; false when that could not be started. */
  page?(pager: readonly string[], text: string): Promise<boolean>;
  /** What installing works on; this machine when absent. */
  readonly system?: System;
  /** What a job would run, absolute paths. */
  readonly program: { readonly node: string; readonly script: string };
}
