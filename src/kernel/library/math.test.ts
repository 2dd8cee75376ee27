// Holds the errors that math.ts states, over sweeps of its functions' ranges, against float64.
import { describe, expect, test } from "vitest";
import { type Builder, kernel, type Vec } from "../language.ts";
import { random, runs, unwritten } from "../testing.test.helper.ts";
import { erf, exp, log, sigmoid, sinCos, tanh } from "./math.ts";

type Function = (k: Builder, x: Vec) => Vec;

const apply = kernel<{ of: Function; count: number }>("apply", (k, { of, count }) => {
  const { x, y } = k.pointers("x", "y");
  return { units: k.flat(count, k.range(), (at) => k.store(of(k, k.load(x, at)), y, at)) };
});

const count = 100_000;
const sin: Function = (k, x) => sinCos(k, x).sin;
const cos: Function = (k, x) => sinCos(k, x).cos;

const sweeps: readonly { of: Function; x: Float32Array; exact: (x: number) => number; ulp: number }[] = [
  { of: exp, x: between(-87.3, 88.3), exact: Math.exp, ulp: 2 },
  { of: exp, x: between(-1, 1), exact: Math.exp, ulp: 2 },
  { of: log, x: powers(-126, 127), exact: Math.log, ulp: 2 },
  { of: log, x: powers(-149, -126), exact: Math.log, ulp: 2 },
  { of: log, x: between(0.5, 2), exact: Math.log, ulp: 2 },
  { of: tanh, x: between(-10, 10), exact: Math.tanh, ulp: 3 },
  { of: tanh, x: powers(-126, 3), exact: Math.tanh, ulp: 3 },
  { of: erf, x: between(-4.2, 4.2), exact: erfExact, ulp: 3 },
  { of: erf, x: powers(-120, 2), exact: erfExact, ulp: 3 },
  { of: sigmoid, x: between(-87, 87), exact: (x) => 1 / (1 + Math.exp(-x)), ulp: 4 },
];

describe.each(runs.filter(({ name }) => name.startsWith("wasm")))("$name", ({ run }) => {
  const values = (of: Function, x: Float32Array) => run(apply, { of, count: x.length }, [x, unwritten(x.length)])[1]!;

  test.each(sweeps.map((sweep, i) => ({ i, name: sweep.of.name, ...sweep })))(
    "$name, sweep $i: at most $ulp ulp",
    ({ of, x, exact, ulp }) => {
      const y = values(of, x);
      let worst = { ulp: 0, x: 0 };
      x.forEach((at, i) => {
        const error = Math.abs(y[i]! - exact(at)) / unitInLastPlace(exact(at));
        if (!(error <= worst.ulp)) worst = { ulp: error, x: at };
      });
      expect(worst.ulp, `at ${worst.x}`).toBeLessThanOrEqual(ulp);
    },
  );

  test.each([sin, cos].map((of) => ({ of, name: of === sin ? "sin" : "cos" })))("$name within 1.2e-7 up to 8192", ({ of, name }) => {
    for (const x of [between(-8192, 8192), between(-8, 8), integers(-8192)]) {
      const y = values(of, x);
      const worst = x.reduce((max, at, i) => Math.max(max, Math.abs(y[i]! - Math[name as "sin" | "cos"](at))), 0);
      expect(worst).toBeLessThan(1.2e-7);
    }
  });

  test("sin and cos of a sum whose parts are exact", () => {
    const low = Math.fround(4.000_001);
    for (const name of ["sin", "cos"] as const) {
      const x = integers(0);
      const y = values((k, v) => sinCos(k, v, k.constant(low))[name], x);
      const worst = x.reduce((max, at, i) => Math.max(max, Math.abs(y[i]! - Math[name](at + low))), 0);
      expect(worst).toBeLessThan(4e-7);
    }
  });
});

describe.each(runs)("$name: special values", ({ run }) => {
  const value = (of: Function, x: number) => run(apply, { of, count: 1 }, [Float32Array.of(x), unwritten(1)])[1]![0];
  const [tiny, largest] = [2 ** -149, 3.4028234663852886e38];

  test("exp", () => {
    expect([0, -0, tiny, -tiny].map((x) => value(exp, x))).toEqual([1, 1, 1, 1]);
    expect([-88, -largest, Number.NEGATIVE_INFINITY].map((x) => value(exp, x))).toEqual([0, 0, 0]);
    const atEnd = value(exp, 88.3762626647949)!;
    expect([89, largest, Number.POSITIVE_INFINITY].map((x) => value(exp, x))).toEqual([atEnd, atEnd, atEnd]);
    expect(atEnd / Math.exp(88.3762626647949)).toBeCloseTo(1, 5);
    expect(value(exp, Number.NaN)).toBeNaN();
  });

  test("log", () => {
    expect([1, 0, -0, Number.POSITIVE_INFINITY].map((x) => value(log, x))).toEqual([
      0,
      Number.NEGATIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ]);
    for (const x of [-tiny, -1, Number.NEGATIVE_INFINITY, Number.NaN]) expect(value(log, x)).toBeNaN();
    expect(value(log, tiny)).toBe(Math.fround(Math.log(tiny)));
    expect(value(log, largest)).toBe(Math.fround(Math.log(largest)));
  });

  test.each([
    ["tanh", tanh],
    ["erf", erf],
  ] as const)("%s", (_, of) => {
    expect([0, -0].map((x) => value(of, x))).toEqual([0, -0]);
    const limits = [-largest, largest, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 20];
    expect(limits.map((x) => value(of, x))).toEqual([-1, 1, -1, 1, 1]);
    expect(value(of, Number.NaN)).toBeNaN();
  });

  test("sigmoid", () => {
    expect([0, 100, Number.POSITIVE_INFINITY].map((x) => value(sigmoid, x))).toEqual([0.5, 1, 1]);
    for (const x of [-100, -largest, Number.NEGATIVE_INFINITY]) expect(value(sigmoid, x)).toBeLessThan(1e-38);
    expect(value(sigmoid, Number.NaN)).toBeNaN();
  });

  test("sin and cos", () => {
    expect([value(sin, 0), value(cos, 0), value(cos, -0)]).toEqual([0, 1, 1]);
    for (const x of [Number.NaN, Number.POSITIVE_INFINITY]) expect([value(sin, x), value(cos, x)]).toEqual([Number.NaN, Number.NaN]);
  });
});

function between(from: number, to: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));
}

/** Positive, spread evenly over the exponents. */
function powers(from: number, to: number): Float32Array {
  const jitter = random(count);
  return Float32Array.from({ length: count }, (_, i) => 2 ** (from + ((to - from) * i) / count) * (1 + Math.abs(jitter[i]!) / 100));
}

function integers(from: number): Float32Array {
  return Float32Array.from({ length: 8192 }, (_, i) => from + i);
}

/** Distance of neighbouring float32 numbers there. */
function unitInLastPlace(x: number): number {
  return 2 ** Math.max(-149, Math.floor(Math.log2(Math.abs(x))) - 23);
}

/** Abramowitz & Stegun 7.1.6; all terms have one sign. */
function erfExact(x: number): number {
  let [term, sum] = [1, 1];
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return ((2 * x) / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
