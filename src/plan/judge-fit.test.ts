import { expect, test } from "vitest";
import { judgeFit } from "./judge-fit.ts";
import { laws, lossOf } from "./law.ts";

const law = { ...laws.besiroglu, E: 1.5, A: 60, B: 400 };

/** Runs of a law, of three sizes and lengths, each with its distance from the fit. */
function fittedTo(residuals: readonly number[], repeated = 0) {
  const grid = [1e4, 3e4, 1e5].flatMap((parameters) => [1e5, 4e5, 1.6e6].map((tokens) => ({ parameters, tokens })));
  const all = [...grid, ...Array.from({ length: repeated }, () => grid.at(-1)!)];
  const runs = all.map(
    (run, i) => ({ ...run, name: `run ${i}`, vocabSize: 256, data: { path: "data" }, lossOf: "training", loss: lossOf(law, run) }) as const,
  );
  const fit = { law, freedom: "all", notes: [], intervals: {}, resampled: [], residuals: runs.map((_, i) => residuals[i] ?? 0) } as const;
  return { runs, fit, unfinished: [] };
}

test("a largest run far off is said, also where it was repeated and its twins are as far off", () => {
  const near = Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? 0.002 : -0.002));
  expect(judgeFit(fittedTo([...near, 0.003])).warnings).toEqual([]);
  expect(judgeFit(fittedTo([...near, 0.05])).warnings[0]).toMatch(
    /^the largest run, run 8, misses the law by 5\.13 %, the others by 0\.2 %/,
  );
  expect(judgeFit(fittedTo([...near, 0.05, 0.05], 1)).warnings[0]).toMatch(/misses the law by 5\.13 %, the others by 0\.2 %/);
});
