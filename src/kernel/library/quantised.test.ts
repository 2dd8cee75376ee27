import { describe, expect, test } from "vitest";
import { bytesOf, CriaError, elementLayouts } from "../../base/index.ts";
import type { Target } from "../ir.ts";
import { specialise } from "../language.ts";
import { ints, random, runs, sameBits, unwritten } from "../testing.test.helper.ts";
import { wasm128 } from "../wasm/target.ts";
import { matmul } from "./matmul.ts";
import { packedBytes, packMatrix } from "./pack.ts";
import { quantisedLinesBytes, quantiseLines } from "./quantise.ts";
import { filledQuantised, quantisedTypes, randomQuantised } from "./quantised.test.helper.ts";
import type { QuantisedType } from "./quantised-blocks.ts";
import { quantisedMatmul } from "./quantised-matmul.ts";
import { packedQuantisedBytes, packQuantised, unpackQuantised } from "./quantised-panels.ts";

/** Rows that fill no vector evenly: 5 blocks of 32, 3 superblocks of 256. */
const depthOf = (type: QuantisedType) => blockOf(type) * (blockOf(type) === 32 ? 5 : 3);
const blockOf = (type: QuantisedType) => elementLayouts[type].block;
/** Superblocks with numbers of whole blocks, and of their halves. */
const largeTypes: readonly QuantisedType[] = ["q4_K", "q6_K"];
const room = (bytes: number) => unwritten(bytes / 4);

