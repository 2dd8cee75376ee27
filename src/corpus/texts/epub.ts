// EPUB books (https://www.w3.org/TR/epub-33): the chapters in reading order as text, without the pages that list them.
import { posix } from "node:path";
import { check, fail } from "../../base/index.ts";
import { tellDamaged } from "./archives/tell-damaged.ts";
import { ZipArchive } from "./archives/zip.ts";
import type { FormInput, TextDocument } from "./forms.ts";
import { gatherBytes } from "./gather-bytes.ts";
import { pageText } from "./html/page-text.ts";
import { maxDocumentLength, tooLong } from "./limits.ts";
import { toLineFeeds } from "./line-ends.ts";
import { decodePage } from "./page-charset.ts";
import { attributesIn, decodeXml, elementIn, tagsIn, withoutComments } from "./xml-values.ts";

const container = "META-INF/container.xml";
/** Kinds of pages: today's, and those of books that older programs wrote. Others, such as pictures, are not read. */
const pageTypes = new Set(["application/xhtml+xml", "text/html", "text/x-oeb1-document"]);
/** An item that is no page names another one in place of it, which may be none, too. */
const mostFallbacks = 10;
/** The namespace of what a package says of its book. */
const dublinCore = "http://purl.org/dc/elements/1.1/";

/** One document per book, with its `title`, `author`, `language`, `date` and `licence`. What its publisher encrypted is left out and told. */
export async function* readEpub(input: FormInput): AsyncGenerator<TextDocument> {
  await using file = await input.file();
  const zip = await ZipArchive.open(file.path, input.name, input.where);
  try {
    yield await new Book(zip, input).read();
  } finally {
    zip.close();
  }
}

class Book {
  readonly #zip: ZipArchive;
  readonly #input: FormInput;
  readonly #entries = new Map<string, Parameters<ZipArchive["bytes"]>[0]>();

