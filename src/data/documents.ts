// Files to documents, one after another, however large the files are.
import { check, didYouMean, fail } from "../base/index.ts";
import { readText } from "./read-text.ts";
import { splitText } from "./split-text.ts";

export interface Document {
  readonly text: string;
  /** The name of the source in the recipe. */
  readonly source: string;
}

export interface DocumentSource {
  readonly name: string;
  readonly files: readonly string[];
  /** "jsonl": one JSON object a line; "text": the rest. Undefined goes by the file's ending. */
  readonly format?: "text" | "jsonl" | undefined;
  /** JSONL: the key that holds the text; "text" when undefined. */
  readonly field?: string | undefined;
  /** Text: what stands between documents of one file, literally, or "blank-lines"; undefined makes a file one document. */
  readonly separator?: string | undefined;
}

const where = "data";
/** A string must fit in memory several times over while it is encoded; V8's own limit is 2^29 - 24. */
const maxDocumentLength = 1 << 28;

/**
 * The documents of a source in the order of its files; those of white space alone are left out.
 * @throws CriaError when a file is missing, unreadable or not UTF-8, a line is not the JSON it should be, or there is no document at all
 */
export async function* readDocuments(source: DocumentSource, onBytes?: (bytes: number) => void): AsyncGenerator<Document> {
  let isEmpty = true;
  for (const file of source.files)
    for await (const text of readFileDocuments(file, source, onBytes)) {
      if (text.trim() === "") continue;
      isEmpty = false;
      yield { text, source: source.name };
    }
  check(!isEmpty, where, () => `source "${source.name}": ${describeFiles(source.files)} no text: name files that do`);
}

function describeFiles(files: readonly string[]): string {
  if (files.length === 1) return `${files[0]} holds`;
  return `its ${files.length} files${files.length > 0 ? ` (${files[0]}, …)` : ""} hold`;
}

function readFileDocuments(file: string, source: DocumentSource, onBytes?: (bytes: number) => void): AsyncGenerator<string> {
  const format = source.format ?? (/\.(jsonl|ndjson)$/i.test(file) ? "jsonl" : "text");
  const chunks = readText(file, onBytes);
  if (format === "jsonl") return readJsonLines(file, chunks, source.field ?? "text");
  if (source.separator === "blank-lines") return joinParagraphs(file, chunks);
  return source.separator === undefined
    ? readWhole(file, chunks)
    : splitText(chunks, source.separator, maxDocumentLength, tooLong(file, "document"));
}

async function* readWhole(file: string, chunks: AsyncIterable<string>): AsyncGenerator<string> {
  const parts: string[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > maxDocumentLength) tooLong(file, "document")(0);
    parts.push(chunk);
  }
  yield parts.join("");
}

/** Lines that stand together are a document; an empty line ends it. */
async function* joinParagraphs(file: string, chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let lines: string[] = [];
  let length = 0;
  for await (const line of splitText(chunks, "\n", maxDocumentLength, tooLong(file, "line"))) {
    if (line.trim() === "") {
      if (lines.length > 0) yield lines.join("\n");
      [lines, length] = [[], 0];
      continue;
    }
    length += line.length + 1;
    if (length > maxDocumentLength) tooLong(file, "document")(0);
    lines.push(line.replace(/\r$/, ""));
  }
  if (lines.length > 0) yield lines.join("\n");
}

async function* readJsonLines(file: string, chunks: AsyncIterable<string>, field: string): AsyncGenerator<string> {
  let number = 0;
  for await (const line of splitText(chunks, "\n", maxDocumentLength, tooLong(file, "line"))) {
    number++;
    if (line.trim() !== "") yield readField(`${file}:${number}`, line, field);
  }
}

function readField(place: string, line: string, field: string): string {
  const record = parseLine(place, line);
  check(
    typeof record === "object" && record !== null && !Array.isArray(record),
    where,
    () => `${place}: the line is not a JSON object: every line must be one`,
  );
  const text = Object.hasOwn(record, field) ? (record as Record<string, unknown>)[field] : undefined;
  if (typeof text === "string") return text;
  if (text !== undefined)
    return fail(where, `${place}: "${field}" is ${JSON.stringify(text).slice(0, 60)} but must be a string: name another field`);
  const keys = Object.keys(record);
  return fail(
    where,
    `${place}: the object has no "${field}"${didYouMean(field, keys) || `: name the field that holds the text (it has ${keys.slice(0, 10).join(", ") || "none"})`}`,
  );
}

function parseLine(place: string, line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    return fail(where, `${place}: the line is not JSON (${(error as Error).message.replace(/\s+/g, " ")}): correct or remove it`, {
      cause: error,
    });
  }
}

function tooLong(file: string, what: string): (part: number) => never {
  return (part) =>
    fail(
      where,
      `${file}: ${what} ${part + 1} is longer than ${maxDocumentLength} characters, the most that one may have: give the separator that stands between documents`,
    );
}
