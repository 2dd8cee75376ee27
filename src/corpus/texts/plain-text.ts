// Plain text and Markdown: a file is a document, or several behind separators.
import { cutStream } from "../../base/index.ts";
import { decodeText } from "./decode-text.ts";
import type { FormInput } from "./forms.ts";
import { maxDocumentLength, tooLong } from "./limits.ts";
import { streamLineFeeds, toLineFeeds } from "./line-ends.ts";
import { splitText } from "./split-text.ts";

/** A file without separators that is longer, in UTF-16 units, becomes several documents, cut between paragraphs where there are any. */
export const longestWhole = 1 << 24;

/** The documents of a plain text or Markdown file, one or several. */
export function readPlain(input: FormInput): AsyncGenerator<string> {
  const { separator, newlines } = input.options;
  const decoded = decodeText(input, input.where);
  const chunks = newlines === "keep" ? decoded : streamLineFeeds(decoded);
  if (separator === undefined) return cutStream(chunks, longestWhole);
  if (separator === "blank-lines") return joinParagraphs(input, chunks);
  const literal = newlines === "keep" ? separator : toLineFeeds(separator);
  return splitText(chunks, literal, maxDocumentLength, (part) =>
    tooLong(input.where, input.name, `document ${part + 1}`, "name the separator that stands between documents"),
  );
}

/** Lines that stand together are a document; an empty line ends it. */
async function* joinParagraphs({ name, where, options }: FormInput, chunks: AsyncIterable<string>): AsyncGenerator<string> {
  const refuse = (what: string) => tooLong(where, name, what, "cut it into lines and paragraphs");
  const end = options.newlines === "keep" ? /\r$/ : undefined;
  let lines: string[] = [];
  let length = 0;
  for await (const line of splitText(chunks, "\n", maxDocumentLength, (part) => refuse(`line ${part + 1}`))) {
    if (line.trim() === "") {
      if (lines.length > 0) yield close(lines, end);
      [lines, length] = [[], 0];
      continue;
    }
    length += line.length + 1;
    if (length > maxDocumentLength) refuse("a paragraph");
    lines.push(line);
  }
  if (lines.length > 0) yield close(lines, end);
}

/** The last line's end belongs to the blank line behind it. */
function close(lines: readonly string[], end: RegExp | undefined): string {
  const text = lines.join("\n");
  return end === undefined ? text : text.replace(end, "");
}
