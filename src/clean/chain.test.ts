import { expect, test } from "vitest";
import { z } from "zod";
import { CleanDocument, isDropped, openChain, stepRow, stepRows } from "./index.ts";

const shout = stepRow({
  name: "shout",
  summary: "writes in capitals",
  source: "this test",
  deeds: ["rewrites"],
  reasons: { silent: "has no letter" },
  parameters: z.strictObject({ times: z.number().default(1) }),
  open: ({ times }) => ({
    apply: (document) =>
      /\p{L}/u.test(document.text) ? document.withText(document.text.toUpperCase().repeat(times)) : { reason: "silent" },
  }),
});

test("a document goes through the steps until one drops it, and every outcome is told", () => {
  const chain = openChain([{ shout: { times: 2 } }, "c4Paragraphs", "shout"], "test", [...stepRows, shout]);
  const passage = chain.apply(new CleanDocument("llama"));
  expect(passage.outcomes.map((outcome) => (isDropped(outcome) ? outcome.reason : outcome.text))).toEqual(["LLAMALLAMA", "fewParagraphs"]);
  expect(passage.outcome).toEqual({ reason: "fewParagraphs", measured: 0, limit: 3 });
});

test.each([
  [["gopherQualty"], '[data] r.yaml: steps[0]: "gopherQualty" is no step, did you mean "gopherQuality"?'],
  [[{ gopherQuality: { minWord: 3 } }], /steps\[0\]\.gopherQuality: unknown key "minWord".*minWords/],
  [[{ c4Quality: { minWords: "3" } }], /steps\[0\]\.c4Quality: minWords is "3": it must be a finite number/],
  [[{ shout: {}, whisper: {} }], /steps\[0\] has 2 keys/],
  [[{}], /steps\[0\] has 0 keys/],
  [{ gopherQuality: {} }, /it must be a list/],
])("entries that are wrong are named: %j", (entries, message) => {
  expect(() => openChain(entries, "r.yaml")).toThrow(message);
});

test("every row has a sentence for each parameter, and defaults for all", () => {
  for (const row of stepRows) {
    expect(row.parameters.parse({})).toBeTypeOf("object");
    if (row.parameters instanceof z.ZodObject)
      for (const [key, schema] of Object.entries(row.parameters.shape))
        expect((schema as z.ZodType).description, `${row.name}.${key}`).toBeTruthy();
  }
});
