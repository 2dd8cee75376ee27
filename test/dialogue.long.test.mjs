// The same as dialogue.test.mjs, with random schemas of all kinds and many more messages.
import { expect, test } from "vitest";
import { callingTemplates } from "../dist/dialogue/templates.test.helper.js";
import { anySchema, judgeDialogue } from "./dialogue.helper.mjs";

test.each(callingTemplates)("%s", { timeout: 600_000 }, (name) => {
  const seen = { calls: 0, texts: 0 };
  for (let seed = 0; seed < 100; seed++) judgeDialogue(name, seed, seen, anySchema);
  expect(Math.min(seen.texts, seen.calls)).toBeGreaterThan(50);
});
