import { expect, test } from "vitest";
import { openCpuBackend } from "../host/index.ts";
import { trainerOptions } from "../train/index.ts";
import { tinyRecipe } from "../train/tiny-run.test.helper.ts";
import { measureStep } from "./measure-step.ts";

const { signal } = new AbortController();

test.each([{}, { accumulation: 2 }, { documentMask: true }])("a step takes some time, with %o", async (changes) => {
  await using backend = await openCpuBackend({ threads: 1, target: "wasm" });
  expect(await measureStep(backend, trainerOptions(tinyRecipe(changes), false), { seconds: 0, signal })).toBeGreaterThan(0);
});

test("it ends when it is told to, while it compiles too", async () => {
  await using backend = await openCpuBackend({ threads: 1, target: "wasm" });
  const told = AbortSignal.abort(new Error("enough"));
  await expect(measureStep(backend, trainerOptions(tinyRecipe(), false), { signal: told })).rejects.toThrow("enough");
});
