// Crawls as documents: what WET files have as text, and the main text of the HTML pages that WARC and ARC files have.
import { ByteReader } from "../byte-reader.ts";
import type { FormInput, PageContent, ReadingNote, TextDocument } from "../forms.ts";
import { readPage } from "../html/read-page.ts";
import { toLineFeeds } from "../line-ends.ts";
import { decodePage } from "../page-charset.ts";
import { GzipMembers } from "./gzip-members.ts";
import { contentType, httpPage } from "./http-response.ts";
import { readRecords, type WarcRecord } from "./warc-records.ts";

/** Types of records that hold a document. */
const wanted = new Set(["conversion", "response", "resource"]);
const isHtml = (type: string) => type === "text/html" || type === "application/xhtml+xml";

/** One document per page, with its `url` and `date`. Damaged records and gzip members are passed over and told, and reading goes on behind them. */
export async function* readWarc(input: FormInput): AsyncGenerator<TextDocument> {
  const note = (kind: ReadingNote["kind"], what: string, offset: number) =>
    input.note({ kind, what, place: `${input.name}: byte ${offset}` });
  const content = input.options.content;
  if (input.packing !== "gzip") return yield* readPages(input.bytes, content, note);
  const members = new GzipMembers(input.bytes, (what, offset) => note("damaged", what, input.start + offset));
  while (!members.isDone) yield* readPages(members.intact(), content, note);
}

type OnNote = (kind: ReadingNote["kind"], what: string, offset: number) => void;

async function* readPages(chunks: AsyncIterable<Uint8Array>, content: PageContent | undefined, note: OnNote): AsyncGenerator<TextDocument> {
  const reader = new ByteReader(chunks);
  try {
    for await (const record of readRecords(reader, wanted, note)) {
      const text = textOf(record, content, (kind, what) => note(kind, what, record.offset));
      if (text !== undefined) yield { text, facts: factsOf(record) };
    }
  } finally {
    await reader.close();
  }
}

function factsOf({ fields }: WarcRecord) {
  const url = fields.get("warc-target-uri")?.replace(/^<(.*)>$/, "$1"); // Wget before 1.20 wrote the brackets of the grammar
  return { url, date: fields.get("warc-date") };
}

/** The text in a record; undefined, and told, where it has none. */
function textOf(
  { type, fields, content }: WarcRecord,
  asked: PageContent | undefined,
  note: (kind: ReadingNote["kind"], what: string) => void,
): string | undefined {
  const own = contentType(fields.get("content-type") ?? "");
  if (type === "resource" && !isHtml(own.type)) {
    note("left out", "resource that is no HTML");
    return undefined;
  }
  const page = type === "response" ? httpPage(content, isHtml) : { ...own, bytes: content };
  if ("kind" in page) {
    note(page.kind, page.what);
    return undefined;
  }
  const { text: whole, converted } = decodePage(page.bytes, page.charset);
  if (converted !== undefined) note("converted", converted);
  const plain = toLineFeeds(whole);
  const { text, whyWhole } = type === "conversion" ? { text: plain } : readPage(plain, asked);
  if (text.trim() !== "") {
    if (whyWhole !== undefined) note("read whole", whyWhole);
    return text;
  }
  note("left out", "page without text");
  return undefined;
}
