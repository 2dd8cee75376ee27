// JSON Lines (https://jsonlines.org): an object per line, one of whose keys holds a document.
import { check, isObject, parseJson } from "../../base/index.ts";
import { decodeText } from "./decode-text.ts";
import type { FormInput, TextDocument } from "./forms.ts";
import { readRecord } from "./json-field.ts";
import { maxDocumentLength, tooLong } from "./limits.ts";
import { splitText } from "./split-text.ts";

/** @throws CriaError naming the line that is not an object with a text in the field; empty lines are passed over */
export async function* readJsonLines(input: FormInput): AsyncGenerator<TextDocument> {
  const { name, where, options } = input;
  const refuse = (part: number) => tooLong(where, name, `line ${part + 1}`, "each record needs a line of its own");
  let number = 0;
  for await (const line of splitText(decodeText(input, where), "\n", maxDocumentLength, refuse)) {
    number++;
    if (line.trim() === "") continue;
    const place = `${name}:${number}`;
    const record = parseJson(where, `${place}: the line`, line, "correct or remove it");
    check(isObject(record), where, () => `${place}: the line is not a JSON object: every line must be one`);
    yield readRecord(place, record, where, options);
  }
}
