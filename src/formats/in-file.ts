// Errors of rooms that know no files, with the name of the file whose content they object to.
import { CriaError, fail } from "../base/index.ts";

/** What `act` makes. @throws CriaError of `where` with the file's name in front of what it objects to */
export function inFile<T>(where: string, name: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    return failInFile(where, name, error);
  }
}

/** Throws the same error, with the file's name where it is one of cria's. */
export function failInFile(where: string, name: string, error: unknown): never {
  if (!(error instanceof CriaError)) throw error;
  return fail(where, `${name}: ${error.message.replace(/^\[\w+\] /, "")}`, { cause: error });
}
