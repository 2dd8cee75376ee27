import { afterAll, beforeAll, expect, test } from "vitest";
import { openCpuBackend } from "../backend/cpu/index.ts";
import type { Backend } from "../backend/index.ts";
import { depthGradients, lastLayerExponent } from "./norm.ts";

let backend: Backend;
beforeAll(async () => {
  backend = await openCpuBackend({ threads: 1 }); // two would wait for each other where other tests run beside
});
afterAll(() => backend.dispose());

test("the last layer's gradient: as large at any depth with Post-LN, as 1/sqrt(L) with Pre-LN", async () => {
  const found = [];
  for (const placement of ["pre", "post"] as const)
    for (const depth of [4, 16]) found.push(await depthGradients(backend, placement, depth, [1, 2, 3]));
  expect(lastLayerExponent(found, "post")).toBeCloseTo(0, 0.7);
  expect(Math.abs(lastLayerExponent(found, "post"))).toBeLessThan(0.12);
  expect(Math.abs(lastLayerExponent(found, "pre") + 0.47)).toBeLessThan(0.1);
});
