// How long a document may be: a string must fit in memory several times over while it is encoded; V8's own limit is 2^29 - 24.
import { fail } from "../../base/index.ts";

/** UTF-16 units of the longest document, line or record. */
export const maxDocumentLength = 1 << 28;

/** Refuses a document that is too long. @throws CriaError always */
export function tooLong(where: string, name: string, what: string, wayOut: string): never {
  return fail(where, `${name}: ${what} is longer than ${maxDocumentLength} characters, the most that one may have: ${wayOut}`);
}
