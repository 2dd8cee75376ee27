import { describe, expect, test } from "vitest";
import { random, runs, unwritten, worstError } from "../testing.test.helper.ts";
import { activation, activationGradient, glu, gluGradient } from "./activation.ts";
import type { ActivationName } from "./activation-functions.ts";

const names: readonly ActivationName[] = ["sigmoid", "none", "relu", "gelu", "geluTanh", "swish"];
const counts = [1, 3, 67, 4096 + 35];
const tolerance = 2e-6;
const beta = 1.5;
const inputs = random(Math.max(...counts), 1, 3);
/** Values and slopes by name. */
const wants = new Map(names.map((name) => [name, [valueAt, slopeAt].map((f) => Float64Array.from(inputs, (x) => f(name, x)))]));

describe.each(runs)("$name", ({ run }) => {
  describe.each(names)("%s", (name) => {
    test.each(counts)("of %i elements", (count) => {
      const sizes = { count, activation: name, beta };
      const [x, up, dy] = [inputs.subarray(0, count), random(count, 2), random(count, 3)];
      const [value, slope] = wants.get(name)!.map((want) => want.subarray(0, count));
      const y = run(activation, sizes, [x, unwritten(count)])[1]!;
      expect(worstError(y, value!)).toBeLessThan(tolerance);
      const dx = run(activationGradient, sizes, [x, dy, unwritten(count)])[2]!;
      expect(
        worstError(
          dx,
          slope!.map((s, i) => s * dy[i]!),
        ),
      ).toBeLessThan(tolerance);
      const gated = run(glu, sizes, [x, up, unwritten(count)])[2]!;
      expect(
        worstError(
          gated,
          value!.map((v, i) => v * up[i]!),
        ),
      ).toBeLessThan(tolerance);
      const [, , , dgate, dup] = run(gluGradient, sizes, [x, up, dy, unwritten(count), unwritten(count)]);
      expect(
        worstError(
          dgate!,
          slope!.map((s, i) => s * dy[i]! * up[i]!),
        ),
      ).toBeLessThan(tolerance);
      expect(
        worstError(
          dup!,
          value!.map((v, i) => v * dy[i]!),
        ),
      ).toBeLessThan(tolerance);
    });

    test("far from zero: the limits, and no NaN", () => {
      const x = Float32Array.of(-1e30, -1e4, -60, 60, 1e4, 1e30);
      const sizes = { count: x.length, activation: name, beta: 1 };
      const y = run(activation, sizes, [x, unwritten(x.length)])[1]!;
      const dx = run(activationGradient, sizes, [x, new Float32Array(x.length).fill(1), unwritten(x.length)])[2]!;
      x.forEach((at, i) => {
        const limit = name === "none" || (name !== "sigmoid" && at > 0) ? at : name === "sigmoid" && at > 0 ? 1 : 0;
        const slope = name === "none" || (name !== "sigmoid" && at > 0) ? 1 : 0;
        expect(Math.abs(y[i]! - limit) / Math.max(1, Math.abs(limit))).toBeLessThan(1e-6);
        expect(Math.abs(dx[i]! - slope)).toBeLessThan(1e-6);
      });
    });
  });
});

function valueAt(name: ActivationName, x: number): number {
  const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));
  const values: Record<ActivationName, () => number> = {
    sigmoid: () => sigmoid(x),
    none: () => x,
    relu: () => Math.max(x, 0),
    gelu: () => x * normalCdf(x),
    geluTanh: () => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
    swish: () => x * sigmoid(beta * x),
  };
  return values[name]();
}

/** The slope by central differences, of second order twice (Richardson), so that no slope is written down a second time. */
function slopeAt(name: ActivationName, x: number): number {
  if (name === "relu") return x > 0 ? 1 : 0;
  const difference = (h: number) => (valueAt(name, x + h) - valueAt(name, x - h)) / (2 * h);
  return (4 * difference(1e-3) - difference(2e-3)) / 3;
}

/** Φ(x) by Simpson's rule over the density from 0. */
function normalCdf(x: number): number {
  const steps = 400;
  const h = x / steps;
  const density = (t: number) => Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI);
  let sum = density(0) + density(x);
  for (let i = 1; i < steps; i++) sum += (i % 2 === 1 ? 4 : 2) * density(i * h);
  return 0.5 + (sum * h) / 3;
}
