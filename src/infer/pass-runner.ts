// What computes the rows of a pass: a backend's programs, or a simple model in tests.
import type { OutputName } from "../model/index.ts";
import type { PageCopy } from "./cached-text.ts";
import type { TopLogits, TopWanted } from "./sequence.ts";

/** The rows of a pass, R of them. */
export interface PassInputs {
  /** What RoPE's table is made for: `ropeLength` of the model. */
  readonly ropeLength: number;
  /** The token of every row; rows of one slot stand together and in order. */
  readonly tokens: readonly number[];
  readonly positions: readonly number[];
  /** Which sequence of the pass a row belongs to, from 0. */
  readonly slots: readonly number[];
  /** The numbers of each slot's pages: page p of a slot has its keys 64·p to 64·p + 63. */
  readonly pages: readonly (readonly number[])[];
  /** Rows whose logits are wanted, rising. */
  readonly logitRows: readonly LogitRow[];
  /** Outputs of the model that are wanted beside logits. */
  readonly outputs: readonly OutputName[];
}

/** A row whose logits are wanted. */
export interface LogitRow {
  readonly row: number;
  /** Where only the largest logits are wanted. */
  readonly top?: TopWanted | undefined;
}

/** What a pass has computed. */
export interface PassOutputs {
  /** Logits [V], or the largest ones, of each of the rows wanted. */
  readonly logits: readonly (Float32Array | TopLogits)[];
  /** Each of these outputs of every row. */
  readonly hidden: ReadonlyMap<OutputName, readonly Float32Array[]>;
}

/** What computes passes over pages of keys and values. */
export interface PassRunner {
  /** Copies keys and values of whole pages, one after the other. */
  copy(copies: readonly PageCopy[]): Promise<void>;
  /** Writes the rows' keys and values to their pages and computes what is wanted. */
  run(pass: PassInputs): Promise<PassOutputs>;
  dispose(): Promise<void>;
}