  constructor(zip: ZipArchive, input: FormInput) {
    [this.#zip, this.#input] = [zip, input];
  }

  async read(): Promise<TextDocument> {
    const { name, where, note } = this.#input;
    for await (const entry of this.#zip.entries(() => {})) this.#entries.set(entry.fileName, entry);
    const packagePath = attributesIn(tagsIn(await this.#file(container), "rootfile")[0] ?? "").get("full-path");
    if (packagePath === undefined) return fail(where, `${name}: its ${container} names no package: it is no EPUB book, or damaged`);
    const parsed = packageOf(await this.#file(packagePath), packagePath);
    for (const item of parsed.others) note({ kind: "left out", what: "item of a book that is no page", place: `${name}: ${item}` });
    if (parsed.pages.length === 0) note({ kind: "left out", what: "book without pages", place: name });
    const encrypted = await this.#encrypted();
    const chapters: string[] = [];
    let length = 0;
    for (const path of parsed.pages) {
      if (encrypted.has(path)) {
        note({ kind: "left out", what: "encrypted page of a book", place: `${name}: ${path}` });
        continue;
      }
      const text = (await this.#page(path)).trim();
      length += text.length;
      if (length > maxDocumentLength) tooLong(where, name, "the book", "cut it into several files");
      if (text !== "") chapters.push(text);
    }
    return { text: chapters.join("\n\n"), facts: parsed.facts };
  }

  /** A page's text; none, and told, for one that is not there or damaged. */
  async #page(path: string): Promise<string> {
    try {
      return pageText(toLineFeeds(await this.#file(path)));
    } catch (error) {
      tellDamaged(error, this.#input, this.#input.name);
      return "";
    }
  }

  /** The pages that are encrypted; obfuscated fonts are no pages. */
  async #encrypted(): Promise<ReadonlySet<string>> {
    if (!this.#entries.has("META-INF/encryption.xml")) return new Set();
    const references = tagsIn(await this.#file("META-INF/encryption.xml"), "CipherReference");
    return new Set(references.map((tag) => decoded(attributesIn(tag).get("URI") ?? "")));
  }

  /** A file's text: UTF-8 or UTF-16, as the specification has it, and in other encodings where that is counted. */
  async #file(path: string): Promise<string> {
    const { name, where, isCounted, note } = this.#input;
    const entry = this.#entries.get(path);
    if (entry === undefined) return fail(where, `${name}: ${path} is not there: it is no EPUB book, or damaged`);
    const bytes = await gatherBytes(this.#zip.bytes(entry), maxDocumentLength);
    if (bytes === undefined) return tooLong(where, `${name}: ${path}`, "the page", "cut it into several files");
    const { text, converted } = decodePage(bytes, undefined);
    if (converted === undefined || converted.startsWith("utf-16")) return text;
    check(isCounted, where, () => `${name}: ${path} is neither UTF-8 nor UTF-16, which the pages of a book are: convert it`);
    note({ kind: "converted", what: converted, place: `${name}: ${path}` });
    return text;
  }
}

interface Package {
  /** Paths of the pages in reading order. */
  readonly pages: readonly string[];
  /** Names of what the reading order has that is no page. */
  readonly others: readonly string[];
  readonly facts: TextDocument["facts"];
}

function packageOf(text: string, path: string): Package {
  const xml = withoutComments(text);
  const prefix = /<([\w.-]{1,40}:)?package[\s>]/.exec(xml)?.[1] ?? "";
  const folder = posix.dirname(path);
  const inside = (href: string) => posix.normalize(posix.join(folder, decoded(href.replace(/#.*$/s, ""))));
  const items = new Map<string, Item>();
  for (const tag of tagsIn(elementIn(xml, `${prefix}manifest`) ?? "", "item")) {
    const item = attributesIn(tag);
    items.set(item.get("id") ?? "", item);
  }
  const [pages, others]: [string[], string[]] = [[], []];
  for (const tag of tagsIn(elementIn(xml, `${prefix}spine`) ?? "", "itemref")) {
    const id = attributesIn(tag).get("idref") ?? "";
    const page = pageOf(items, id);
    if (page === undefined) others.push(items.get(id)?.get("href") ?? id);
    else if (!/(^| )nav( |$)/.test(page.get("properties") ?? "")) pages.push(inside(page.get("href") ?? ""));
  }
  const lists = new Set(listsIn(xml).map(inside));
  const chapters = pages.filter((page) => !lists.has(page));
  return { pages: [...new Set(chapters.length > 0 ? chapters : pages)], others, facts: factsOf(xml) };
}

/** The attributes of an item of a package. */
type Item = ReadonlyMap<string, string>;

/** The page that an item is, or that stands in place of it. */
function pageOf(items: ReadonlyMap<string, Item>, id: string): Item | undefined {
  let item = items.get(id);
  for (let i = 0; i < mostFallbacks && item !== undefined; i++) {
    if (pageTypes.has(item.get("media-type") ?? "")) return item;
    item = items.get(item.get("fallback") ?? "");
  }
  return undefined;
}

/** Addresses of pages that are a table of contents or a cover and nothing else: one within a page is not named by the page alone. */
function listsIn(xml: string): string[] {
  return tagsIn(xml, "reference")
    .map(attributesIn)
    .filter((reference) => /^(toc|cover)$/.test(reference.get("type") ?? ""))
    .map((reference) => reference.get("href") ?? "")
    .filter((href) => !href.includes("#"));
}

function factsOf(xml: string): TextDocument["facts"] {
  const prefix = new RegExp(`\\sxmlns:([\\w.-]{1,40})=["']${dublinCore}["']`).exec(xml)?.[1] ?? "dc";
  const fact = (name: string) => {
    const value = elementIn(xml, `${prefix}:${name}`);
    return value === undefined ? undefined : decodeXml(value).trim();
  };
  return { title: fact("title"), author: fact("creator"), language: fact("language"), date: fact("date"), licence: fact("rights") };
}

/** Names in addresses have their special characters as %20 and the like; some books write them as they are. */
function decoded(href: string): string {
  try {
    return decodeURIComponent(href);
  } catch {
    return href;
  }
}
