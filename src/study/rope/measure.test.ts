import { afterAll, beforeAll, expect, test } from "vitest";
import type { Backend } from "../../backend/index.ts";
import { openCpuBackend } from "../../host/index.ts";
import { decayBound, matrixError, measureInvariance } from "./measure.ts";

let backend: Backend;
beforeAll(async () => {
  backend = await openCpuBackend({ threads: 1 }); // two would wait for each other where other tests run beside
});
afterAll(() => backend.dispose());

test("RoPE's scores depend on the distance only, to float32's rounding", async () => {
  const { worst, within, scores } = await measureInvariance(backend, "rope");
  expect(worst).toBeLessThan(1e-5);
  expect(within).toBeLessThan(1e-5);
  expect(scores[20]![13]).toBeCloseTo(scores[107]![100]!, 4);
  expect(scores[20]![13]).not.toBeCloseTo(scores[20]![3]!, 2);
});

test.each(["sinusoidal", "learned"] as const)("%s scores do not", async (name) => {
  expect((await measureInvariance(backend, name)).within).toBeGreaterThan(0.5);
});

test("without positions all scores are one", async () => {
  expect((await measureInvariance(backend, "none")).worst).toBeLessThan(1e-6);
});

test.each(["half", "neighbours"] as const)("%s: the elementwise form is the product with the rotation matrix", async (pairing) => {
  expect(await matrixError(backend, pairing)).toBeLessThan(2e-6);
});

test("the paper's bound begins at the mean of 1 … d/2 and decays", () => {
  expect(decayBound(0, 128)).toBeCloseTo(32.5, 10);
  expect(decayBound(200, 128)).toBeLessThan(0.4 * 32.5);
});
