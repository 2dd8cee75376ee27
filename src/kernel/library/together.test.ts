// Kernels that do at one go what others do one after the other: the bits are theirs.
import { describe, expect, test } from "vitest";
import { Rng } from "../../base/index.ts";
import { exampleBytes, pageTiles } from "../../graph/index.ts";
import { ints, type Run, random, runs, sameBits, unwritten } from "../testing.test.helper.ts";
import { glu } from "./activation.ts";
import { add } from "./elementwise.ts";
import { gatedLines, isGated } from "./gated-lines.ts";
import { rmsNorm } from "./norm.ts";
import { normLines } from "./norm-lines.ts";
import { pageWrite } from "./page-write.ts";
import { mergeParts, pagedAttention, partsBytes } from "./paged-attention.ts";
import { headBytes, type PoolType } from "./pages.ts";
import { isSameLine, quantisedLinesBytes, quantiseLines } from "./quantise.ts";
import { quantisedTypes, randomQuantised } from "./quantised.test.helper.ts";
import type { QuantisedType } from "./quantised-blocks.ts";
import { type AddedSizes, quantisedMatmul } from "./quantised-matmul.ts";
import { packedQuantisedBytes, packQuantised } from "./quantised-panels.ts";
import { rope } from "./rope.ts";

const room = (bytes: number) => unwritten(bytes / 4);
/** Signed and unsigned bytes, with minima, with scales of half blocks. */
const types: readonly QuantisedType[] = ["q8_0", "q4_1", "q6_K"];
const depthOf = (type: QuantisedType) => (type.endsWith("K") ? 256 : 96);

describe.each(runs)("$name", (runner) => {
  const { run, target } = runner;

  test.each(types)("a norm and its rows for %s", (type) => {
    const [rows, channels] = [5, depthOf(type)];
    const [x, gain] = [random(rows * channels, 1, 3), random(channels, 2)];
    for (const live of [undefined, 3]) {
      const some = live === undefined ? {} : { live: true as const };
      const count = live === undefined ? [] : [ints([live])];
      const sizes = { rows, channels, epsilon: 1e-5, ...some };
      const lines = () => room(quantisedLinesBytes(target, { type, m: rows, k: channels }));
      const y = run(rmsNorm, sizes, [x, gain, unwritten(x.length), ...count])[2]!;
      const alone = run(quantiseLines, { type, m: rows, k: channels, ...some }, [y, lines(), ...count])[1]!;
      const made = run(normLines, { ...sizes, types: [type, type] }, [x, gain, unwritten(x.length), lines(), lines(), ...count]);
      const end = (live ?? rows) * channels;
      expect(sameBits(made[2]!.subarray(0, end), y.subarray(0, end))).toBe(true);
      expect([3, 4].map((i) => sameBits(made[i]!, alone))).toEqual([true, true]);
    }
  });

  test.each(types)("a product with %s and the residual that it is added to, which may be the sum", (type) => {
    const sizes = { type, m: 50, n: 5, k: depthOf(type) };
    const { lines, packed } = operands(runner, sizes, 3);
    const residual = random(sizes.m * sizes.n, 4);
    const y = run(quantisedMatmul, sizes, [lines, packed, unwritten(residual.length)])[2]!;
    const wanted = run(add, { count: residual.length }, [residual, y, unwritten(residual.length)])[2]!;
    const apart = run(quantisedMatmul, { ...sizes, adds: true }, [lines, packed, unwritten(residual.length), residual])[2]!;
    expect(sameBits(apart, wanted)).toBe(true);
    expect(sameBits(run(quantisedMatmul, { ...sizes, adds: true }, [lines, packed, residual, residual])[2]!, wanted)).toBe(true);
  });

  test.each([
    ["q8_0", "q8_0", "q8_0", 5, 64],
    ["q4_0", "q4_0", "q4_1", 50, 32],
    ["q4_K", "q5_K", "q6_K", 3, 256],
  ] as const)("gate %s and up %s for down %s, %i rows of %i hidden channels", (gate, up, down, m, n) => {
    const k = depthOf(gate);
    const shape = { m, n, k, activation: "swish", beta: 1.5 } as const;
    const [one, other] = [operands(runner, { type: gate, m, n, k }, 5), operands(runner, { type: up, m, n, k }, 6)];
    const hidden = () => room(quantisedLinesBytes(target, { type: down, m, k: n }));
    for (const live of gate === "q8_0" ? [undefined, 1, m - 1] : [m - 1]) {
      const some = live === undefined ? {} : { live: true as const };
      const count = live === undefined ? [] : [ints([live])];
      const times = (type: QuantisedType, packed: Float32Array) =>
        run(quantisedMatmul, { type, m, n, k, ...some }, [one.lines, packed, unwritten(m * n), ...count])[2]!;
      const gated = run(glu, { count: m * n, activation: "swish", beta: 1.5 }, [
        times(gate, one.packed),
        times(up, other.packed),
        unwritten(m * n),
      ])[2]!;
      const wanted = run(quantiseLines, { type: down, m, k: n, ...some }, [gated, hidden(), ...count])[1]!;
      const made = run(gatedLines, { ...shape, gate, up, down, ...some }, [one.lines, one.packed, other.packed, hidden(), ...count])[3]!;
      expect(sameBits(made, wanted)).toBe(true);
    }
  });

  test.each([
    ["f32", 4, "half", 6, 1],
    ["f16", 2, "neighbours", 10, 2],
    ["q8_0", 6, "half", 32, 2],
  ] as const)("attention over pages of %s that turns and writes its rows", (type, heads, pairing, headDim, dealt) => {
    const [rows, live, kvHeads, pages, slots, pagesOfSlot] = [7, 6, 2, 20, 2, 10];
    const pool = { type, pages, slots, pagesOfSlot, kvHeads, headDim };
    const turning = { pairing, attentionFactor: 1.25 };
    const turn = { rows, headDim, ...turning, inverse: false, live: true as const };
    const rng = new Rng(7);
    const turns = ints(Array.from({ length: 2 * (pairing === "half" ? headDim / 2 : headDim) }, () => rng.below(2 ** 31)));
    // The first sequence has rows in two tiles, the second one in two parts.
    const [places, slotOf] = [
      [62, 63, 64, 511, 512, 513, 0],
      [0, 0, 0, 1, 1, 1, 0],
    ];
    const [positions, count] = [ints(places), ints([live])];
    const at = [positions, ints(slotOf), ints(Array.from({ length: slots * pagesOfSlot }, (_, i) => (7 * i + 2) % pages))] as const;
    const tiles = ints(pageTiles(slotOf, places, live));
    const [q, k, v] = [heads, kvHeads, kvHeads].map((n, i) => random(rows * n * headDim, i)) as [Float32Array, Float32Array, Float32Array];
    const [keys, values] = [1, 2].map((seed) => written(type, pages * kvHeads * headBytes(pool), seed)) as [Float32Array, Float32Array];
    const turned = (x: Float32Array, heads: number) => run(rope, { ...turn, heads }, [x, positions, turns, unwritten(x.length), count])[3]!;
    const sizes = { ...pool, rows, heads, window: 0, dealt };
    const result = () => (dealt === 1 ? unwritten(q.length) : room(partsBytes(sizes)));
    const merged = (made: Float32Array) =>
      (dealt === 1 ? made : run(mergeParts, sizes, [made, positions, unwritten(q.length), count])[2]!).subarray(0, live * heads * headDim);
    const pooled = run(pageWrite, { ...pool, rows }, [keys, values, turned(k, kvHeads), v, ...at, count]);
    const given = [turned(q, heads), pooled[0]!, pooled[1]!, ...at, tiles, result(), count];
    const wanted = merged(run(pagedAttention, sizes, given)[7]!);
    const made = run(pagedAttention, { ...sizes, turned: turning }, [q, keys, values, ...at, tiles, result(), k, v, turns, count]);
    expect([1, 2].map((i) => sameBits(made[i]!, pooled[i - 1]!))).toEqual([true, true]);
    expect(sameBits(merged(made[7]!), wanted)).toBe(true);
    expect(wanted.every(Number.isFinite)).toBe(true);
  });
});

