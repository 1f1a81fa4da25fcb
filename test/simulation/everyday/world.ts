import { lstatSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { execLine, file, fileNow, line, processObject, token } from '../../helpers/eslogger-lines.js';
import { mulberry32 } from '../../helpers/mulberry32.js';
import type { SimulatedMac } from '../mac.js';

/** A program as EndpointSecurity sees it. Without a team it is Apple's own, or, with `adHoc`, nobody's. */
export interface Program {
  readonly image: string;
  readonly id?: string;
  readonly team?: string;
  readonly adHoc?: true;
}

/** A process of the simulated Mac: it exists in eslogger's lines alone. */
export interface Running {
  readonly pid: number;
  readonly pidversion: number;
  readonly uid: number;
  readonly program: Program;
}

export interface User {
  readonly name: string;
  readonly uid: number;
  readonly home: string;
}

export const users: readonly User[] = [
  { name: 'alice', uid: 501, home: '/Users/alice' },
  { name: 'bob', uid: 502, home: '/Users/bob' },
];

const launchd: Running = { pid: 1, pidversion: 1, uid: 0, program: { image: '/sbin/launchd' } };
/** An image that is Apple's: signed by it, on its own volume. */
export const apple = (image: string): Program => ({ image, id: `com.apple.${path.posix.basename(image)}` });
export const homebrew = (name: string): Program => ({ image: `/opt/homebrew/bin/${name}`, adHoc: true });

/** No process of this machine that the agent looks at has such a pid. */
const firstPid = 10_000_000;

interface Subject {
  readonly file?: { readonly path?: string };
  readonly process?: { readonly pid?: number };
}

/**
 * What happens on a Mac, as lines of eslogger, with a chance that a seed decides. What an activity writes where the agent
 * may look is a real file besides.
 */
export class World {
  readonly mac: SimulatedMac;
  readonly chance: () => number;
  /** Lines so far, by the name of their event. */
  readonly counts = new Map<string, number>();
  /** macOS paths of the files that were really written. */
  readonly real = new Set<string>();
  readonly #put: (line: string) => void;
  /** Pids of what really runs. */
  readonly #outside = new Set<number>();
  #pid = firstPid;
  #pidversion = 100_000;
  #inode = 4_000_000;

  constructor(mac: SimulatedMac, seed: number, put: (line: string) => void) {
    this.mac = mac;
    this.chance = mulberry32(seed);
    this.#put = put;
  }

  get events(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Whether a document is about one of these events, and not about a situation beside them. */
  made({ file: { path: macPath = '' } = {}, process: { pid = 0 } = {} }: Subject): boolean {
    return (pid >= firstPid && !this.#outside.has(pid)) || this.real.has(macPath);
  }

  /** A program that really runs, in a situation beside these. */
  toldOutside(program: Program, args: readonly string[]): void {
    this.#outside.add(this.launched(program, args, 501).pid);
  }

  /** A whole number from `from` to `to`. */
  number(from: number, to: number): number {
    return from + Math.floor(this.chance() * (to - from + 1));
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.chance() * list.length)] as T;
  }

  hex(digits: number): string {
    return Array.from({ length: digits }, () => this.number(0, 15).toString(16)).join('');
  }

  user(): User {
    return this.pick(users);
  }

  /** A daemon or an app, which launchd starts. */
  launched(program: Program, args: readonly string[] = [], uid = 0): Running {
    return this.started(launchd, program, args, uid);
  }

  /** A fork and an exec. `args`: without the name. */
  started(parent: Running, program: Program, args: readonly string[] = [], uid = parent.uid): Running {
    const pid = this.#pid++;
    const child: Running = { pid, pidversion: this.#pidversion++, uid, program: parent.program };
    this.#tell('fork', { child: this.#process(child, parent) }, this.#process(parent));
    const image: Running = { pid, pidversion: this.#pidversion++, uid, program };
    const name = path.posix.basename(program.image);
    const cwd = file(this.mac.host(uid === 0 ? '/' : '/Users/Shared'));
    this.#count('exec');
    this.#put(
      execLine([name, ...args], {
        target: this.#process(image, parent),
        time: timestamp(),
        process: this.#process(child, parent),
        more: { cwd },
      }),
    );
    return image;
  }

  ended(process: Running): void {
    this.#tell('exit', { stat: 0 }, this.#process(process));
  }

  /** Starts a program that ends at once. */
  ran(parent: Running, program: Program, ...args: readonly string[]): void {
    this.ended(this.started(parent, program, args));
  }

  /** A file of no interest to anybody: it is only told. */
  created(by: Running, macPath: string): void {
    const target = file(this.mac.host(macPath), String(this.#inode++));
    this.#tell('create', { destination_type: 0, destination: { existing_file: target } }, this.#process(by));
    this.#tell('close', { modified: true, target, was_mapped_writable: false }, this.#process(by));
  }

  changed(by: Running, macPath: string): void {
    const target = file(this.mac.host(macPath), String(this.#inode++));
    this.#tell('close', { modified: true, target, was_mapped_writable: false }, this.#process(by));
  }

  removed(by: Running, macPath: string): void {
    const target = file(this.mac.host(macPath), String(this.#inode++));
    const folder = file(this.mac.host(path.posix.dirname(macPath)));
    this.#tell('unlink', { target, parent_dir: folder }, this.#process(by));
  }

  /** As programs save: a temporary file takes the place of the old one. Only told. */
  replaced(by: Running, macPath: string): void {
    const source = file(this.mac.host(`${macPath}.${this.hex(6)}`), String(this.#inode++));
    this.#tell('close', { modified: true, target: source, was_mapped_writable: false }, this.#process(by));
    const destination = { existing_file: file(this.mac.host(macPath)) };
    this.#tell('rename', { source, destination_type: 0, destination }, this.#process(by));
  }

  /** A real file, and told. */
  wrote(by: Running, macPath: string, content: string | Uint8Array): void {
    const isNew = lstatSync(this.mac.host(macPath), { throwIfNoEntry: false }) === undefined;
    this.real.add(macPath);
    this.mac.write(macPath, content);
    const target = this.#real(macPath);
    if (isNew)
      this.#tell(
        'create',
        { destination_type: 0, destination: { existing_file: target } },
        this.#process(by),
      );
    this.#tell('close', { modified: true, target, was_mapped_writable: false }, this.#process(by));
  }

  /** A real file that takes the place of another, and told. */
  saved(by: Running, macPath: string, content: string | Uint8Array): void {
    this.real.add(macPath);
    const temporary = `${macPath}.${this.hex(6)}`;
    const host = this.mac.host(temporary);
    mkdirSync(path.dirname(host), { recursive: true });
    writeFileSync(host, content);
    const source = this.#real(temporary);
    this.#tell('close', { modified: true, target: source, was_mapped_writable: false }, this.#process(by));
    renameSync(host, this.mac.host(macPath));
    const destination = { existing_file: this.#real(macPath) };
    this.#tell('rename', { source, destination_type: 0, destination }, this.#process(by));
  }

  /** A real file that goes, and told. */
  deleted(by: Running, macPath: string): void {
    const target = this.#real(macPath);
    rmSync(this.mac.host(macPath), { force: true });
    this.#tell(
      'unlink',
      { target, parent_dir: file(this.mac.host(path.posix.dirname(macPath))) },
      this.#process(by),
    );
  }

  #real(macPath: string): object {
    return fileNow(this.mac.host(macPath));
  }

  #process({ pid, pidversion, uid, program }: Running, parent: Running = launchd): object {
    const isApple = program.team === undefined && program.adHoc === undefined;
    return processObject({ pid, pidversion, euid: uid }, this.mac.host(program.image), {
      ppid: parent.pid,
      original_ppid: parent.pid,
      is_platform_binary: isApple,
      codesigning_flags: program.adHoc === true ? 0x2000_0003 : 0x2601_5b11,
      signing_id: program.id ?? path.posix.basename(program.image),
      team_id: program.team ?? null,
      parent_audit_token: token({ pid: parent.pid, pidversion: parent.pidversion, euid: parent.uid }),
    });
  }

  #tell(event: string, body: object, process: object): void {
    this.#count(event);
    this.#put(line(event, body, { process, time: timestamp() }));
  }

  #count(event: string): void {
    this.counts.set(event, (this.counts.get(event) ?? 0) + 1);
  }
}

/** Nanoseconds are not to be had: what the kernel did before this call must not come after it. */
const timestamp = () => `${new Date().toISOString().slice(0, -1)}999999Z`;

/** Something that people and programs do all day. */
export interface Activity {
  readonly name: string;
  /** How often, beside the others. */
  readonly weight: number;
  play(world: World): void;
}
