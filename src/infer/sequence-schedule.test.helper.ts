// Random schedules on a real model whose pool is too small: sequences that run together, fork, are cut, saved, restored and given up, each held against
// its text alone.
import { expect } from "vitest";
import type { Backend } from "../backend/index.ts";
import { fail, quantise, Rng, type StateDType } from "../base/index.ts";
import { initialise, llamaConfig, type ParameterRow, parameterRows, type WeightSource } from "../model/index.ts";
import { type Sequence, SequenceModel } from "./index.ts";

/** What differs between two schedules beside their seeds. */
export interface Schedule {
  /** How matrices lie: those of q8_0 are multiplied as bytes, in steps of several nodes. */
  readonly matrices: "f32" | "q8_0";
  readonly cacheType: StateDType;
  /** A window that is no multiple of a page's keys. */
  readonly slidingWindow?: number;
}

const shape = { vocabSize: 61, dim: 64, nLayers: 2, nHeads: 2, nKvHeads: 1, hiddenDim: 96, contextLength: 256 };
const parameters = new Map(
  [...initialise(parameterRows(llamaConfig(shape)), 5)].map(([name, values]) => [name, values.map((value) => value * 4)]),
);
const valuesOf = ({ name }: Pick<ParameterRow, "name">) => parameters.get(name) ?? fail("test", `no parameter ${name}`);
const floats: WeightSource = { read: async (row) => valuesOf(row) };
const blocks: WeightSource = {
  ...floats,
  stored: (row) =>
    row.shape.length < 2
      ? undefined
      : {
          dtype: "q8_0",
          bytes: async function* () {
            yield quantise("q8_0", Float64Array.from(valuesOf(row)));
          },
        },
};

interface Known {
  readonly sequence: Sequence;
  readonly ids: number[];
  /** The logits behind `ids`, where the last thing that was done was to read on. */
  logits: Float32Array | undefined;
  isBusy: boolean;
}

/** @returns how many rows were computed beside those of the texts, so that a test can see that sequences paused */
export async function fuzzModel(
  backend: Backend,
  { matrices, cacheType, slidingWindow }: Schedule,
  seed: number,
  operations: number,
): Promise<number> {
  const rng = new Rng(seed);
  const config = llamaConfig({ ...shape, ...(slidingWindow !== undefined && { slidingWindow }) });
  const open = (pages: number) => SequenceModel.open(backend, config, matrices === "q8_0" ? blocks : floats, { cacheType, pages });
  await using model = await open(4 + rng.below(3));
  await using judge = await open(16);
  let all: Known[] = [];
  const saved: { readonly bytes: Uint8Array; readonly ids: readonly number[] }[] = [];
  const running: Promise<void>[] = [];
  const idle = () => all.filter(({ isBusy }) => !isBusy);
  const pick = () => idle()[rng.below(Math.max(1, idle().length))];
  const busily = async (known: Known, work: () => Promise<void>) => {
    known.isBusy = true;
    await work();
    known.isBusy = false;
  };
  const add = (sequence: Sequence, ids: readonly number[] = []) => {
    all.push({ sequence, ids: [...ids], logits: undefined, isBusy: false });
  };
  let asked = 0;
  const steps: ((known: Known) => Promise<void> | void)[] = [
    ...Array<(known: Known) => Promise<void>>(4).fill((known) =>
      busily(known, async () => {
        const ids = randomIds(rng, config.contextLength - known.ids.length, config.vocabSize);
        if (ids.length === 0) return;
        asked += ids.length;
        known.logits = await known.sequence.next(ids);
        known.ids.push(...ids);
      }),
    ),
    ({ sequence, ids }) => add(sequence.fork(), ids),
    (known) => {
      known.ids.length = rng.below(known.ids.length + 1);
      known.logits = undefined;
      known.sequence.truncate(known.ids.length);
    },
    (known) =>
      busily(known, async () => {
        saved.push({ bytes: await known.sequence.save(), ids: [...known.ids] });
      }),
    async () => {
      const one = saved[rng.below(Math.max(1, saved.length))];
      if (one !== undefined) add((await model.restore(one.bytes)).sequence, one.ids);
    },
    (known) => {
      known.sequence.dispose();
      all = all.filter((other) => other !== known);
    },
    () => {
      model.mixedRows = 1 + rng.below(512);
    },
  ];
  for (let i = 0; i < operations; i++) {
    if (all.length < 2 || rng.below(5) === 0) add(model.sequence());
    const known = pick();
    if (known !== undefined) running.push(Promise.resolve(steps[rng.below(steps.length)]?.(known)));
    if (rng.below(3) === 0) await Promise.race([...running, undefined]);
    else if (rng.below(4) === 0) await Promise.all(running);
  }
  await Promise.all(running);
  for (const { sequence, ids, logits } of all) {
    expect(sequence.ids).toEqual(ids);
    if (ids.length === config.contextLength || ids.length === 0) continue;
    using alone = judge.sequence({ cacheSalt: String(rng.below(2 ** 30)) });
    const expected = await alone.next(ids);
    if (logits !== undefined) expect(logits).toEqual(expected);
    expect(await sequence.next([7])).toEqual(await alone.next([7]));
  }
  const { rows } = model.counts;
  for (const { sequence } of all) sequence.dispose();
  expect(model.counts.heldPages).toBe(0);
  return rows - asked;
}

/** Texts that begin alike, mostly short, some longer than a page. */
function randomIds(rng: Rng, most: number, vocabSize: number): number[] {
  const length = Math.min(most, rng.below(3) === 0 ? 20 + rng.below(120) : 1 + rng.below(4));
  const first = rng.below(2);
  return Array.from({ length }, (_, i) => (rng.below(50) === 0 ? rng.below(vocabSize) : (first + i * 3) % vocabSize));
}
