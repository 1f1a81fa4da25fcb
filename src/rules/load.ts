import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { errnoOf, isDenied, messageOf, reasonOf, UserError } from '../base/errors.js';
import { diagnosticOf, querySource } from './diagnostic.js';
import { type ForeignKind, foreignHead, foreignKind, mayBeForeign } from './file/foreign.js';
import { maxRuleFileBytes, readRuleFile, runsElsewhere } from './file/read.js';
import type { Diagnostic, Rule } from './rule.js';

const maxFiles = 20_000;
const maxFolderDepth = 32;

export interface LoadedRules {
  /** In the order of the paths, files of a folder sorted by path. */
  readonly rules: readonly Rule[];
  /** What keeps files from being rules, file by file; warnings stand on the rules. */
  readonly diagnostics: readonly Diagnostic[];
  /**
   * Why files are passed over whose rules are sound and run elsewhere: ES|QL, machine learning, another system, Sigma, an
   * export of Kibana.
   */
  readonly passedOver: readonly Diagnostic[];
  /** Every rule file that was read, as named in diagnostics. */
  readonly files: readonly string[];
}

/**
 * Loads rule files, and the `.toml` files in folders and below them (names with a leading dot left out). A link inside a
 * folder is followed only when it stays inside it. The second rule of an id is reported and left out. Throws UserError
 * `rules/not-found` when a path is not there and `rules/no-access` when it may not be read; whatever a file holds is a
 * diagnostic.
 */
export function loadRules(paths: readonly string[]): LoadedRules {
  const loader = new Loader();
  for (const one of paths) loader.addPath(one);
  return loader.result();
}

let builtinRules: readonly Rule[] | undefined;

/**
 * Our own rules, which come with the program; their `meta.file` is `builtin/<name>`. They are compiled once: another
 * version of them is another program.
 */
export function loadBuiltinRules(): readonly Rule[] {
  builtinRules ??= compileBuiltinRules();
  return builtinRules;
}

function compileBuiltinRules(): readonly Rule[] {
  const folder = fileURLToPath(new URL('./builtin/', import.meta.url));
  const loader = new Loader();
  for (const name of readdirSync(folder).sort()) {
    if (name.endsWith('.toml')) loader.addFile(path.join(folder, name), `builtin/${name}`);
  }
  const { rules, diagnostics } = loader.result();
  const [first] = diagnostics;
  if (first !== undefined) throw new Error(`${first.file}:${first.line}: ${first.message}`);
  return rules;
}

class Loader {
  readonly #rules = new Map<string, Rule>();
  readonly #diagnostics: Diagnostic[] = [];
  readonly #passedOver: Diagnostic[] = [];
  readonly #files: string[] = [];
  readonly #foreign = new Map<ForeignKind, string[]>();
  /** Of the file that is being read. */
  readonly #buffer = Buffer.allocUnsafe(maxRuleFileBytes + 1);

  result(): LoadedRules {
    return {
      rules: [...this.#rules.values()],
      diagnostics: this.#diagnostics,
      passedOver: this.#passedOver,
      files: this.#files,
    };
  }

  addPath(given: string): void {
    this.#addPath(given);
    for (const [{ code, what, hint }, files] of this.#foreign) {
      const [first = given] = files;
      const more = files.length - 1;
      const others =
        more === 0 ? '' : `, as ${more === 1 ? 'is another file' : `are ${more} more files`} here`;
      const message = `this is ${what}, which is not read here${others}`;
      this.#passedOver.push(
        diagnosticOf(querySource('', first), { code, message, hint, span: { start: 0, end: 0 } }),
      );
    }
    this.#foreign.clear();
  }

  #addPath(given: string): void {
    let isFolder: boolean;
    try {
      isFolder = statSync(given).isDirectory();
    } catch (cause) {
      const message = errnoOf(cause) === 'ENOENT' ? 'no such file or folder' : messageOf(cause);
      const denied = isDenied(cause);
      throw new UserError(
        denied ? 'rules/no-access' : 'rules/not-found',
        `cannot read rules from ${given}: ${message}`,
        {
          hint: denied
            ? 'You may not read it: run with sudo.'
            : 'Give rule files (.toml) or folders that hold them.',
          cause,
        },
      );
    }
    if (isFolder) this.#addFolder(given, realpathSync(given), 0);
    else if (!this.#isForeign(given)) this.addFile(given, given);
  }

