// Regular expressions that tokenizer.json holds.
import { PatternError, Regex } from "../regex/index.ts";
import { quote } from "./json.ts";
import type { JsonFields } from "./json-fields.ts";

/** An expression that the matcher can do. @throws CriaError with its place and the reason where it cannot. */
export function expressionOf(source: string, what: string, fields: JsonFields): string {
  try {
    new Regex(source);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    fields.fail(`${what} ${quote(source)}: ${error.message}`);
  }
  return source;
}