describe.each(runs)("$name", ({ name, run, target }) => {
  describe.each(quantisedTypes)("%s", (type) => {
    const k = depthOf(type);

    const bads = ["q8_0", "q4_1", "q2_K"].includes(type) ? [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] : [];
    test.each(bads)("%d in a row makes its products NaN", (bad) => {
      const n = 3;
      const { buffer } = randomQuantised(type, n, k, 2);
      const x = activations(2, k);
      x[7] = bad;
      const packed = run(packQuantised, { type, n, k }, [buffer, room(packedQuantisedBytes(target, { type, n, k }))])[1]!;
      const lines = run(quantiseLines, { type, m: 2, k }, [x, room(quantisedLinesBytes(target, { type, m: 2, k }))])[1]!;
      const many = run(quantisedMatmul, { type, m: 2, n, k }, [lines, packed, unwritten(2 * n)])[2]!;
      expect([...many].map(Number.isNaN)).toEqual([true, true, true, false, false, false]);
    });

    test.each([
      [7, 37, k],
      [50, 34, blockOf(type)],
    ])("%i rows times a packed matrix of %i × %i", (m, n, k) => {
      const { buffer, weights } = randomQuantised(type, n, k, 3);
      const x = activations(m, k);
      const packed = run(packQuantised, { type, n, k }, [buffer, room(packedQuantisedBytes(target, { type, n, k }))])[1]!;
      const lines = run(quantiseLines, { type, m, k }, [x, room(quantisedLinesBytes(target, { type, m, k }))])[1]!;
      const y = run(quantisedMatmul, { type, m, n, k }, [lines, packed, unwritten(m * n)])[2]!;
      expect(worst(y, product(rounded(x), weights, m, n, k))).toBeLessThan(1e-6);
    });

    test("16 bits hold the largest sums of products", () => {
      const bytes = [0x00, 0x7f, 0x80, 0xff];
      const [n, k] = [bytes.length, blockOf(type)];
      const { buffer, weights } = filledQuantised(type, bytes, k);
      const x = new Float32Array(2 * k).fill(1, 0, k).fill(-1, k);
      const packed = run(packQuantised, { type, n, k }, [buffer, room(packedQuantisedBytes(target, { type, n, k }))])[1]!;
      const lines = run(quantiseLines, { type, m: 2, k }, [x, room(quantisedLinesBytes(target, { type, m: 2, k }))])[1]!;
      const y = run(quantisedMatmul, { type, m: 2, n, k }, [lines, packed, unwritten(2 * n)])[2]!;
      expect(worst(y, product(rounded(x), weights, 2, n, k))).toBeLessThan(1e-6);
    });

    test("a row's bits do not depend on how many there are, nor on how many of them are live", () => {
      const [n, most] = [3, 52];
      const { buffer } = randomQuantised(type, n, blockOf(type), 4);
      const sizes = { type, n, k: blockOf(type) };
      const x = activations(most, sizes.k);
      const packed = run(packQuantised, sizes, [buffer, room(packedQuantisedBytes(target, sizes))])[1]!;
      const product = (m: number, live?: number) => {
        const rows = { m, ...(live !== undefined && { live: true as const }) };
        const counted = live === undefined ? [] : [ints([live])];
        const given = [x.slice(0, m * sizes.k), room(quantisedLinesBytes(target, { ...sizes, m })), ...counted];
        const lines = run(quantiseLines, { type, k: sizes.k, ...rows }, given)[1]!;
        return run(quantisedMatmul, { ...sizes, ...rows }, [lines, packed, unwritten(m * n), ...counted])[2]!;
      };
      const all = product(most);
      for (const m of [1, 8, 11]) expect(sameBits(product(m), all.slice(0, m * n)), `${m} rows`).toBe(true);
      for (const [m, live] of [
        [8, 0],
        [8, 1],
        [8, 3],
        [8, 8],
        [52, 1],
        [52, 50],
      ] as const) {
        const some = product(m, live);
        expect(sameBits(some.slice(0, live * n), all.slice(0, live * n)), `${live} of ${m} rows`).toBe(true);
        expect(some.slice(live * n).every(Number.isNaN), `${live} of ${m} rows, the others`).toBe(true);
      }
    });

    // The interpreter would take its time.
    test.each(!name.startsWith("interpreter") && largeTypes.includes(type) ? [391] : [])(
      "units of many rows give the bits of few: %i",
      (m) => {
        const sizes = { type, n: 3, k: blockOf(type) };
        const { buffer } = randomQuantised(type, sizes.n, sizes.k, 4);
        const packed = run(packQuantised, sizes, [buffer, room(packedQuantisedBytes(target, sizes))])[1]!;
        const x = activations(m, sizes.k);
        const product = (first: number, m: number) => {
          const given = [x.slice(first * sizes.k, (first + m) * sizes.k), room(quantisedLinesBytes(target, { ...sizes, m }))];
          const lines = run(quantiseLines, { type, k: sizes.k, m }, given)[1]!;
          return run(quantisedMatmul, { ...sizes, m }, [lines, packed, unwritten(m * sizes.n)])[2]!;
        };
        const all = product(0, m);
        for (const first of [0, 190, 380])
          expect(sameBits(product(first, 11), all.slice(first * sizes.n, (first + 11) * sizes.n)), `from row ${first}`).toBe(true);
      },
    );

    test("rows of weights come back from their panels, bit for bit", () => {
      const n = 37;
      const { buffer } = randomQuantised(type, n, k, 5);
      const packed = run(packQuantised, { type, n, k }, [buffer, room(packedQuantisedBytes(target, { type, n, k }))])[1]!;
      const made = run(unpackQuantised, { type, n, k }, [packed, unwritten(buffer.length)])[1]!;
      const bytes = ({ buffer }: Float32Array) => new Uint8Array(buffer, 0, bytesOf(type, [n, k]));
      expect(Buffer.compare(bytes(made), bytes(buffer))).toBe(0);
    });

    const small = [
      ["nt", "float32", 7, 9, 1],
      ["nn", "bfloat16", 2, 1, 19],
    ] as const;
    /** Depths of several blocks, which superblocks must fit; the interpreter would take its time. */
    const large = [
      ["nt", "bfloat16", 2, 3, 6],
      ["nn", "float32", 2, 1, 375],
    ] as const;
    test.each(!name.startsWith("interpreter") && largeTypes.includes(type) ? [...small, ...large] : small)(
      "a product in floats, form %s, in %s, is that with the weights as float32",
      (form, precision, m, columns, depth) => {
        const superblock = blockOf(type);
        // The weight has rows of whole superblocks: they are the depth in form nt, the columns in form nn.
        const [n, k] = form === "nt" ? [columns, depth * superblock] : [columns * superblock, depth];
        const [rows, channels] = form === "nt" ? [n, k] : [k, n];
        const { buffer, weights } = randomQuantised(type, rows, channels, 6);
        const x = random(m * k, 7);
        const sizes = { form, n, k, precision };
        const plain = run(packMatrix, sizes, [Float32Array.from(weights), room(packedBytes(target, sizes))])[1]!;
        const wanted = run(matmul, { ...sizes, m }, [x, plain, unwritten(m * n)])[2]!;
        const matrix = { type, n: rows, k: channels };
        const packed = run(packQuantised, matrix, [buffer, room(packedQuantisedBytes(target, matrix))])[1]!;
        const made = run(matmul, { ...sizes, m, type }, [x, packed, unwritten(m * n)])[2]!;
        expect(sameBits(made, wanted)).toBe(true);
        const live = run(matmul, { ...sizes, m, type, live: true }, [x, packed, unwritten(m * n), ints([1])])[2]!;
        expect(sameBits(live.slice(0, n), wanted.slice(0, n))).toBe(true);
        expect(live.slice(n).every(Number.isNaN)).toBe(true);
      },
    );
  });
});

