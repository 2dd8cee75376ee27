// Random calls on many sequences at once, held against what the fake model says of each text alone.
import { expect } from "vitest";
import { Rng } from "../base/index.ts";
import { pageKeys } from "../graph/index.ts";
import { FakeRunner, fakeLogits, fakeState, fakeVocabSize } from "./fake-runner.test.helper.ts";
import { passLimits } from "./programs.ts";
import type { PassLimits } from "./scheduler.ts";
import type { Sequence } from "./sequence.ts";
import { type QueueSizes, SequenceQueue } from "./sequence-queue.ts";

/** RoPE's table is the same for every run. */
const untouched: QueueSizes["ropeLengthOf"] = () => 0;

export function fakeQueue(pages: number, { contextLength = pages * pageKeys, limits = passLimits, ropeLengthOf = untouched } = {}) {
  const runner = new FakeRunner(pages);
  const queue = new SequenceQueue(runner, { vocabSize: fakeVocabSize, nLayers: 2, contextLength, pages, ropeLengthOf }, limits, runner);
  return { runner, queue };
}

/** A sequence and what it should hold. */
interface Known {
  readonly sequence: Sequence;
  readonly ids: number[];
  readonly ropeLengths: number[];
  busy: boolean;
}

export async function fuzzQueue(seed: number, operations: number): Promise<void> {
  const rng = new Rng(seed);
  const limits: PassLimits = {
    rows: 16 + rng.below(100),
    mixedRows: 4 + rng.below(12),
    sequences: 1 + rng.below(4),
    results: 4 + rng.below(8),
  };
  const pages = 1 + rng.below(8);
  const ropeLengthOf = rng.below(3) === 0 ? (longestPosition: number) => Math.max(longestPosition + 1, 50) : () => 0;
  const { runner, queue } = fakeQueue(pages, { limits, ropeLengthOf });
  let failing = false;
  runner.before = async ({ tokens }) => {
    for (let left = rng.below(200); left > 0; left--) await undefined;
    if (failing && tokens.length % 3 === 0) throw new Error("a pass failed");
  };
  let all: Known[] = [];
  const idle = () => all.filter(({ busy }) => !busy);
  const running: Promise<void>[] = [];

  const run = async (items: Known[]) => {
    const abort = new AbortController();
    const plans = items
      .map((known) => ({ known, ids: randomIds(rng, queue.contextLength - known.ids.length) }))
      .filter(({ ids }) => ids.length > 0);
    const logits = (["none", "last", "all"] as const)[rng.below(3)]!;
    const rows = rng.below(2) === 0 ? "last" : "all";
    const layer = rng.below(3);
    for (const { known } of plans) known.busy = true;
    if (rng.below(8) === 0) void Promise.resolve().then(() => abort.abort(new Error("enough")));
    try {
      const given = plans.map(({ known: { sequence }, ids }) => ({ sequence, ids, logits, hidden: { output: layer, rows } }) as const);
      const results = await queue.run(given, abort.signal);
      for (const [i, { known, ids }] of plans.entries()) {
        const start = known.ids.length;
        known.ids.push(...ids);
        known.ropeLengths.push(...ids.map(() => ropeLengthOf(known.ids.length - 1)));
        const { logits: found, hidden, computedRows, cachedRows } = results[i]!;
        expect(cachedRows).toBeGreaterThanOrEqual(0);
        expect(computedRows + cachedRows).toBeGreaterThanOrEqual(ids.length); // more where rows were computed again
        expect(cachedRows).toBeLessThanOrEqual(ids.length);
        const states = ids.map((_, at) => known.ids.slice(0, start + at + 1));
        const wanted =
          logits === "all"
            ? states.map((text) => fakeLogits(text, known.ropeLengths))
            : logits === "last"
              ? fakeLogits(known.ids, known.ropeLengths)
              : undefined;
        expect(found).toEqual(wanted);
        const hiddenOf = (text: number[]) => Float32Array.of(layer, fakeState(text, known.ropeLengths) % 4096);
        expect(hidden).toEqual(rows === "all" ? states.map(hiddenOf) : hiddenOf(known.ids));
      }
    } catch (error) {
      if (!/^(enough|a pass failed|\[infer\] the sequence was disposed of while it was run: .*)$/.test((error as Error).message))
        throw error;
    }
    for (const { known } of plans) known.busy = false;
  };
  /** Sequences that were saved, and what they should hold. */
  const saved: (Pick<Known, "ids" | "ropeLengths"> & { readonly bytes: Uint8Array })[] = [];
  const save = async ({ sequence, ids, ropeLengths }: Known) => {
    const known = { ids: [...ids], ropeLengths: [...ropeLengths] };
    saved.push({ ...known, bytes: await sequence.save(known.ids.length) });
  };
  const restore = async ({ bytes, ids, ropeLengths }: (typeof saved)[number]) => {
    const { sequence, note, restoredTokens } = await queue.restore(bytes, { cacheSalt: ["a", "b"][rng.below(3)] });
    expect([note, sequence.ids]).toEqual([ids.length, ids]);
    expect(restoredTokens).toBeLessThanOrEqual(ids.length);
    all.push({ sequence, ids: [...ids], ropeLengths: [...ropeLengths], busy: false });
  };
  const pick = () => (idle().length === 0 ? undefined : idle()[rng.below(idle().length)]);
  const steps: (() => void)[] = [
    () => void running.push(run(idle().slice(0, 1))),
    () => void running.push(run(idle().slice(0, 1 + rng.below(4)))),
    () => void running.push(run(idle().slice(-1))),
    () => {
      const known = pick();
      if (known) all.push({ sequence: known.sequence.fork(), ids: [...known.ids], ropeLengths: [...known.ropeLengths], busy: false });
    },
    () => {
      const known = pick();
      if (known === undefined) return;
      known.ids.length = known.ropeLengths.length = rng.below(known.ids.length + 1);
      known.sequence.truncate(known.ids.length);
    },
    () => {
      const known = pick();
      known?.sequence.dispose();
      all = all.filter((other) => other !== known);
    },
    () => {
      const known = all.find(({ busy }) => busy);
      if (known === undefined || rng.below(3) > 0) return;
      known.sequence.dispose();
      all = all.filter((other) => other !== known);
    },
    () => {
      failing = rng.below(4) === 0;
    },
    () => {
      const known = pick();
      if (known) running.push(save(known));
    },
    () => {
      if (saved.length > 0) running.push(restore(saved[rng.below(saved.length)]!));
    },
    () => {
      queue.mixedRows = 1 + rng.below(limits.rows);
    },
  ];
  for (let i = 0; i < operations; i++) {
    if (rng.below(4) === 0)
      all.push({ sequence: queue.sequence({ cacheSalt: ["a", "b"][rng.below(3)] }), ids: [], ropeLengths: [], busy: false });
    steps[rng.below(steps.length)]!();
    for (let left = rng.below(600); left > 0; left--) await undefined;
    for (const { sequence, ids, busy } of all) if (!busy) expect(sequence.ids).toEqual(ids);
  }
  await Promise.all(running);
  for (const { tokens, pages: tables, logitRows } of runner.passes) {
    expect(tokens.length).toBeLessThanOrEqual(limits.rows);
    expect(tables.length).toBeLessThanOrEqual(limits.sequences);
    expect(logitRows.length).toBeLessThanOrEqual(limits.results);
  }
  for (const { sequence } of all) sequence.dispose();
  expect(queue.counts.heldPages).toBe(0);
  await queue.dispose();
  expect(runner.disposed).toBe(true);
}

/** Texts that begin alike, of up to `most` tokens. */
function randomIds(rng: Rng, most: number): number[] {
  const id = rng.below(2);
  return Array.from({ length: Math.min(most, rng.below(3) === 0 ? rng.below(150) : 1 + rng.below(3)) }, () =>
    rng.below(60) === 0 ? rng.below(fakeVocabSize) : id,
  );
}
