// Documents between two passes: a JSON object per line, {"text", "facts"}, which any tool reads.
import { fail, isObject, parseJson } from "../base/index.ts";
import { CleanDocument, type Facts } from "../clean/index.ts";
import { splitText } from "../corpus/index.ts";
import { Checksum, readStream } from "../files/index.ts";
import { jsonString } from "./json-string.ts";
import { checkWritten, wayOutOf } from "./numbers.ts";

const where = "data";
/** Documents were limited when they were first read; a step may make one longer. */
const longestLine = 2 ** 28;

/** A document as a line of a file: the bytes of `JSON.stringify({ text, facts })` and a line feed. */
export function documentLine({ text, facts }: CleanDocument): Uint8Array {
  return Buffer.concat([beforeText, jsonString(text), Buffer.from(`,"facts":${JSON.stringify(facts)}}\n`)]);
}

const beforeText = Buffer.from('{"text":');

/** The documents of a file that a pass wrote. @param written its checksum @param onBytes hears how many bytes more were read @throws CriaError naming the line that is none, or where the file was changed */
export async function* readDocumentLines(path: string, written: number, onBytes?: (bytes: number) => void): AsyncGenerator<CleanDocument> {
  let number = 0;
  const tooLong = (line: number): never => {
    throw new RangeError(`${path}:${line + 1} is longer than a document`);
  };
  for await (const line of splitText(decoded(path, written, onBytes), "\n", longestLine, tooLong)) {
    number++;
    if (line === "") continue;
    const place = `${path}:${number}`;
    const value = parseJson(where, `${place}: the line`, line, wayOutOf(path));
    const { text, facts } = isObject(value) ? value : {};
    if (typeof text !== "string" || !isObject(facts)) return fail(where, `${place} is no document: ${wayOutOf(path)}`);
    yield new CleanDocument(text, facts as Facts);
  }
}

/** Reads a file of documents. @throws CriaError where it was changed since a pass wrote it */
export async function checkDocuments(path: string, written: number, signal?: AbortSignal): Promise<void> {
  const read = new Checksum();
  for await (const chunk of readStream(path, { where, signal })) read.add(chunk);
  checkWritten(path, "its documents", read.value, written);
}

async function* decoded(path: string, written: number, onBytes: (bytes: number) => void = () => undefined): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true }); // bytes that are none of UTF-8 were not written, and change the checksum
  const read = new Checksum();
  for await (const chunk of readStream(path, { where })) {
    onBytes(chunk.length);
    read.add(chunk);
    yield decoder.decode(chunk, { stream: true });
  }
  yield decoder.decode();
  checkWritten(path, "its documents", read.value, written);
}
