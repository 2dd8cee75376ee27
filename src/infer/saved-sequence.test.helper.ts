// A sequence saved on one model and restored on another one, held against the one that goes on.
import { expect } from "vitest";
import type { Backend } from "../backend/index.ts";
import { fail, type StateDType } from "../base/index.ts";
import { initialise, llamaConfig, parameterRows, type WeightSource } from "../model/index.ts";
import { generateTokens, SequenceModel, type SequenceModelOptions } from "./index.ts";

export const idsOf = (length: number, seed = 0) => Array.from({ length }, (_, i) => (i * i * 7 + (3 + seed) * i + seed) % 11);

/** Heads of 32 channels, so that keys of every layout fit. */
export const config = llamaConfig({ vocabSize: 61, dim: 64, nLayers: 2, nHeads: 2, nKvHeads: 1, hiddenDim: 96, contextLength: 320 });
export const parameters = new Map(
  [...initialise(parameterRows(config), 5)].map(([name, values]) => [name, values.map((value) => value * 4)]),
);
export const weights: WeightSource = { read: async ({ name }) => parameters.get(name) ?? fail("test", `no parameter ${name}`) };

async function greedy(model: SequenceModel, prompt: readonly number[], maxTokens: number): Promise<number[]> {
  const ids: number[] = [];
  for await (const { id } of generateTokens(model, prompt, { temperature: 0, maxTokens })) ids.push(id);
  return ids;
}

/** Saves a text, restores it, and writes so many tokens by both. */
export async function checkRestored(backend: Backend, cacheType: StateDType, tokens: number): Promise<void> {
  const open = (options: SequenceModelOptions = {}) => SequenceModel.open(backend, config, weights, { cacheType, ...options });
  const prompt = idsOf(90, 2);
  await using model = await open();
  using whole = model.sequence();
  let [unbroken] = await whole.nextAll(prompt).then((rows) => rows.slice(-1));
  const bytes = await whole.save();
  await using other = await open({ pages: 6 });
  await other.sequence().next(idsOf(130, 9)); // other pages, with keys of another text in them
  const { sequence, restoredTokens } = await other.restore(bytes);
  expect(restoredTokens).toBe(90);
  for (let step = 0; step < tokens; step++) {
    const id = unbroken!.indexOf(Math.max(...unbroken!));
    const [kept, restored] = [await whole.next([id]), await sequence.next([id])];
    expect(restored).toEqual(kept);
    unbroken = kept;
  }
  expect(await sequence.save()).toEqual(await whole.save());
  expect(await greedy(other, whole.ids, 5)).toEqual(await greedy(model, whole.ids, 5));
}
