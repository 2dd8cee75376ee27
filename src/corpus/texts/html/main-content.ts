// The main content of a page, without menus, notes on cookies, related links and the like: @mozilla/readability, which is Firefox's reader view, over its
// own light DOM. What it finds is written as the text of a whole page is. No script runs, nothing is fetched, and no page takes more than linear time.
/// <reference path="./jsdom-parser.d.ts" />
import { Readability } from "@mozilla/readability";
import JSDOMParser from "@mozilla/readability/JSDOMParser.js";
import { Flow } from "./flow.ts";
import { type PageTree, pageTree, tagAttribute, type treeLimits } from "./page-tree.ts";

/** What makes a page too much for the search, by the limit that it is beyond. */
const tooMuch: Readonly<Record<keyof typeof treeLimits, string>> = {
  characters: "page of too many characters for a search of main content",
  elements: "page of too many elements for a search of main content",
  depth: "page of elements too deep in each other for a search of main content",
  siblings: "page of too many elements side by side for a search of main content",
};
/** Why a page is read whole where nothing is found, or only a small part of a page of several. */
export const noMainContent = "page without main content";

/** The text of a page's main content, or why there is none. */
export function mainContent(html: string): { readonly text: string } | { readonly why: string } {
  const tree = pageTree(html);
  if (typeof tree === "string") return { why: tooMuch[tree] };
  const found = find(tree.markup);
  if (found === undefined) return { why: noMainContent };
  if (typeof found === "string") return { why: found };
  const flow = new Flow();
  write(found, flow, false);
  const text = flow.text();
  return text === "" ? { why: noMainContent } : { text: withHeading(text, tree) };
}

/** A title without words: a heading that repeats the title would be taken out of the text otherwise. */
const noTitle = "·".repeat(20);
/** The library tries again with fewer rules where it finds fewer characters. One is enough: what is found is held against the whole page instead. */
const charThreshold = 1;

function find(markup: string): Node | string | undefined {
  const page = new JSDOMParser().parse(`<html><head><title>${noTitle}</title></head><body>${markup}</body></html>`, "http://localhost/");
  try {
    return new Readability<Node>(page, { serializer: (node) => node, disableJSONLD: true, charThreshold }).parse()?.content ?? undefined;
  } catch (error) {
    // It follows parents up to a body, and trusts that there is one. One page of millions must not end a preparation.
    if (isOfLibrary(error)) return "page on which the search of main content fails";
    throw error;
  }
}

/** Whether the library reads a property of an element that is not there; a mistake of ours, which is thrown elsewhere, is no page's fault. */
function isOfLibrary(error: unknown): boolean {
  if (!(error instanceof TypeError) || !/ of (null|undefined)/.test(error.message)) return false;
  const [thrownAt = ""] = /^ +at .*$/m.exec(error.stack ?? "") ?? [];
  return /@mozilla[\\/]readability[\\/]/.test(thrownAt);
}

const [elementNode, textNode] = [1, 3];

/** Writes what is in a node; the tags are those of the page, because the library renames elements, and puts some of its own around lines. */
function write(node: Node, flow: Flow, isPreformatted: boolean): void {
  for (const child of Array.from(node.childNodes)) {
    if (child.nodeType === textNode) flow.add(child.textContent ?? "", isPreformatted);
    if (child.nodeType !== elementNode) continue;
    const element = child as Element;
    const name = element.getAttribute(tagAttribute) ?? (/^(p|div)$/.test(element.localName) ? "div" : "span");
    flow.open(name);
    write(element, flow, isPreformatted || name === "pre");
    flow.close(name);
  }
}

/** The heading of the page goes in front where it stands outside of the main content: it is the one that the page's title begins with. */
function withHeading(text: string, tree: PageTree): string {
  const plain = (words: string) => words.replace(/\s+/g, " ").trim();
  const title = plain(tree.title);
  const heading = tree.headings.map(plain).find((one) => one !== "" && title.startsWith(one));
  return heading === undefined || plain(text.slice(0, 2000)).includes(heading) ? text : `${heading}\n\n${text}`;
}
