// Documents between two passes: a JSON object per line, {"text", "facts"}, which any tool reads.
import { fail, isObject, parseJson } from "../base/index.ts";
import { CleanDocument, type Facts } from "../clean/index.ts";
import { splitText } from "../corpus/index.ts";
import { readStream } from "../files/index.ts";

const where = "data";
/** Documents were limited when they were first read; a step may make one longer. */
const longestLine = 2 ** 28;

/** A document as a line of a file. */
export function documentLine({ text, facts }: CleanDocument): string {
  return `${JSON.stringify({ text, facts })}\n`;
}

/** The documents of a file that a pass wrote. @param onBytes hears how many bytes more were read @throws CriaError naming the line that is none */
export async function* readDocumentLines(path: string, onBytes?: (bytes: number) => void): AsyncGenerator<CleanDocument> {
  let number = 0;
  const tooLong = (line: number): never => {
    throw new RangeError(`${path}:${line + 1} is longer than a document`);
  };
  for await (const line of splitText(decoded(path, onBytes), "\n", longestLine, tooLong)) {
    number++;
    if (line === "") continue;
    const place = `${path}:${number}`;
    const value = parseJson(where, `${place}: the line`, line, "remove the file, and run the command again");
    const { text, facts } = isObject(value) ? value : {};
    if (typeof text !== "string" || !isObject(facts))
      return fail(where, `${place} is no document: remove the file, and run the command again`);
    yield new CleanDocument(text, facts as Facts);
  }
}

async function* decoded(path: string, onBytes: (bytes: number) => void = () => undefined): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  for await (const chunk of readStream(path, { where })) {
    onBytes(chunk.length);
    yield decoder.decode(chunk, { stream: true });
  }
  yield decoder.decode();
}
