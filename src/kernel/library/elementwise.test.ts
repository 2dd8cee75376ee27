import { describe, expect, test } from "vitest";
import { ints, random, runs, sameBits, unwritten } from "../testing.test.helper.ts";
import { accumulate, add, addBias, assign, scale } from "./elementwise.ts";

describe.each(runs)("$name", ({ run }) => {
  test.each([1, 3, 16, 67, 4096, 2 * 4096 + 21])("%i elements", (count) => {
    const [a, b] = [random(count, 1), random(count, 2)];
    const sum = a.map((x, i) => x + b[i]!);
    expect(sameBits(run(add, { count }, [a, b, unwritten(count)])[2]!, sum)).toBe(true);
    expect(sameBits(run(add, { count }, [a, b, a])[2]!, sum)).toBe(true);
    expect(
      sameBits(
        run(scale, { count, factor: 0.75 }, [a, a])[1]!,
        a.map((x) => x * 0.75),
      ),
    ).toBe(true);
    const biased = Float32Array.from({ length: 3 * count }, (_, i) => a[i % count]! + b[i % count]!);
    const rows = Float32Array.from({ length: 3 * count }, (_, i) => a[i % count]!);
    expect(sameBits(run(addBias, { rows: 3, channels: count }, [rows, b, rows])[2]!, biased)).toBe(true);
    expect(sameBits(run(accumulate, { count }, [a, b])[1]!, sum)).toBe(true);
    expect(sameBits(run(assign, { count }, [a, unwritten(count)])[1]!, a)).toBe(true);
  });

  test("assign copies integers bit by bit", () => {
    const values = ints([-1, 0x7fa00001, -(2 ** 31), 7, 0]);
    const copy = run(assign, { count: 5 }, [values, unwritten(5)])[1]!;
    expect(sameBits(copy, values)).toBe(true);
  });
});
