import { expect, test } from "vitest";
import { minimise } from "./lbfgs.ts";

test("finds the bottom of Rosenbrock's valley, and leaves the start as it is", () => {
  const start = Float64Array.of(-1.2, 1);
  const found = minimise(
    ([x, y], gradient) => {
      gradient.set([-400 * x! * (y! - x! * x!) - 2 * (1 - x!), 200 * (y! - x! * x!)]);
      return 100 * (y! - x! * x!) ** 2 + (1 - x!) ** 2;
    },
    start,
    500,
  );
  expect(found.x[0]).toBeCloseTo(1, 5);
  expect(found.x[1]).toBeCloseTo(1, 5);
  expect([...start]).toEqual([-1.2, 1]);
});

test("ends where it began when there is nothing downhill, or no number", () => {
  const flat = minimise(() => 3, Float64Array.of(1, 2), 100);
  expect(flat).toMatchObject({ value: 3, x: Float64Array.of(1, 2) });
  expect(minimise(() => Number.NaN, Float64Array.of(1), 100).x).toEqual(Float64Array.of(1));
});
