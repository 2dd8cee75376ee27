// Messages of chat models: what a grammar of a dialogue lets through is read as calls that ajv finds valid, however the text is cut.
import { describe, expect, test } from "vitest";
import { callingTemplates } from "../dist/dialogue/templates.test.helper.js";
import { judgeDialogue } from "./dialogue.helper.mjs";

describe.each(callingTemplates)("%s", (name) => {
  test("whatever its grammar lets through is read as valid calls, however it is cut", () => {
    const seen = { calls: 0, texts: 0 };
    for (let seed = 0; seed < 4; seed++) judgeDialogue(name, seed, seen);
    expect(seen.texts).toBeGreaterThan(3);
    expect(seen.calls).toBeGreaterThan(0);
  });
});
