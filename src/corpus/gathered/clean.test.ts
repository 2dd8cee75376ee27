import { expect, test } from "vitest";
import { Rng } from "../../base/index.ts";
import { cleanProse, cleanScripture, cleanVerse } from "./books.ts";
import { cutDocuments } from "./cut-documents.ts";
import { cleanFactbook } from "./factbook.ts";
import { isRepetitive } from "./repetition.ts";
import { cleanWordnet } from "./wordnet.ts";

test("prose: wrapped lines flow, rhymes keep theirs, title, emphasis and the licence's tail go", () => {
  const raw =
    "[Emma by Jane Austen 1816]\r\n\r\nCHAPTER I\r\n\r\n\r\n   Emma  _was_\r\nhandsome.\r\n\r\n  A rhyme,\r\n  a time.\r\n\r\nEnd of Project Gutenberg's Emma\r\nsmall print";
  expect(cleanProse(raw)).toBe("CHAPTER I\n\nEmma was handsome.\n\nA rhyme,\na time.");
});

test("verse keeps its lines and joins broken ones", () => {
  expect(cleanVerse("[Leaves of Grass]\n\n}  Song\n\nI sing (who\n    knows?)\nand on. \n")).toBe("Song\n\nI sing (who knows?)\nand on.");
});

test("scripture: a chapter flows without verse numbers", () => {
  const raw =
    "[The King James Bible]\n\nGenesis\n\n1:1 In the\nbeginning.\n\n1:2 And the earth. 1:3 And God.\n\n2:1 Thus.\n\n2:2 And.\n\nExodus\n\n1:1 Now\n";
  expect(cleanScripture(raw)).toBe("Genesis\n\nIn the beginning. And the earth. And God.\n\nThus. And.\n\nExodus\n\nNow");
});

test("WordNet: words, part of speech, gloss", () => {
  const raw =
    "  1 This software and database\n" +
    "00003826 29 v 02 hiccup 0 hiccough 0 003 @ 00001740 v 0000 + 14382864 n 0202 01 + 02 00 | breathe spasmodically  \n" +
    '00013160 00 s 01 galore(ip) 0 001 & 00013887 a 0000 | in great numbers; "daisies galore"  \n' +
    "00002452 03 n 01 physical_entity 0 000 | it exists.  \n";
  expect(cleanWordnet(raw)).toBe(
    'hiccup, hiccough (verb): breathe spasmodically.\ngalore (adjective): in great numbers; "daisies galore".\nphysical entity (noun): it exists.',
  );
});

test("the Factbook: a name and sentences, nothing where there is no name", () => {
  const profile = {
    Introduction: { Background: { text: "France  today" } },
    Geography: { Climate: { text: "mild ++ wet" }, "Geography - note": { text: "large" }, Terrain: { east: { text: "no" } } },
    Government: { "Country name": { "conventional short form": { text: "France" } } },
  };
  expect(cleanFactbook(JSON.stringify(profile))).toBe("France\n\nBackground: France today\n\nClimate: mild; wet\n\nnote: large");
  expect(cleanFactbook("{}")).toBe("");
});

test("pieces are never too long, and together are the text", () => {
  const rng = new Rng(1);
  for (let round = 0; round < 300; round++) {
    const text = Array.from({ length: rng.below(60) }, () => ["a", "bcdef", " ", "\n", "\n\n", "𝒳", "ghi jkl"][rng.below(7)]).join("");
    const size = 1 + rng.below(12);
    const found = [...cutDocuments(text, size)];
    expect(found.join("").replace(/\s/g, "")).toBe(text.replace(/\s/g, ""));
    for (const piece of found) {
      expect(piece).not.toMatch(/\p{Cs}/u); // half a surrogate pair
      expect(piece.length).toBeLessThanOrEqual(Math.max(2, size)); // 𝒳 alone is two units
      expect(piece.trim()).not.toBe("");
    }
  }
  expect([...cutDocuments("one\n\ntwo\n\nthree", 9)]).toEqual(["one\n\ntwo", "three"]);
});

test("repetition is counted by lines that were there before", () => {
  expect(isRepetitive("one\ntwo\nthree\n}\n}")).toBe(false);
  expect(isRepetitive("one line\none line\ntwo")).toBe(true);
});
