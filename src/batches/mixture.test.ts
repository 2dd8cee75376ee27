import { expect, test } from "vitest";
import { CriaError, Rng } from "../base/index.ts";
import { heldOutBatches } from "./held-out.ts";
import { memoryTokens } from "./memory-tokens.ts";
import { Mixture, type MixtureSource } from "./mixture.ts";
import { permutation } from "./permutation.ts";

/** Tokens that count up from `base`, so that a token says where it stood. */
function counting(name: string, weight: number, base: number, length: number): MixtureSource {
  return { name, weight, tokens: memoryTokens(Int32Array.from({ length }, (_, i) => base + i)) };
}

const three = () => [counting("a", 6, 0, 103), counting("b", 3, 1000, 29), counting("c", 1, 2000, 8)];
const options = { batch: 3, length: 7, seed: 11 };

test("a permutation visits every number once, whatever the size, and depends on its keys", () => {
  for (const size of [1, 2, 3, 4, 5, 7, 16, 17, 63, 64, 65, 1000, 4097]) {
    const order = permutation(size, new Rng(size));
    const images = Array.from({ length: size }, (_, i) => order(i));
    expect([...images].sort((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, i) => i));
  }
  const [one, two] = [permutation(1000, new Rng(1)), permutation(1000, new Rng(2))];
  expect(Array.from({ length: 1000 }, (_, i) => one(i) === two(i)).filter(Boolean).length).toBeLessThan(10);
  const huge = permutation(2 ** 47 + 1, new Rng(3));
  expect(new Set(Array.from({ length: 1000 }, (_, i) => huge(i))).size).toBe(1000);
});

test("windows are whole and targets are the next token", async () => {
  const mixture = new Mixture(three(), options);
  for (let step = 0; step < 50; step++) {
    const { tokens, targets } = await mixture.next();
    expect([tokens.length, targets.length]).toEqual([21, 21]);
    expect(targets.every((target, i) => target === tokens[i]! + 1)).toBe(true);
    for (let row = 0; row < 3; row++) expect(tokens[row * 7 + 6]! - tokens[row * 7]!).toBe(6);
  }
});

test("with a document mask positions begin anew with each document, and no token predicts the next document's first", async () => {
  const begins = [0, 5, 6, 20, 41, 41, 60];
  const startsWithin = async (first: number, count: number) => begins.filter((start) => start >= first && start < first + count);
  const values = Array.from({ length: 78 }, (_, i) => i); // a token says where it stands
  const source = { name: "a", weight: 1, tokens: { ...memoryTokens(Int32Array.from(values)), startsWithin } };
  const [apart, together] = [true, false].map((documentMask) => new Mixture([source], { ...options, batch: 11, documentMask }));
  for (let epoch = 0; epoch < 3; epoch++) {
    const { tokens, targets, documents } = await apart!.next();
    expect(tokens).toEqual((await together!.next()).tokens);
    tokens.forEach((token, at) => {
      const place = at % options.length;
      const begin = Math.max(token - place, begins.findLast((start) => start <= token)!);
      expect(documents!.positions[at]).toBe(token - begin);
      expect(documents!.firstKeys[at]).toBe(place - (token - begin));
      expect(targets[at]).toBe(begins.includes(token + 1) ? -1 : token + 1);
    });
  }
  const unknown = new Mixture([counting("b", 1, 0, 50)], { ...options, documentMask: true });
  await expect(unknown.next()).rejects.toThrow('[data] source "b" does not say where its documents begin: train without documentMask');
});

test("in an epoch every window comes once; the next epoch has another order", async () => {
  const mixture = new Mixture([counting("a", 1, 0, 703)], { ...options, batch: 100 });
  const first = async () => Array.from((await mixture.next()).tokens).filter((_, i) => i % 7 === 0);
  const epochs = [await first(), await first(), await first()];
  for (const starts of epochs) {
    const sorted = [...starts].sort((a, b) => a - b);
    expect(sorted).toEqual(Array.from({ length: 100 }, (_, i) => sorted[0]! + 7 * i));
    expect(sorted[0]).toBeLessThanOrEqual(2); // 703 - 1 - 700 tokens beyond whole windows
  }
  expect(epochs[0]).not.toEqual(epochs[1]);
  expect(mixture.progress).toEqual([{ name: "a", share: 1, tokensSeen: 2100, epochs: 3 }]);
});

