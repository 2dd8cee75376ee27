import { expect, test } from "vitest";
import { lowest, parameterCounts, slopeError } from "./measure.ts";

test("all contestants have the same number of parameters, to the last one", () => {
  const counts = parameterCounts();
  expect(counts).toHaveLength(10);
  expect(new Set(counts).size).toBe(1);
});

test("slopes are the derivatives, and the functions are least where they are known to be", () => {
  const swish = { name: "swish", activation: "swish", beta: 1 } as const;
  const gelu = { name: "gelu", activation: "gelu", beta: 1 } as const;
  for (const curve of [swish, gelu, { ...swish, beta: 10 }]) expect(slopeError(curve)).toBeLessThan(1e-8);
  expect(lowest(swish).x).toBeCloseTo(-1.278, 2);
  expect(lowest(swish).y).toBeCloseTo(-0.27846, 4);
  expect(lowest(gelu).x).toBeCloseTo(-0.7518, 2);
  expect(lowest(gelu).y).toBeCloseTo(-0.16997, 4);
});