test.each(quantisedTypes)("panels of %s take the file's bytes", (type) => {
  const [n, k] = [64, 512];
  expect(packedQuantisedBytes(wasm128, { type, n, k })).toBe(bytesOf(type, [n, k]));
});

test("what does not fit is refused", () => {
  const refusal =
    (type: string, k: number, target: Target = wasm128) =>
    () =>
      specialise(quantisedMatmul, { type: type as QuantisedType, m: 1, n: 1, k }, target);
  expect(refusal("q4_K", 128)).toThrow("[kernel] q4_K: rows of 128 weights, must be a multiple of 256");
  expect(refusal("q4_0", 0)).toThrow(CriaError);
  expect(refusal("q4_k", 256)).toThrow('[kernel] quantised type "q4_k", did you mean "q4_K"?');
});

/** Normal numbers, with blocks of zeros, of one large number, and of nothing but tiny ones. */
function activations(m: number, k: number): Float32Array {
  const x = random(m * k, 7);
  x.fill(0, 0, 32);
  x.fill(1e-35, k - 32, k);
  if (m > 1) x[k + 1] = 1000;
  return x;
}

/** What is left of activations after quantisation: 127 steps to either side of zero for each 32. */
function rounded(x: Float32Array): Float64Array {
  return Float64Array.from(x, (value, i) => {
    const block = x.subarray(i - (i % 32), i - (i % 32) + 32);
    const largest = block.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    if (largest < 2 ** -100) return 0;
    // The kernels' own precision is used, so that ties fall alike.
    const steps = Math.fround(value * Math.fround(127 / largest));
    return Math.round(steps) * Math.fround(largest * Math.fround(1 / 127));
  });
}

/** Every sum, and what it would be were all terms positive: errors count against that. */
interface Sums {
  readonly sums: ArrayLike<number>;
  readonly magnitudes: ArrayLike<number>;
}

function product(x: Float64Array, w: Float64Array, m: number, n: number, k: number): Sums {
  const [sums, magnitudes] = [new Float64Array(m * n), new Float64Array(m * n)];
  sums.forEach((_, at) => {
    const [row, column] = [Math.floor(at / n) * k, (at % n) * k];
    for (let i = 0; i < k; i++) {
      const term = x[row + i]! * w[column + i]!;
      sums[at]! += term;
      magnitudes[at]! += Math.abs(term);
    }
  });
  return { sums, magnitudes };
}

/** Largest error; NaN where a result is. */
function worst(have: Float32Array, { sums, magnitudes }: Sums): number {
  expect(have.length).toBe(sums.length);
  return have.reduce((most, value, i) => Math.max(most, Math.abs(value - sums[i]!) / Math.max(magnitudes[i]!, Number.MIN_VALUE)), 0);
}
