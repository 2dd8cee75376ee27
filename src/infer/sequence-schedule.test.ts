import { expect, test } from "vitest";
import { chooseTarget, openCpuBackend } from "../host/index.ts";
import { fuzzModel } from "./sequence-schedule.test.helper.ts";

const schedules = {
  wasm: { matrices: "f32", cacheType: "f16", slidingWindow: 70 },
  avx2: { matrices: "q8_0", cacheType: "q8_0" },
  avx512: { matrices: "q8_0", cacheType: "f32", slidingWindow: 100 },
} as const;

for (const [target, schedule] of Object.entries(schedules)) {
  const isHere = await chooseTarget(target).then(
    () => true,
    (error: Error) => console.log(`${target} is not tested here: ${error.message}`),
  );
  test.skipIf(!isHere)(`on ${target} random schedules of forked, cut, saved and restored texts change no bit`, async () => {
    await using backend = await openCpuBackend({ threads: 2, target });
    let again = 0;
    for (let seed = 0; seed < 2; seed++) again += Math.max(0, await fuzzModel(backend, schedule, seed, 40));
    expect(again).toBeGreaterThan(0); // some paused and were computed again
  });
}