  #addFolder(folder: string, root: string, depth: number): void {
    if (depth > maxFolderDepth) {
      this.#report(folder, 'rules/too-deep', 'folders are nested too deep');
      return;
    }
    for (const name of this.#namesIn(folder)) {
      if (name.startsWith('.')) continue;
      if (this.#files.length >= maxFiles) {
        this.#report(folder, 'rules/too-many', `more than ${maxFiles} rule files`);
        return;
      }
      this.#addEntry(path.join(folder, name), root, depth);
    }
  }

  #namesIn(folder: string): readonly string[] {
    try {
      return readdirSync(folder).sort();
    } catch (error) {
      this.#report(folder, 'rules/unreadable', `the folder cannot be read: ${reasonOf(error)}`);
      return [];
    }
  }

  #addEntry(entry: string, root: string, depth: number): void {
    try {
      const stat = lstatSync(entry);
      if (stat.isDirectory()) this.#addFolder(entry, root, depth + 1);
      else if (entry.endsWith('.toml')) {
        // A link to a folder is never entered: what it holds inside the root is found there anyway.
        const inside = !stat.isSymbolicLink() || realpathSync(entry).startsWith(root + path.sep);
        if (inside) this.addFile(entry, entry);
        else this.#report(entry, 'rules/link', 'the link leads out of the folder and is not followed');
      } else if (stat.isFile()) this.#isForeign(entry);
    } catch (error) {
      this.#report(entry, 'rules/unreadable', `the file cannot be read: ${reasonOf(error)}`);
    }
  }

  /** Takes note of a file whose rules are of another kind. */
  #isForeign(file: string): boolean {
    if (!mayBeForeign(file)) return false;
    const kind = foreignKind(file, headOf(file));
    if (kind === undefined) return false;
    const known = this.#foreign.get(kind);
    if (known === undefined) this.#foreign.set(kind, [file]);
    else known.push(file);
    return true;
  }

  addFile(location: string, file: string): void {
    this.#files.push(file);
    const text = this.#read(location, file);
    if (text === undefined) return;
    const result = readRuleFile(text, file);
    if ('diagnostics' in result) {
      const { diagnostics } = result;
      (runsElsewhere(diagnostics) ? this.#passedOver : this.#diagnostics).push(...diagnostics);
      return;
    }
    const { rule } = result;
    const known = this.#rules.get(rule.meta.id);
    if (known === undefined) this.#rules.set(rule.meta.id, rule);
    else {
      const message = `the rule id ${rule.meta.id} is already taken by ${known.meta.file}`;
      this.#report(file, 'rules/duplicate-id', message, {
        text,
        at: Math.max(0, text.indexOf(rule.meta.id)),
      });
    }
  }

  /** At most the allowed size, of a regular file only: opening a FIFO without O_NONBLOCK would wait for ever. */
  #read(location: string, file: string): string | undefined {
    let descriptor: number | undefined;
    try {
      descriptor = openSync(location, constants.O_RDONLY | constants.O_NONBLOCK);
      if (!fstatSync(descriptor).isFile()) {
        this.#report(file, 'rules/unreadable', 'this is no regular file');
        return undefined;
      }
      const buffer = this.#buffer;
      let length = 0;
      for (let read = 1; read > 0 && length < buffer.length; length += read) {
        read = readSync(descriptor, buffer, length, buffer.length - length, null);
      }
      if (length > maxRuleFileBytes) {
        this.#report(file, 'rule/too-large', `the file has more than ${maxRuleFileBytes} bytes`);
        return undefined;
      }
      return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, length));
    } catch (error) {
      const invalid = errnoOf(error) === 'ERR_ENCODING_INVALID_ENCODED_DATA';
      const message = invalid ? 'the file is not UTF-8' : `the file cannot be read: ${reasonOf(error)}`;
      this.#report(file, invalid ? 'rule/encoding' : 'rules/unreadable', message);
      return undefined;
    } finally {
      if (descriptor !== undefined) closeSync(descriptor);
    }
  }

  #report(file: string, code: string, message: string, where = { text: '', at: 0 }): void {
    const source = querySource(where.text, file);
    const span = { start: where.at, end: where.at };
    this.#diagnostics.push(diagnosticOf(source, { code, message, span }));
  }
}

/** The beginning of a regular file; empty when it cannot be read. */
function headOf(file: string): string {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!fstatSync(descriptor).isFile()) return '';
    const buffer = Buffer.alloc(foreignHead);
    return buffer.toString('utf8', 0, readSync(descriptor, buffer, 0, foreignHead, 0));
  } catch {
    return '';
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
