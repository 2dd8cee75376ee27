import { test } from "vitest";
import { referenceBackend } from "../backend/reference/index.ts";
import { stateDTypes } from "../base/index.ts";
import { chooseTarget, openCpuBackend } from "../host/index.ts";
import { fuzzPages } from "./cached-text.test.helper.ts";
import { checkRestored } from "./saved-sequence.test.helper.ts";
import { fuzzQueue } from "./sequence-queue.test.helper.ts";
import { fuzzModel } from "./sequence-schedule.test.helper.ts";

const seeds = 1500;

test("random texts on pages, more of them", () => {
  for (let seed = 1000; seed < 1000 + seeds; seed++) fuzzPages(seed, 150);
}, 600_000);

test("random calls on sequences, more of them", async () => {
  for (let seed = 1000; seed < 1000 + seeds; seed++) await fuzzQueue(seed, 150);
}, 600_000);

test.each(["reference", "wasm", "avx2", "avx512"])(
  "on %s texts that were saved go on as those that were not interrupted, with keys of all types",
  async (target) => {
    const isThere = target === "reference" || (await chooseTarget(target).catch(() => undefined)) !== undefined;
    if (!isThere) return console.log(`${target} is not tested here`);
    for (const cacheType of stateDTypes) {
      await using backend = target === "reference" ? referenceBackend() : await openCpuBackend({ threads: 2, target });
      await checkRestored(backend, cacheType, 120);
    }
  },
  600_000,
);

test.each(["wasm", "avx2", "avx512"])(
  "on %s random schedules change no bit, more of them",
  async (target) => {
    if ((await chooseTarget(target).catch(() => undefined)) === undefined) return console.log(`${target} is not tested here`);
    await using backend = await openCpuBackend({ threads: 2, target });
    for (const cacheType of stateDTypes)
      for (const slidingWindow of [undefined, 70])
        for (let seed = 100; seed < 110; seed++)
          await fuzzModel(
            backend,
            { matrices: seed % 2 === 0 ? "q8_0" : "f32", cacheType, ...(slidingWindow !== undefined && { slidingWindow }) },
            seed,
            60,
          );
  },
  900_000,
);
