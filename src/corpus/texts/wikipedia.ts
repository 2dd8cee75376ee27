// Dumps of Wikipedia and of other wikis (https://www.mediawiki.org/xml/export-0.11): the articles, in wikitext.
import { decodeText } from "./decode-text.ts";
import type { FormInput, TextDocument } from "./forms.ts";
import { maxDocumentLength, tooLong } from "./limits.ts";
import { toLineFeeds } from "./line-ends.ts";
import { splitText } from "./split-text.ts";
import { decodeXml, elementIn } from "./xml-values.ts";

/** What the head of a dump says of all its pages. */
interface Site {
  readonly language: string | undefined;
  /** What stands in front of a page's title in its address. */
  readonly base: string | undefined;
  /** What links to media, files and categories begin with, in the wiki's language, with bars between. */
  readonly prefixes: string | undefined;
}

/** Numbers of these namespaces (https://www.mediawiki.org/wiki/Manual:Namespace). */
const [media, file, category] = [-2, 6, 14];

/**
 * One document per article: its wikitext as it stands, with `title`, `url`, `date`, `language`, and the `prefixes` of its links to pictures and categories. Pages of other namespaces, such as talk, and redirects
 * are left out and told. Memory: one page.
 */
export async function* readWikipedia(input: FormInput): AsyncGenerator<TextDocument> {
  const { name, where } = input;
  const refuse = (page: number) => tooLong(where, name, `page ${page + 1}`, "it seems to be no dump of a wiki: name its form");
  let site: Site | undefined;
  let number = 0;
  for await (const part of splitText(decodeText(input, where), "</page>", maxDocumentLength, refuse)) {
    site ??= siteOf(part);
    const place = `${name}: page ${++number}`;
    const start = part.search(/<page[\s>]/);
    if (start < 0) {
      if (!part.includes("</mediawiki>")) input.note({ kind: "damaged", what: "dump that ends without its last tag", place });
      continue;
    }
    const read = readPage(part.slice(start), site);
    if (typeof read === "object") yield read;
    else input.note({ kind: read.startsWith("page that is cut") ? "damaged" : "left out", what: read, place });
  }
}

function siteOf(head: string): Site {
  const base = elementIn(head, "base");
  const language = /<mediawiki\s[^>]*?xml:lang="([\w-]{1,20})"/.exec(head)?.[1];
  const names = [media, file, category].flatMap((key) => new RegExp(`<namespace key="${key}"[^>]*>([^<]+)<`).exec(head)?.[1] ?? []);
  const prefixes = names.length === 0 ? undefined : names.map(decodeXml).join("|");
  return { language, prefixes, base: base === undefined ? undefined : decodeXml(base).replace(/[^/]*$/, "") };
}

/** The article, or what the page is instead. */
function readPage(page: string, { language, base, prefixes }: Site): TextDocument | string {
  const namespace = elementIn(page, "ns") ?? "";
  const model = elementIn(page, "model") ?? "wikitext";
  // A history holds several revisions, the latest of them last.
  const revision = page.slice(Math.max(0, page.lastIndexOf("<revision>")));
  const text = elementIn(revision, "text");
  if (text === undefined) return "page that is cut short";
  if (namespace !== "0") return `page of namespace ${/^-?\d{1,5}$/.test(namespace) ? namespace : "unknown"}`;
  if (/<redirect[\s/>]/.test(page.slice(0, page.indexOf("<revision>")))) return "redirect";
  if (model !== "wikitext") return "page that is no wikitext";
  const title = decodeXml(elementIn(page, "title") ?? "");
  const url = base === undefined ? undefined : base + encodeURI(title.replaceAll(" ", "_")).replaceAll("?", "%3F");
  return { text: toLineFeeds(decodeXml(text)), facts: { title, url, date: elementIn(revision, "timestamp"), language, prefixes } };
}
