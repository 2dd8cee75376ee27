import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { Backend } from "../backend/index.ts";
import { openCpuBackend } from "../host/index.ts";
import { llamaConfig } from "../model/index.ts";
import { type EncodedText, encodeText } from "./encoded-text.ts";
import { fittingSteps, Lab, type Sweep } from "./lab.ts";
import { madeUpText, tinyContext } from "./made-up.test.helper.ts";
import { hasLearnt } from "./outcomes.ts";
import type { StudyContext } from "./study.ts";
import type { Trial } from "./trial.ts";

let backend: Backend;
let text: EncodedText;
beforeAll(async () => {
  backend = await openCpuBackend({ threads: 1 }); // two would wait for each other where other tests run beside
  text = await encodeText(tinyContext(backend), 300, 100);
});
afterAll(() => backend.dispose());

const config = llamaConfig({ vocabSize: 300, dim: 16, nLayers: 1, nHeads: 2, hiddenDim: 32, contextLength: 16 });
const trial = (learningRate: number): Trial => ({
  variant: { name: "tiny", config, size: { batch: 4, length: 16 }, text },
  learningRate,
  warmupShare: 0.1,
});
const sweep = (more: Partial<Sweep<never>> = {}): Sweep<never> => ({
  ...{ trials: [trial(1e-2)], seeds: [1], seconds: 60, leastSteps: 6, mostSteps: 6, heldOutTokens: 500 },
  ...more,
});

function run(asked: Sweep<never>, more: Partial<StudyContext> = {}) {
  using lab = new Lab(tinyContext(backend, { steps: undefined, ...more }));
  return lab.run(asked);
}

test("a seed gives the same losses whatever ran before it; another seed gives others", async () => {
  const alone = await run(sweep({ seeds: [2] }));
  const after = await run(sweep({ seeds: [1, 2], seconds: 60, mostSteps: 6 }));
  expect(after[1]!.losses).toEqual(alone[0]!.losses);
  expect(after[1]!.heldOut).toEqual(alone[0]!.heldOut);
  expect(after[0]!.losses).not.toEqual(alone[0]!.losses);
});

test("it learns, and knows when nothing was learnt", async () => {
  const short = await run(sweep({ leastSteps: 1, mostSteps: 1 }));
  const long = await run(sweep({ leastSteps: 200, mostSteps: 200 }));
  expect(long[0]!.losses).toHaveLength(200);
  expect(long[0]!.heldOut!.loss).toBeLessThan(short[0]!.heldOut!.loss - 0.5);
  expect(hasLearnt(short)).toBe(false);
});

test("a loss that leaves the numbers ends the run, and the next one begins anew", async () => {
  const broken = { ...trial(1e30), variant: { ...trial(1).variant, clipNorm: Number.POSITIVE_INFINITY } };
  const outcomes = await run(sweep({ trials: [broken, { ...broken, learningRate: 1e-2 }], leastSteps: 30, mostSteps: 30 }));
  expect(outcomes[0]!.heldOut).toBeUndefined();
  expect(outcomes[1]!.heldOut!.loss).toBeLessThan(6);
});

test("stopped, it keeps the runs that are done", async () => {
  const controller = new AbortController();
  const progress = ({ done }: { done: number }) => {
    if (done === 9) controller.abort();
  };
  const outcomes = await run(sweep({ seeds: [1, 2, 3], seconds: 60, mostSteps: 6 }), { signal: controller.signal, progress });
  expect(outcomes.map(({ seed }) => seed)).toEqual([1]);
});

test("stopped while the next model is compiled, it keeps the runs of those before", async () => {
  const controller = new AbortController();
  const later = { ...trial(1e-2), variant: { ...trial(1e-2).variant, name: "later" } };
  const original = backend.compile.bind(backend);
  const compile = vi.spyOn(backend, "compile").mockImplementation((...given) => {
    if (compile.mock.calls.length === 3) controller.abort(); // The first model's step and its evaluation are compiled then.
    return original(...given);
  });
  const outcomes = await run(sweep({ trials: [trial(1e-2), later] }), { steps: 6, signal: controller.signal });
  expect(outcomes.map((outcome) => outcome.trial.variant.name)).toEqual(["tiny"]);
  expect(compile).toHaveBeenCalledTimes(3);
  compile.mockRestore();
});

test("as many steps as fit for all seeds, or the least where these fit for some; none where they fit for no seed", async () => {
  const sizes = { round: 0.1, least: 30, most: 500 };
  expect(fittingSteps({ ...sizes, left: 60.01, seeds: 3 })).toBe(200);
  expect(fittingSteps({ ...sizes, left: 6000, seeds: 3 })).toBe(500);
  expect(fittingSteps({ ...sizes, left: 4, seeds: 3 })).toBe(30);
  expect(fittingSteps({ ...sizes, left: 2.9, seeds: 3 })).toBeUndefined();
  await expect(run(sweep({ seconds: 0 }))).rejects.toThrow(
    /the time leaves 0 s, but 1 runs of 6 steps, the fewest that say something, take \d+ s here: give it more time/,
  );
});

test("a text that is too short, or has nothing to hold out, is refused", async () => {
  const encode = (documents: number, least: number) => encodeText(tinyContext(backend, { text: madeUpText(documents) }), 300, least);
  await expect(encode(1, 100)).rejects.toThrow(
    /^\[study\] the text has \d+ characters, but a study needs at least 20000: give it more text/,
  );
  await expect(encode(20, 1e6)).rejects.toThrow(/the training part of the text has \d+ tokens, but the study needs at least 1000000/);
});
