// Views of documents, which share arrays.
import { expect, test } from "vitest";
import { CleanDocument } from "./document.ts";

function wordsOf({ text, words }: CleanDocument): string[] {
  return Array.from({ length: words.count }, (_, i) => text.slice(words.starts[i], words.ends[i]));
}

test("a document has its own words whenever it is asked, whatever was asked of others meanwhile", () => {
  const texts = ["", "one two", "three", "one two three four five six ".repeat(100), `seven ${"x".repeat(1 << 20)}`, "two one"];
  const documents = texts.map((text) => new CleanDocument(text));
  for (const order of [documents, documents.toReversed(), documents.map((document) => document.withFacts({ seen: 1 }))])
    for (const document of order) expect(wordsOf(document)).toEqual(document.text.split(" ").filter((word) => word !== ""));
});
