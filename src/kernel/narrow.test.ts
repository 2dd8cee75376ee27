import { describe, expect, test } from "vitest";
import { float16Value } from "../base/index.ts";
import type { Kernel, Narrow, Op } from "./ir.ts";
import { type Builder, kernel } from "./language.ts";
import { legalise } from "./legalise.ts";
import { float32Value, narrowBytes, roundToBfloat16, roundToFloat16 } from "./narrow.ts";
import { verify } from "./spec.ts";
import { ints, random, runs, sameBits, specialised, unwritten, wide16 } from "./testing.test.helper.ts";

type Store = Exclude<Narrow, "i8">;

const widenAll = kernel<{ type: Narrow; count: number }>("widenAll", (k, { type, count }) => {
  const { from, to } = k.pointers("from", "to");
  return { units: k.flat(count, k.range(), (at) => k.store(k.loadNarrow(type, from, at), to, at)) };
});

const narrowAll = kernel<{ type: Store; count: number }>("narrowAll", (k, { type, count }) => {
  const { from, to } = k.pointers("from", "to");
  return { units: k.flat(count, k.range(), (at) => k.storeNarrow(type, k.load(from, at), to, at)) };
});

const dotPairs = kernel<{ count: number }>("dotPairs", (k, { count }) => {
  const { a, b, c } = k.pointers("a", "b", "c");
  k.range();
  const sum = k.variable();
  const pair = (x: typeof a, from: number) => k.load(x, at(k, from)).pairBf16(k.load(x, at(k, from + 1)));
  for (let i = 0; i < count; i += 2) sum.accumulatePairs(pair(a, i), pair(b, i));
  k.store(sum, c);
  return { units: 1 };
});

/** Copies the first and the last bytes of x, as u16 or u8, into those of a row of y, for every length of a tail. */
const copyEdges = kernel<{ type: "u16" | "u8"; bytes: number }>("copyEdges", (k, { type, bytes }) => {
  const { x, y } = k.pointers("x", "y");
  k.range();
  for (let span = 1; span < k.laneCount; span++)
    for (const edge of [0, bytes - span * narrowBytes[type]]) {
      const row = (span - 1) * bytes + edge;
      k.storeNarrow(type, k.loadNarrow(type, x, { offset: 0, span, copy: 0 }, edge), y, { offset: 0, span, copy: 0 }, row);
    }
  return { units: 1 };
});

const at = (k: Builder, vector: number) => ({ offset: vector * k.laneCount * 4, span: "full" as const, copy: 0 });

/** 16-bit patterns, two per word. */
const words = (patterns: ArrayLike<number>) => {
  const halves = Uint16Array.from(patterns);
  return new Float32Array(halves.buffer, 0, halves.length / 2);
};
const halves = (buffer: Float32Array) => new Uint16Array(buffer.buffer, buffer.byteOffset, buffer.length * 2);

const everyPattern = Array.from({ length: 2 ** 16 }, (_, i) => i);
const numbers = everyPattern.filter((bits) => (bits & 0x7c00) !== 0x7c00);

test("the judge's own rounding: halves to even, infinity from 65520, quiet NaN", () => {
  const bits = (value: number) => new Int32Array(Float32Array.of(value).buffer)[0]!;
  expect([1, -2, 65504, 65519, 65520, 2 ** -24, 2 ** -25, 1.0004883, 1.001465].map((x) => roundToFloat16(bits(x)))).toEqual([
    0x3c00, 0xc000, 0x7bff, 0x7bff, 0x7c00, 1, 0, 0x3c00, 0x3c02,
  ]);
  expect([1, -2, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 3.4e38, 2 ** -127].map((x) => roundToBfloat16(bits(x), false))).toEqual([
    0x3f80, 0xc000, 0x3f80, 0x3f82, 0x7f80, 0x40,
  ]);
  expect(roundToBfloat16(bits(-(2 ** -127)), true)).toBe(0x8000);
  expect([roundToFloat16(0x7f800001), roundToBfloat16(-0x7fffff, false)]).toEqual([0x7e00, 0xffc0]);
});

