// JSON that someone else wrote: a value, or an error that says where it stands.
import { fail } from "./errors.ts";

/** An object of JSON, whose values are still to be looked at. */
export type JsonObject = { readonly [key: string]: unknown };

/**
 * @param subject what the text is, for messages: a file's name and "its text", a line
 * @param wayOut what to do about it, as messages end; none where the caller says it
 * @throws CriaError when it is not JSON
 */
export function parseJson(where: string, subject: string, text: string, wayOut?: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = (cause as Error).message.replace(/\s+/g, " "); // the parser quotes the text with its line ends
    return fail(where, `${subject} is not JSON (${reason})${wayOut === undefined ? "" : `: ${wayOut}`}`, { cause });
  }
}

/** Whether a value of JSON has keys. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
