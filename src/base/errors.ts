// The one error class of the house: names the place, the rule with both actual values, then the way out.

import { shorten } from "./shorten.ts";

/** What an error has beside its message. */
export interface CriaErrorOptions extends ErrorOptions {
  /** The options that are the way out, as the library calls them; a command line says which of its flags they are. */
  readonly ways?: readonly string[];
}

/** An error a person can act on. `message` reads `[where] rule, both values: the way out`; what is too long to read in it is cut. */
export class CriaError extends Error {
  readonly where: string;
  /** See {@link CriaErrorOptions.ways}. */
  readonly ways: readonly string[];
  constructor(where: string, message: string, options?: CriaErrorOptions) {
    super(shorten(`[${where}] ${message}`), options);
    this.name = "CriaError";
    this.where = where;
    this.ways = options?.ways ?? [];
  }
}

/** The caller used a command or an option wrongly; the command line exits with 2. */
export class UsageError extends CriaError {
  constructor(where: string, message: string, options?: CriaErrorOptions) {
    super(where, message, options);
    this.name = "UsageError";
  }
}

/** Throws a {@link CriaError}; an expression, so that it fits after `??`. */
export function fail(where: string, message: string, options?: CriaErrorOptions): never {
  throw new CriaError(where, message, options);
}

/** Throws unless `condition` holds; the message is only built when it is needed. */
export function check(condition: boolean, where: string, message: () => string, options?: CriaErrorOptions): asserts condition {
  if (!condition) throw new CriaError(where, message(), options);
}
