// Project Gutenberg's headers and licences of all times go, its books stay whole.
import { expect, test } from "vitest";
import { CleanDocument, type Facts, isDropped, openStages } from "../index.ts";

async function cleaned(text: string, parameters: unknown = {}): Promise<{ text: string; facts: Facts }> {
  const [stage] = await openStages([{ gutenberg: parameters }]);
  const outcome = stage?.chain.apply(new CleanDocument(text)).outcome;
  if (outcome === undefined || isDropped(outcome)) return { text: outcome?.reason ?? "", facts: {} };
  return { text: outcome.text, facts: outcome.facts };
}

const head =
  "\ufeffThe Project Gutenberg eBook of A Book\n\nTitle: A Book\n      and its Rest\n\nAuthor: Ann Author\n\nRelease date: May 1, 2001 [eBook #99]\n\n";
const book = "A BOOK\n\nChapter I\n\nIt is the end of the road. *** The end ***";

test.each([
  [
    "today",
    `${head}*** START OF THE PROJECT GUTENBERG EBOOK A BOOK ***\n\nProduced by A. and\nB. Volunteer\n\n\n${book}\n\n*** END OF THE PROJECT GUTENBERG EBOOK A BOOK ***\nlicence`,
  ],
  [
    "a mark on two lines",
    `${head}*** START OF THIS PROJECT GUTENBERG EBOOK A BOOK AND\nITS REST ***\n${book}\n\nEnd of the Project Gutenberg EBook of A Book, by Ann\n\n*** END OF THIS PROJECT GUTENBERG EBOOK ***`,
  ],
  [
    "before 2000",
    `${head}*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*\n\n${book}\n\nEnd of Project Gutenberg's A Book\n`,
  ],
  [
    "the first ones",
    `${head}***START**THE SMALL PRINT!**FOR PUBLIC DOMAIN ETEXTS**START***\nWhy is this here?\n*END THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.1*END*\n${book}\nEnd of this Project Gutenberg Etext\n`,
  ],
])("%s", async (_, text) => {
  expect(await cleaned(text)).toEqual({ text: book, facts: { title: "A Book and its Rest", author: "Ann Author", date: "May 1, 2001" } });
});

test("other texts stay as they are, or go", async () => {
  expect((await cleaned(book)).text).toBe(book);
  expect((await cleaned(book, { unmarked: "drop" })).text).toBe("unmarked");
  const late = `${"word ".repeat(20_000)}\n*** START OF THE PROJECT GUTENBERG EBOOK X ***\nmore`;
  expect((await cleaned(late)).text).toBe(late);
  expect(
    (await cleaned(`${head}*** START OF THE PROJECT GUTENBERG EBOOK X ***\n\n*** END OF THE PROJECT GUTENBERG EBOOK X ***`)).text,
  ).toBe("empty");
});

test("hostile texts end", async () => {
  for (const part of [
    "*** START OF THE PROJECT GUTENBERG EBOOK ",
    "***START**THE SMALL PRINT!\n",
    "Produced by a\n",
    "*END*THE SMALL PRINT!",
    "Title: a\n  b",
  ])
    expect((await cleaned(part.repeat(20_000))).text.length).toBeGreaterThan(0);
  expect((await cleaned(`a${"\n\r".repeat(50_000)}b`)).text.length).toBe(100_002);
});
