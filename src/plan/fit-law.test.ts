import { expect, test } from "vitest";
import { CriaError, Rng } from "../base/index.ts";
import { fitLaw, type LawFit, laws, lossOf, predictLoss, type RunPoint, type ScalingLaw } from "./index.ts";

/** A law as small models on little text have it. */
const truth: ScalingLaw = {
  ...{ name: "made up", source: "here", E: 1.6, A: 120, B: 900, alpha: 0.36, beta: 0.4 },
  ...{ parameters: [1e5, 6.4e6], tokens: [1e6, 6.4e7] },
};

function runsOf(law: ScalingLaw, sizes: readonly number[], lengths: readonly number[], scatter = 0): RunPoint[] {
  const rng = new Rng(7);
  return sizes.flatMap((parameters) =>
    lengths.map((tokens) => ({ parameters, tokens, loss: lossOf(law, { parameters, tokens }) * Math.exp(scatter * rng.normal()) })),
  );
}

const grid = [
  [1e5, 4e5, 1.6e6, 6.4e6],
  [1e6, 4e6, 1.6e7, 6.4e7],
] as const;

function distance({ law }: LawFit, to: ScalingLaw): number {
  const keys = ["E", "A", "B", "alpha", "beta"] as const;
  return Math.max(...keys.map((key) => Math.abs(Math.log(law[key] / to[key]))));
}

test("runs that obey a law give it back, all five numbers", () => {
  const fit = fitLaw(runsOf(truth, ...grid), { resamples: 0 });
  expect(fit).toMatchObject({ freedom: "all", notes: [], intervals: {}, resampled: [] });
  expect(fit.law).toMatchObject({ parameters: truth.parameters, tokens: truth.tokens });
  expect(distance(fit, truth)).toBeLessThan(0.01);
  expect(predictLoss(fit, { parameters: 3e7, tokens: 3e8 }).low).toBeUndefined();
});

test("the published refit comes back from runs at its own sizes", () => {
  const fit = fitLaw(runsOf(laws.besiroglu, [7e7, 3e8, 1e9, 5e9], [3e9, 1e10, 5e10, 2e11]), { resamples: 0 });
  expect(distance(fit, laws.besiroglu)).toBeLessThan(0.01);
});

test("with scatter, intervals hold the truth, and a larger run is predicted within its own", () => {
  const fit = fitLaw(runsOf(truth, ...grid, 0.003), { resamples: 100 });
  for (const name of ["E", "alpha", "beta"] as const) {
    expect(fit.intervals[name]!.low).toBeLessThan(truth[name]);
    expect(fit.intervals[name]!.high).toBeGreaterThan(truth[name]);
  }
  const next = { parameters: 2.56e7, tokens: 2.56e8 };
  const { loss, low, high } = predictLoss(fit, next);
  expect(low!).toBeLessThan(lossOf(truth, next));
  expect(high!).toBeGreaterThan(lossOf(truth, next));
  expect(Math.abs(loss / lossOf(truth, next) - 1)).toBeLessThan(0.02);
  expect(fitLaw(runsOf(truth, ...grid, 0.003), { resamples: 3 })).toEqual(fitLaw(runsOf(truth, ...grid, 0.003), { resamples: 3 }));
});

test("where the loss does not level off, E is not the runs' to say: the exponents are held fixed", () => {
  const short = runsOf({ ...truth, E: 1e-9, alpha: 0.15, beta: 0.34 }, ...grid);
  const fit = fitLaw(short, { resamples: 20 });
  expect(fit).toMatchObject({ freedom: "levels", notes: [expect.stringMatching(/E near 0/)] });
  expect(fit.law.E).toBeGreaterThan(0.01);
});

test("a run gone wrong changes little", () => {
  const runs = runsOf(truth, ...grid);
  const fit = fitLaw([...runs.slice(1), { ...runs[0]!, loss: runs[0]!.loss * 1.5 }], { resamples: 0 });
  expect(distance(fit, truth)).toBeLessThan(0.1);
});

test("what few runs cannot tell is held fixed, and said", () => {
  const four = fitLaw(runsOf(truth, [1e5, 1e6], [1e6, 1e7]), { resamples: 0 });
  expect(four.freedom).toBe("levels");
  expect(four.law).toMatchObject({ alpha: laws.besiroglu.alpha, beta: laws.besiroglu.beta });
  expect(four.notes).toEqual([expect.stringMatching(/α = 0\.3478 and β = 0\.3658 .*: 4 runs where it takes 6/)]);
  const line = fitLaw(
    [1e5, 4e5, 1.6e6, 6.4e6, 2.6e7, 1e8].map((parameters) => runsOf(truth, [parameters], [20 * parameters])[0]!),
    { resamples: 20 },
  );
  expect(line.freedom).toBe("scale");
  expect(line.notes[0]).toMatch(/cannot be told apart/);
  expect(line.law.A / line.law.B).toBeCloseTo(laws.besiroglu.A / laws.besiroglu.B, 10);
  expect(Object.keys(line.intervals)).toEqual(["E", "A", "B"]);
});

test.each([
  ["no runs", []],
  ["two runs", runsOf(truth, [1e5, 1e6], [1e7])],
  ["the same run three times", [1, 2, 3].map(() => runsOf(truth, [1e5], [1e6])[0]!)],
  ["a loss that is none", [{ parameters: 1e5, tokens: 1e6, loss: Number.NaN }, ...runsOf(truth, ...grid)]],
  ["no tokens", [{ parameters: 1e5, tokens: 0, loss: 2 }]],
])("%s is refused", (_, runs) => {
  expect(() => fitLaw(runs)).toThrow(CriaError);
});