test("proportions are kept to within one window at every step, and epochs are counted", async () => {
  const mixture = new Mixture(three(), { ...options, batch: 1 });
  for (let step = 1; step <= 400; step++) {
    await mixture.next();
    for (const { share, tokensSeen } of mixture.progress) expect(Math.abs(tokensSeen / 7 - share * step)).toBeLessThanOrEqual(1);
  }
  expect(mixture.progress.map(({ share }) => share)).toEqual([0.6, 0.3, 0.1]);
  expect(mixture.progress.map(({ epochs }) => epochs)).toEqual([240 / 14, 120 / 4, 40]);
});

test("resumed after any step, through JSON, the batches are bit for bit those of a run that was not stopped", async () => {
  const whole = new Mixture(three(), options);
  const states = [];
  const batches = [];
  for (let step = 0; step < 40; step++) {
    states.push(JSON.stringify(whole.state));
    batches.push(await whole.next());
  }
  for (let step = 0; step < 40; step++) {
    const resumed = new Mixture(three(), options);
    if (step % 2 === 0) await resumed.next(); // where it stood before must not matter
    resumed.restore(JSON.parse(states[step]!));
    for (let later = step; later < Math.min(40, step + 12); later++) expect(await resumed.next()).toEqual(batches[later]);
  }
});

test("another seed gives other batches", async () => {
  const [one, two] = [new Mixture(three(), options), new Mixture(three(), { ...options, seed: 12 })];
  expect(await one.next()).not.toEqual(await two.next());
});

test("a saved position of other data, and bad weights and sizes, are refused by name", () => {
  const { state } = new Mixture(three(), options);
  const restore =
    (saved: unknown, sources = three(), given = options) =>
    () =>
      new Mixture(sources, given).restore(saved);
  expect(restore(state, three(), { ...options, seed: 12 })).toThrow(/seed and window length changed since the position was saved/);
  expect(restore(state, three().slice(1))).toThrow(/sources changed/);
  expect(restore(state, [...three().slice(0, 2), counting("c", 2, 0, 8)])).toThrow(/sources changed/);
  expect(restore({ ...state, sources: "x" })).toThrow(/saved data position: sources is "x"/);
  for (const saved of [undefined, null, 7, {}, { ...state, extra: 1 }]) expect(restore(saved)).toThrow(CriaError);
  expect(() => new Mixture([counting("tiny", 1, 0, 7)], options)).toThrow(/source "tiny" has 7 tokens but one window takes 8/);
  for (const weight of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => new Mixture([counting("w", weight, 0, 99)], options)).toThrow(/source "w" has weight/);
  expect(() => new Mixture([], options)).toThrow(/no source/);
  expect(() => new Mixture(three(), { ...options, batch: 0 })).toThrow(/batch is 0/);
});

test.each([0, 1, 2, 21, 22, 23, 43, 100])(
  "held out: of %i tokens each but the first is a target exactly once, in order",
  async (length) => {
    const seen: number[] = [];
    for await (const { tokens, targets, count } of heldOutBatches(counting("h", 1, 0, length).tokens, options)) {
      expect([tokens.length, targets.length]).toEqual([21, 21]);
      expect(targets.filter((target) => target >= 0).length).toBe(count);
      targets.forEach((target, i) => void (target >= 0 && expect(tokens[i]).toBe(target - 1)));
      seen.push(...targets.filter((target) => target >= 0));
    }
    expect(seen).toEqual(Array.from({ length: Math.max(0, length - 1) }, (_, i) => i + 1));
  },
);
