// A page as a document: its main content where it has some, else all its text.
import type { PageContent } from "../forms.ts";
import { mainContent, noMainContent } from "./main-content.ts";
import { pageText } from "./page-text.ts";

/** A page's text, and why it is that of the whole page where main content was asked for. */
export interface ReadPage {
  readonly text: string;
  readonly whyWhole?: string;
}

/** The share of the long lines of the whole page that main content has at least: a page of several parts has no main one. */
const leastShare = 1 / 2;
/** Columns of a line that is long. A character of Chinese, Japanese or Korean is three, as it says about as much as three letters. */
const longLine = 100;

/** The main content of a page, and where there is none, as on a page of links or of several parts, the text of the whole page. */
export function readPage(html: string, content: PageContent = "main"): ReadPage {
  const whole = pageText(html);
  if (content === "whole") return { text: whole };
  const main = mainContent(html);
  if ("why" in main) return { text: whole, whyWhole: main.why };
  return isMain(main.text, whole) ? main : { text: whole, whyWhole: noMainContent };
}

/** Whether main content has its share of the long lines. Where none are long it has its share of all text, and no more than the author marked as main. */
function isMain(main: string, whole: string): boolean {
  const [ofMain, ofWhole] = [longText(main), longText(whole)];
  if (ofMain > 0 || ofWhole > 0) return ofMain >= leastShare * ofWhole;
  return main.length >= leastShare * whole.length && main.length <= whole.length;
}

/** Columns of long lines. */
function longText(text: string): number {
  let sum = 0;
  for (const line of text.split("\n")) {
    const columns = line.length + 2 * (line.match(/[\u2e80-\ud7ff\uf900-\ufaff]/g)?.length ?? 0);
    if (columns >= longLine) sum += columns;
  }
  return sum;
}
