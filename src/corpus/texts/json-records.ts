// JSON files of any size: a list of records, or records one after another; each record is parsed by itself, so that memory holds one.
import { check, fail, isObject, parseJson } from "../../base/index.ts";
import { decodeText } from "./decode-text.ts";
import type { FormInput, TextDocument } from "./forms.ts";
import { readRecord } from "./json-field.ts";
import { maxDocumentLength, tooLong } from "./limits.ts";

/** @throws CriaError naming the record that is not an object with a text in the field */
export async function* readJson(input: FormInput): AsyncGenerator<TextDocument> {
  const { name, where, options } = input;
  let number = 0;
  for await (const text of splitRecords(input)) {
    const place = `${name}: record ${++number}`;
    const record = parseJson(where, place, text, "correct or remove it");
    check(isObject(record), where, () => `${place} is ${text.trim().slice(0, 40)} but must be a JSON object`);
    yield readRecord(place, record, where, options);
  }
}

/** The sources of the elements of top-level lists, and of other top-level values; whether each is JSON its reader says. */
async function* splitRecords(input: FormInput): AsyncGenerator<string> {
  const splitter = new RecordSplitter(input);
  for await (const chunk of decodeText(input, input.where)) yield* splitter.push(chunk);
  yield* splitter.end();
}

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c];
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Counts brackets outside of strings. A record ends with its own closing bracket, or with the comma or bracket behind it. */
class RecordSplitter {
  readonly #input: FormInput;
  #parts: string[] = [];
  #length = 0;
  /** Brackets open inside the record. */
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  /** What the list around the record awaits: "first" (an element or its end), "element" (behind a comma), "comma" (or its end); undefined outside. */
  #list: "first" | "element" | "comma" | undefined;

  constructor(input: FormInput) {
    this.#input = input;
  }

  *push(chunk: string): Generator<string> {
    let start = 0; // where the open record begins in this piece
    for (let at = 0; at < chunk.length; at++) {
      const code = chunk.charCodeAt(at);
      if (this.#isInString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (code === backslash) this.#isEscaped = true;
        else if (code === quote) this.#isInString = false;
      } else if (code === quote) this.#isInString = true;
      else if (code === openObject || (code === openList && (this.#depth > 0 || this.#list !== undefined))) this.#depth++;
      else if (this.#depth > 0) {
        if (code !== closeObject && code !== closeList) continue;
        this.#depth--;
        if (this.#depth > 0) continue;
        this.#add(chunk.slice(start, at + 1));
        start = at + 1;
        yield* this.#close();
      } else if (code === openList || code === closeList || code === comma) {
        this.#add(chunk.slice(start, at));
        start = at + 1;
        yield* this.#close();
        this.#mark(code);
      }
    }
    this.#add(chunk.slice(start));
  }

  *end(): Generator<string> {
    if (this.#isInString || this.#depth > 0) this.#refuse("it ends inside a record: the file is cut short");
    yield* this.#close();
    if (this.#list !== undefined) this.#refuse('it ends inside a list, without its "]": the file is cut short');
  }

  #add(part: string): void {
    this.#length += part.length;
    if (this.#length > maxDocumentLength) tooLong(this.#input.where, this.#input.name, "a record", "cut the file into records");
    this.#parts.push(part);
  }

  /** The record that has just ended, unless nothing but white space stands there. */
  *#close(): Generator<string> {
    const text = this.#parts.join("");
    [this.#parts, this.#length] = [[], 0];
    if (text.trim() === "") return;
    if (this.#list === "comma") this.#refuse(`${JSON.stringify(text.trim().slice(0, 40))} stands behind a record where "," or "]" must`);
    if (this.#list !== undefined) this.#list = "comma";
    yield text;
  }

  #mark(code: number): void {
    if (code === openList && this.#list === undefined) this.#list = "first";
    else if (code === comma && this.#list === "comma") this.#list = "element";
    else if (code === closeList && (this.#list === "comma" || this.#list === "first")) this.#list = undefined;
    else this.#refuse(`"${String.fromCharCode(code)}" stands where ${this.#list === undefined ? "none is open" : "a record must"}`);
  }

  #refuse(what: string): never {
    return fail(this.#input.where, `${this.#input.name}: it is not JSON, ${what}`);
  }
}