test("rows that are quantised for one type serve those with the same zero, pieces and sign", () => {
  const [{ target }] = runs as readonly [Run, ...Run[]];
  for (const one of quantisedTypes)
    for (const other of quantisedTypes) {
      const { run } = runs[0] as Run;
      const lines = (type: QuantisedType) =>
        run(quantiseLines, { type, m: 2, k: 256 }, [random(512, 1), room(quantisedLinesBytes(target, { type, m: 2, k: 256 }))])[1]!;
      if (isSameLine(target, one, other)) expect(sameBits(lines(one), lines(other)), `${one} ${other}`).toBe(true);
    }
  expect(isSameLine(target, "q4_K", "q5_K")).toBe(true);
  expect(isSameLine(target, "q4_K", "q6_K")).toBe(false);
  expect(isGated(target, { n: 48, gate: "q4_0", up: "q4_0" })).toBe(false);
});

/** A pool of finite numbers. */
function written(type: PoolType, bytes: number, seed: number): Float32Array {
  const data = exampleBytes(
    { dtype: type, shape: [1, type === "q8_0" ? (32 * bytes) / 34 : bytes / (type === "f32" ? 4 : 2)] },
    new Rng(seed),
  );
  return type === "f32" ? random(bytes / 4, seed) : new Float32Array(data.slice().buffer);
}

/** Rows of bytes, and packed weights of random blocks. */
function operands({ run, target }: Run, { type, m, n, k }: AddedSizes, seed: number) {
  const { buffer } = randomQuantised(type, n, k, seed);
  return {
    lines: run(quantiseLines, { type, m, k }, [random(m * k, 9), room(quantisedLinesBytes(target, { type, m, k }))])[1]!,
    packed: run(packQuantised, { type, n, k }, [buffer, room(packedQuantisedBytes(target, { type, n, k }))])[1]!,
  };
}
