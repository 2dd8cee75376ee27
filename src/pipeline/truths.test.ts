import { expect, test } from "vitest";
import { openStages } from "../clean/index.ts";
import type { StepReport } from "./report.ts";
import { judgeTruths, truthsOf } from "./truths.ts";

const steps = ["length", "dedupNear", "language"].map((name) => ({ name }) as StepReport);

test("precision and recall are of the documents that have a truth", () => {
  const truths = {
    kept: { kept: 90, "dedupNear.nearCopy": 2, "length.short": 8 },
    dedupNear: { kept: 1, "dedupNear.nearCopy": 6, "length.short": 3 },
    "length.short": { "length.short": 5, "length.long": 1 },
    "language.other": { kept: 4 },
  };
  expect(judgeTruths({ truths, steps })).toEqual([
    { step: "length", planted: 6, dropped: 17, right: 5, precision: 5 / 17, recall: 5 / 6 },
    { step: "dedupNear", planted: 10, dropped: 8, right: 6, precision: 6 / 8, recall: 6 / 10 },
    { step: "language", planted: 4, dropped: 0, right: 0, precision: Number.NaN, recall: 0 },
    { step: "any step", planted: 20, dropped: 25, right: 15, precision: 15 / 25, recall: 15 / 20 },
  ]);
});

test("truths are kept, steps, and steps with one of their reasons; without truths there is no table", async () => {
  const truths = truthsOf(await openStages(["dedupDocuments", { length: {} }, "dedupDocuments"]));
  expect([...truths].sort()).toEqual(["dedupDocuments", "dedupDocuments.copy", "kept", "length", "length.long", "length.short"]);
  expect(judgeTruths({ truths: {}, steps })).toEqual([]);
});
