// HTML as a person reads it: paragraphs, no markup, no scripts, no menus.
import { decodeText } from "../decode-text.ts";
import type { FormInput } from "../forms.ts";
import { gatherBytes } from "../gather-bytes.ts";
import { maxDocumentLength, tooLong } from "../limits.ts";
import { toLineFeeds } from "../line-ends.ts";
import { decodePage } from "../page-charset.ts";
import { readPage } from "./read-page.ts";

/** One document, the page's main content, or all its text where there is no main content or all is asked for. */
export async function* readHtml(input: FormInput): AsyncGenerator<string> {
  const { name, note, options } = input;
  const { text, whyWhole } = readPage(toLineFeeds(await wholePage(input)), options.content);
  if (whyWhole !== undefined && text !== "") note({ kind: "read whole", what: whyWhole, place: name });
  yield text;
}

/** The page as text: in the encoding that it says itself or seems to be in where that is counted, else strictly UTF-8. */
async function wholePage(input: FormInput): Promise<string> {
  const { name, where, isCounted, note } = input;
  const refuse = () => tooLong(where, name, "the page", "cut it into several files");
  if (!isCounted) return strictPage(input, refuse);
  const bytes = await gatherBytes(input.bytes, maxDocumentLength);
  const { text, converted } = decodePage(bytes ?? refuse(), undefined);
  if (converted !== undefined) note({ kind: "converted", what: converted, place: name });
  return text;
}

async function strictPage(input: FormInput, refuse: () => never): Promise<string> {
  const parts: string[] = [];
  let length = 0;
  for await (const part of decodeText(input, input.where)) {
    length += part.length;
    if (length > maxDocumentLength) refuse();
    parts.push(part);
  }
  return parts.join("");
}