describe.each(runs)("$name", ({ run, target }) => {
  test("every f16 is read, and written back", () => {
    const wide = run(widenAll, { type: "f16", count: 2 ** 16 }, [words(everyPattern), unwritten(2 ** 16)])[1]!;
    expect(everyPattern.filter((bits) => !Object.is(wide[bits], float16Value(bits)))).toEqual([]);
    const back = halves(run(narrowAll, { type: "f16", count: 2 ** 16 }, [wide, unwritten(2 ** 15)])[1]!);
    expect(numbers.filter((bits) => back[bits] !== bits)).toEqual([]);
  });

  test("between two f16 the nearer is written, the even one from the middle", () => {
    const below = numbers.filter((bits) => bits < 0x7bff);
    const middles = below.flatMap((bits) => {
      const middle = (float16Value(bits) + float16Value(bits + 1)) / 2;
      const middleBits = new Int32Array(Float32Array.of(middle).buffer)[0]!;
      return [float32Value(middleBits - 1), middle, -middle, float32Value(middleBits + 1)];
    });
    const made = halves(
      run(narrowAll, { type: "f16", count: middles.length }, [Float32Array.from(middles), unwritten(middles.length / 2)])[1]!,
    );
    const want = below.flatMap((bits) => [bits, bits + (bits & 1), 0x8000 | (bits + (bits & 1)), bits + 1]);
    expect(want.filter((bits, i) => made[i] !== bits)).toEqual([]);
  });

  test.each(["bf16", "u16", "i8", "u8"] as const)("%s of a length that no vector divides", (type) => {
    const count = 8 * 7 + 4;
    const bytes = new Uint8Array(random(count, 3).buffer).slice(0, count * narrowBytes[type]);
    const from = new Float32Array(bytes.buffer);
    const made = run(widenAll, { type, count }, [from, unwritten(count)])[1]!;
    const elements = { bf16: Uint16Array, u16: Uint16Array, i8: Int8Array, u8: Uint8Array }[type];
    const want = Int32Array.from(new elements(bytes.buffer), (x) => (type === "bf16" ? x << 16 : x));
    expect(sameBits(made, ints(want))).toBe(true);
    if (type === "i8") return;
    // Subnormals of bf16, which some targets flush, do not occur in this data.
    expect(sameBits(run(narrowAll, { type, count }, [made, unwritten(from.length)])[1]!, from)).toBe(true);
  });

  test.each(["u16", "u8"] as const)("tails of %s touch nothing outside", (type) => {
    const bytes = 2 * 16 * narrowBytes[type];
    const x = random(bytes / 4, 9);
    const source = new Uint8Array(x.buffer);
    const made = new Uint8Array(run(copyEdges, { type, bytes }, [x, new Float32Array(((target.lanes - 1) * bytes) / 4)])[1]!.buffer);
    for (let span = 1; span < target.lanes; span++) {
      const length = span * narrowBytes[type];
      const want = source.map((byte, i) => (i < length || i >= bytes - length ? byte : 0));
      expect(made.subarray((span - 1) * bytes, span * bytes)).toEqual(want);
    }
  });

  test("a dot product of bf16 pairs is as good as float32 sums of bf16 numbers", () => {
    const [count, lanes] = [34, target.lanes];
    const [a, b] = [random(count * lanes, 5), random(count * lanes, 6)];
    const made = run(dotPairs, { count }, [a, b, unwritten(lanes)])[2]!;
    const rounded = (x: number) => float32Value(roundToBfloat16(new Int32Array(Float32Array.of(x).buffer)[0]!, false) << 16);
    for (let lane = 0; lane < lanes; lane++) {
      const products = Array.from({ length: count }, (_, i) => rounded(a[i * lanes + lane]!) * rounded(b[i * lanes + lane]!));
      const [sum, magnitude] = [products.reduce((x, y) => x + y), products.reduce((x, y) => x + Math.abs(y), 0)];
      expect(Math.abs(made[lane]! - sum)).toBeLessThan(magnitude * count * 2 ** -24);
    }
  });
});

test("a legalised kernel keeps the rules, and has none of the ops that are missing", () => {
  const everything = kernel<object>("everything", (k) => {
    const { x } = k.pointers("x");
    const { begin, end } = k.range();
    k.loop(begin, end, 1, (unit) => {
      const value = k.copyVec(k.loadNarrow("f16", x).add(k.loadNarrow("bf16", x)));
      k.if(unit, "<", 3, () => value.accumulatePairs(value.pairBf16(k.load(x)), k.splat(x)));
      k.storeNarrow("f16", value, x);
      k.storeNarrow("bf16", value, x);
    });
    return { units: 4 };
  });
  const made = legalise(specialised(everything, {}, wide16), { f16: false, bf16: false });
  expect(() => verify(made)).not.toThrow();
  expect(types(made)).toEqual(new Set(["u16"]));
  const plain = specialised(dotPairs, { count: 2 }, wide16);
  expect(legalise(plain, { f16: false, bf16: true })).toBe(plain);
});

function types({ body }: Kernel): Set<string> {
  const found = new Set<string>();
  const visit = (op: Op): void => {
    if (op.op === "loop") op.body.forEach(visit);
    else if (op.op === "if") [...op.whenTrue, ...op.otherwise].forEach(visit);
    else if (op.op === "vloadNarrow" || op.op === "vstoreNarrow") found.add(op.type);
    else if (op.op === "bf16pair" || op.op === "dotbf16") found.add(op.op);
  };
  body.forEach(visit);
  return found;
}
