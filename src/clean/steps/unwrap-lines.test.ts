// Texts of the demo's kinds, as their sources have them and as the steps leave them.
import { expect, test } from "vitest";
import { CleanDocument, type Facts, isDropped, openStages, type StepEntries } from "../index.ts";

async function cleaned(steps: StepEntries, text: string, facts: Facts = {}) {
  const [stage] = await openStages(steps);
  const outcome = stage?.chain.apply(new CleanDocument(text, facts)).outcome;
  if (outcome === undefined) throw new Error("there is no stage");
  return isDropped(outcome) ? outcome.reason : outcome.text;
}

test("prose: wrapped lines flow, rhymes keep theirs; title, emphasis, DOS's end of file and the licence's tail go", async () => {
  const raw =
    "[Emma by Jane Austen 1816]\n\nCHAPTER I\n\n\n   Emma  _was_\nhandsome.\n\n  A rhyme,\n  a time.\n\u001a\nEnd of Project Gutenberg's Emma\nsmall print";
  expect(await cleaned(["gutenberg", "unwrapLines"], raw)).toBe("CHAPTER I\n\nEmma was handsome.\n\nA rhyme,\na time.");
});

test("verse keeps its lines and joins broken ones", async () => {
  const steps = [{ unwrapLines: { layout: "verse" } }];
  expect(await cleaned(steps, "}  Song\n\nI sing (who\n    knows?)\nand on. \n")).toBe("Song\n\nI sing (who knows?)\nand on.");
});

test("scripture: a chapter flows without verse numbers", async () => {
  const raw = "Genesis\n\n1:1 In the\nbeginning.\n\n1:2 And the earth. 1:3 And God.\n\n2:1 Thus.\n\n2:2 And.\n\nExodus\n\n1:1 Now\n";
  expect(await cleaned([{ unwrapLines: { layout: "scripture" } }], raw)).toBe(
    "Genesis\n\nIn the beginning. And the earth. And God.\n\nThus. And.\n\nExodus\n\nNow",
  );
});

test("what is empty goes", async () => {
  for (const layout of ["prose", "verse", "scripture"]) expect(await cleaned([{ unwrapLines: { layout } }], " \n \n")).toBe("empty");
});

test("WordNet: words, part of speech, gloss", async () => {
  const raw =
    "  1 This software and database\n" +
    "00003826 29 v 02 hiccup 0 hiccough 0 003 @ 00001740 v 0000 + 14382864 n 0202 01 + 02 00 | breathe spasmodically  \n" +
    '00013160 00 s 01 galore(ip) 0 001 & 00013887 a 0000 | in great numbers; "daisies galore"  \n' +
    "00002452 03 n 01 physical_entity 0 000 | it exists.  \n";
  expect(await cleaned(["wordnet"], raw)).toBe(
    'hiccup, hiccough (verb): breathe spasmodically.\ngalore (adjective): in great numbers; "daisies galore".\nphysical entity (noun): it exists.',
  );
  expect(await cleaned(["wordnet"], "00000001 03 n ffffffff a 0 | more words than there are")).toMatch(
    /^a, .*more words than there are\.$/,
  );
  expect(await cleaned(["wordnet"], "A text.\n1 is no entry")).toBe("noEntries");
});

const profile = {
  Introduction: { Background: { text: "France  today" } },
  Geography: { Climate: { text: "mild ++ wet" }, Terrain: { east: { text: "no" } } },
  Government: { name: { text: "France" } },
};
const jsonArticle = {
  title: ["Government", "name", "text"],
  fields: {
    Background: ["Introduction", "Background", "text"],
    Climate: ["Geography", "Climate", "text"],
    Terrain: ["Geography", "Terrain", "text"],
    of: ["Geography", "toString", "name"],
  },
  replace: { " ++ ": "; " },
};

test.each([
  ["a name and its fields", profile, "France\n\nBackground: France today\n\nClimate: mild; wet"],
  ["no name", { ...profile, Government: {} }, "untitled"],
  ["no field", { Government: profile.Government }, "empty"],
  ["a list", [profile], "notJson"],
])("an article of JSON: %s", async (_, record, wanted) => {
  expect(await cleaned([{ jsonArticle }], JSON.stringify(record))).toBe(wanted);
});

test("what is no JSON has no article", async () => {
  expect(await cleaned([{ jsonArticle }], "{")).toBe("notJson");
});

test.each([
  ["/* Copyright A */\n/* about */\ncode();", "/* about */\ncode();"],
  ["// Licensed to B\n// under MIT\n\ncode();\n", "code();"],
  ["# Copyright C\nprint()", "print()"],
  ['#include "copyright.h"\n#define A\n', '#include "copyright.h"\n#define A'],
  ["#!/bin/sh\necho", "#!/bin/sh\necho"],
  ["/* what it does */\ncode();", "/* what it does */\ncode();"],
  ["code(); /* licence */", "code(); /* licence */"],
  ["/* Copyright D */", "empty"],
])("the header of code: %j", async (raw, wanted) => {
  expect(await cleaned(["codeHeader"], raw)).toBe(wanted);
});

test("a sample is about the share that was asked for, and the same each time", async () => {
  const texts = Array.from({ length: 2000 }, (_, i) => `Text ${i * i}`);
  const [stage] = await openStages([{ sample: { share: 0.25 } }]);
  const kept = () => texts.filter((text) => !isDropped(stage!.chain.apply(new CleanDocument(text)).outcome));
  expect(kept().length).toBeGreaterThan(400);
  expect(kept().length).toBeLessThan(600);
  expect(kept()).toEqual(kept());
});
