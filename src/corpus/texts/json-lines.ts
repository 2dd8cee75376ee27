// JSON Lines (https://jsonlines.org): an object per line, one of whose keys holds a document.
import { check, fail } from "../../base/index.ts";
import { decodeText } from "./decode-text.ts";
import type { FormInput } from "./forms.ts";
import { readField } from "./json-field.ts";
import { maxDocumentLength, tooLong } from "./limits.ts";
import { splitText } from "./split-text.ts";

/** @throws CriaError naming the line that is not an object with a text in the field; empty lines are passed over */
export async function* readJsonLines(input: FormInput): AsyncGenerator<string> {
  const { name, where, options } = input;
  const refuse = (part: number) => tooLong(where, name, `line ${part + 1}`, "each record needs a line of its own");
  let number = 0;
  for await (const line of splitText(decodeText(input, where), "\n", maxDocumentLength, refuse)) {
    number++;
    if (line.trim() === "") continue;
    const place = `${name}:${number}`;
    const record = parseLine(place, line, where);
    check(isObject(record), where, () => `${place}: the line is not a JSON object: every line must be one`);
    yield readField(place, record, where, options);
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseLine(place: string, line: string, where: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    const reason = (cause as Error).message.replace(/\s+/g, " ");
    return fail(where, `${place}: the line is not JSON (${reason}): correct or remove it`, { cause });
  }
}
