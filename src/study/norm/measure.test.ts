import { afterAll, beforeAll, expect, test } from "vitest";
import type { Backend } from "../../backend/index.ts";
import { openCpuBackend } from "../../host/index.ts";
import { encodeText } from "../encoded-text.ts";
import { tinyContext } from "../made-up.test.helper.ts";
import { mean } from "../statistics.ts";
import { lastLayerExponents } from "./judge.ts";
import { depthGradients, drawsOf } from "./measure.ts";

let backend: Backend;
beforeAll(async () => {
  backend = await openCpuBackend({ threads: 1 }); // two would wait for each other where other tests run beside
});
afterAll(() => backend.dispose());

test("the last layer's gradient: as large at any depth with Post-LN, as 1/sqrt(L) with Pre-LN", async () => {
  const size = { batch: 4, length: 32 };
  const draws = await drawsOf(await encodeText(tinyContext(backend), 512, 256), [1, 2, 3], size);
  const found = [];
  for (const placement of ["pre", "post"] as const)
    for (const depth of [4, 16]) found.push(await depthGradients(backend, placement, depth, draws, size));
  expect(Math.abs(mean(lastLayerExponents(found, "post")))).toBeLessThan(0.12);
  expect(Math.abs(mean(lastLayerExponents(found, "pre")) + 0.47)).toBeLessThan(0.1);
});
