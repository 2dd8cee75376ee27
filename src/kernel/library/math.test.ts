// Holds the errors that math.ts states, over sweeps of its functions' ranges, against float64.
import { describe, expect, test } from "vitest";
import { type Builder, kernel, type Vec } from "../language.ts";
import { compiledRuns, ints, random, runs, unwritten } from "../testing.test.helper.ts";
import { erf, exp, exp2OfNegative, log, sigmoid, sinCosOfTurn, tanh } from "./math.ts";

type Function = (k: Builder, x: Vec) => Vec;

const apply = kernel<{ of: Function; count: number }>("apply", (k, { of, count }) => {
  const { x, y } = k.pointers("x", "y");
  return { units: k.flat(count, k.range(), (at) => k.store(of(k, k.load(x, at)), y, at)) };
});

const count = 100_000;
const sin: Function = (k, turn) => sinCosOfTurn(k, turn).sin;
const cos: Function = (k, turn) => sinCosOfTurn(k, turn).cos;

/** `ulp` is a little more than the largest error over all float32 numbers of the range, on any target. */
const sweeps: readonly { of: Function; x: Float32Array; exact: (x: number) => number; ulp: number }[] = [
  { of: exp, x: between(-87.3365, 88.7228), exact: Math.exp, ulp: 1.1 },
  { of: exp, x: between(-1, 1), exact: Math.exp, ulp: 1.1 },
  { of: exp2OfNegative, x: between(-126, 0), exact: (x) => 2 ** x, ulp: 2.3 },
  { of: exp2OfNegative, x: between(-2, 0), exact: (x) => 2 ** x, ulp: 2.3 },
  { of: log, x: powers(-126, 127), exact: Math.log, ulp: 0.9 },
  { of: log, x: powers(-149, -126), exact: Math.log, ulp: 0.9 },
  { of: log, x: between(0.5, 2), exact: Math.log, ulp: 0.9 },
  { of: tanh, x: between(-10, 10), exact: Math.tanh, ulp: 1.3 },
  { of: tanh, x: powers(-126, 3), exact: Math.tanh, ulp: 1.3 },
  { of: erf, x: between(-4.2, 4.2), exact: erfExact, ulp: 1.3 },
  { of: erf, x: powers(-120, 2), exact: erfExact, ulp: 1.3 },
  { of: sigmoid, x: between(-87.3, 87), exact: (x) => 1 / (1 + Math.exp(-x)), ulp: 1.9 },
  { of: sigmoid, x: between(-20, 20), exact: (x) => 1 / (1 + Math.exp(-x)), ulp: 1.9 },
];

const wants = sweeps.map(({ x, exact }) => Float64Array.from(x, exact));

describe.each(compiledRuns)("$name", ({ run }) => {
  const values = (of: Function, x: Float32Array) => run(apply, { of, count: x.length }, [x, unwritten(x.length)])[1]!;

  test.each(sweeps.map((sweep, i) => ({ i, name: sweep.of.name, want: wants[i]!, ...sweep })))(
    "$name, sweep $i: at most $ulp ulp",
    ({ of, x, want, ulp }) => {
      const y = values(of, x);
      let worst = { ulp: 0, x: 0 };
      x.forEach((at, i) => {
        const error = ulps(y[i]!, want[i]!);
        if (!(error <= worst.ulp)) worst = { ulp: error, x: at };
      });
      expect(worst.ulp, `at ${worst.x}`).toBeLessThanOrEqual(ulp);
    },
  );

  test.each(["sin", "cos"] as const)("%s of turns: at most 1.9 ulp", (name) => {
    const turns = ints([...everywhere(), ...nearQuarters()]);
    const y = values(name === "sin" ? sin : cos, turns);
    const worst = new Int32Array(turns.buffer).reduce((max, turn, i) => Math.max(max, ulps(y[i]!, exactOfTurn(name, turn))), 0);
    expect(worst).toBeLessThanOrEqual(1.9);
  });
});

describe.each(runs)("$name: special values", ({ run }) => {
  const value = (of: Function, x: number) => run(apply, { of, count: 1 }, [Float32Array.of(x), unwritten(1)])[1]![0];
  const [tiny, largest] = [2 ** -149, 3.4028234663852886e38];

  test("exp", () => {
    expect([0, -0, tiny, -tiny].map((x) => value(exp, x))).toEqual([1, 1, 1, 1]);
    expect([-87.34, -largest, Number.NEGATIVE_INFINITY].map((x) => value(exp, x))).toEqual([0, 0, 0]);
    expect([88.7229, largest, Number.POSITIVE_INFINITY].map((x) => value(exp, x))).toEqual(Array(3).fill(Number.POSITIVE_INFINITY));
    const ends = [-87.33654, 88.72283].map(Math.fround);
    for (const x of ends) expect(value(exp, x)! / Math.exp(x)).toBeCloseTo(1, 6);
    expect(value(exp, Number.NaN)).toBeNaN();
  });

  test("exp2 of what is not positive", () => {
    expect([0, -0, -tiny, -1, -126].map((x) => value(exp2OfNegative, x))).toEqual([1, 1, 1, 0.5, 2 ** -126]);
    expect([-126.5, -largest, Number.NEGATIVE_INFINITY].map((x) => value(exp2OfNegative, x))).toEqual(Array(3).fill(2 ** -126));
    expect(value(exp2OfNegative, Number.NaN)).toBeNaN();
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

  test("sin and cos of quarters of a turn", () => {
    const turns = [0, 2 ** 30, -(2 ** 31), -(2 ** 30)];
    const of = (f: Function) => turns.map((turn) => run(apply, { of: f, count: 1 }, [ints([turn]), unwritten(1)])[1]![0]! + 0);
    expect(of(sin)).toEqual([0, 1, 0, -1]);
    expect(of(cos)).toEqual([1, 0, -1, 0]);
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

function* everywhere(): Generator<number> {
  for (let i = 0; i < count; i++) yield Math.floor((i / count) * 2 ** 32);
}

/** Where sine or cosine come close to zero. */
function* nearQuarters(): Generator<number> {
  for (let quarter = 0; quarter < 4; quarter++) for (let i = -2000; i <= 2000; i++) yield quarter * 2 ** 30 + i;
}

/** Reduced in integers, as π has no exact float64. */
function exactOfTurn(name: "sin" | "cos", turn: number): number {
  const quarters = Math.round(turn / 2 ** 30);
  const angle = ((turn - quarters * 2 ** 30) * 2 * Math.PI) / 2 ** 32;
  const quarter = (quarters + (name === "cos" ? 1 : 0)) & 3;
  const value = quarter % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
  return quarter < 2 ? value : -value;
}

/** Error in distances of neighbouring float32 numbers there. */
function ulps(have: number, exact: number): number {
  const unit = 2 ** Math.max(-149, Math.floor(Math.log2(Math.abs(exact))) - 23);
  return Math.abs(have - exact) / unit;
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
