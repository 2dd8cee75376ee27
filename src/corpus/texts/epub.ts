// EPUB books (https://www.w3.org/TR/epub-33): the chapters in reading order as text, without the pages that list them.
import { posix } from "node:path";
import { fail } from "../../base/index.ts";
import { tellDamaged } from "./archives/tell-damaged.ts";
import { ZipArchive } from "./archives/zip.ts";
import type { FormInput, TextDocument } from "./forms.ts";
import { gatherBytes } from "./gather-bytes.ts";
import { pageText } from "./html/page-text.ts";
import { maxDocumentLength, tooLong } from "./limits.ts";
import { toLineFeeds } from "./line-ends.ts";
import { attributesIn, decodeXml, elementIn, tagsIn } from "./xml-values.ts";

const container = "META-INF/container.xml";
/** Files of other kinds than pages, such as pictures, are not read. */
const pageType = "application/xhtml+xml";

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
    return new Set(references.map((tag) => decodeXml(attributesIn(tag).get("URI") ?? "")));
  }

  async #file(path: string): Promise<string> {
    const { name, where } = this.#input;
    const entry = this.#entries.get(path);
    if (entry === undefined) return fail(where, `${name}: ${path} is not there: it is no EPUB book, or damaged`);
    const bytes = await gatherBytes(this.#zip.bytes(entry), maxDocumentLength);
    if (bytes === undefined) return tooLong(where, `${name}: ${path}`, "the page", "cut it into several files");
    return new TextDecoder(isWide(bytes) ? "utf-16" : "utf-8").decode(bytes);
  }
}

/** The specification allows UTF-16 with its mark beside UTF-8. */
function isWide([first, second]: Uint8Array): boolean {
  return first === 0xff && second === 0xfe;
}

interface Package {
  /** Paths of the pages in reading order. */
  readonly pages: readonly string[];
  readonly facts: TextDocument["facts"];
}

function packageOf(xml: string, path: string): Package {
  const folder = posix.dirname(path);
  const inside = (href: string) => posix.normalize(posix.join(folder, decoded(href.replace(/#.*$/s, ""))));
  const items = new Map<string, ReadonlyMap<string, string>>();
  for (const tag of tagsIn(elementIn(xml, "manifest") ?? "", "item")) {
    const item = attributesIn(tag);
    items.set(item.get("id") ?? "", item);
  }
  const lists = new Set(
    tagsIn(xml, "reference").flatMap((tag) =>
      /^(toc|cover)$/.test(attributesIn(tag).get("type") ?? "") ? [inside(attributesIn(tag).get("href") ?? "")] : [],
    ),
  );
  const pages = tagsIn(elementIn(xml, "spine") ?? "", "itemref").flatMap((tag) => {
    const item = items.get(attributesIn(tag).get("idref") ?? "");
    const isPage = item?.get("media-type") === pageType && !/(^| )nav( |$)/.test(item.get("properties") ?? "");
    const page = inside(item?.get("href") ?? "");
    return isPage && !lists.has(page) ? [page] : [];
  });
  const fact = (name: string) => {
    const value = elementIn(xml, `dc:${name}`);
    return value === undefined ? undefined : decodeXml(value).trim();
  };
  return {
    pages: [...new Set(pages)],
    facts: { title: fact("title"), author: fact("creator"), language: fact("language"), date: fact("date"), licence: fact("rights") },
  };
}

/** Names in addresses have their special characters as %20 and the like; some books write them as they are. */
function decoded(href: string): string {
  try {
    return decodeURIComponent(href);
  } catch {
    return href;
  }
}
