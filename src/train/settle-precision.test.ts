import { afterAll, expect, test } from "vitest";
import { openCpuBackend } from "../host/index.ts";
import { trainRun } from "../runs/index.ts";
import { metricsOf, tinyScope } from "../runs/tiny-scope.test.helper.ts";
import { completeRecipe, parseRecipe } from "./recipe.ts";
import { bfloat16Gain, settlePrecision } from "./settle-precision.ts";
import { tinyRecipe } from "./tiny-run.test.helper.ts";

const backend = await openCpuBackend({ threads: 1 });
afterAll(() => backend.dispose());

test.each(["float32", "bfloat16"] as const)("%s stays what the recipe says", async (precision) => {
  expect(await settlePrecision(tinyRecipe({ precision }), backend)).toMatchObject({ precision });
});

test("auto becomes what is measured to be faster", async () => {
  const model = { dim: 64, nLayers: 1, nHeads: 2 };
  const auto = completeRecipe(parseRecipe({ data: "d", tokenizer: "t", model, steps: 1 }, "test"), 100);
  expect(auto.precision).toBe("auto");
  expect(["float32", "bfloat16"]).toContain((await settlePrecision(auto, backend)).precision);
  expect(await bfloat16Gain(backend, { rows: 64, inputs: 64, outputs: 64 })).toBeGreaterThan(0);
});

test("a run in bfloat16 learns as one in float32 does, on other numbers", async () => {
  const runs = [];
  for (const precision of ["float32", "bfloat16"] as const) {
    await using scope = await tinyScope();
    await trainRun(scope.job(tinyRecipe({ precision })));
    runs.push((await metricsOf(scope.folder)).flatMap(({ loss }) => (typeof loss === "number" ? [loss] : [])));
  }
  const [float, brain] = runs as [number[], number[]];
  expect(brain).not.toEqual(float);
  expect(Math.abs(brain.at(-1)! - float.at(-1)!)).toBeLessThan(0.05);
  expect(brain.at(-1)).toBeLessThan(brain[0]! - 0.2);
});
