import type { Micros } from '../../base/time.js';
import type { Query } from '../ast.js';

/** Who must have signed what an exception hides: `team_id`, and `signing_id` when it is given. */
export interface RequiredSigner {
  readonly teamId: string;
  readonly signingId?: string;
}

/** One reason for not alerting on something: all of its conditions must hold for a candidate of an alert. */
export interface Exception {
  /** Unique among all sets; hit counts are kept under it. */
  readonly id: string;
  /** How its file is named; `pack/mdm` for one that comes with the program. */
  readonly file: string;
  readonly reason: string;
  readonly author: string;
  /** Event time from which on it hides nothing; undefined for one of a pack, which does not end. */
  readonly expires?: Micros;
  /** Ids of rules; empty for all of them. */
  readonly rules: readonly string[];
  /** Of the candidate: the file event, of an alert about no file its last event. */
  readonly item?: Query;
  /** Of the process event: the load of a launch item, the program that wrote a file. */
  readonly process?: Query;
  /** Of the events of the match by their number, from 1. The candidate stands for the file event among them. */
  readonly steps: readonly { readonly number: number; readonly query: Query }[];
  readonly signer?: RequiredSigner;
  /** Of the file's content, lower case. */
  readonly sha256?: string;
}

/** A set: one file, read as a whole. */
export interface ExceptionSet {
  readonly file: string;
  readonly name: string;
  readonly exceptions: readonly Exception[];
}
