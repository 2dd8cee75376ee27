import { describe, expect, test } from "vitest";
import { ints, random, runs, unwritten } from "../testing.test.helper.ts";
import { accumulate, add, assign, fillZero } from "./elementwise.ts";

describe.each(runs)("$name", ({ run }) => {
  test.each([1, 3, 16, 67, 4096, 2 * 4096 + 21])("%i elements", (count) => {
    const [a, b] = [random(count, 1), random(count, 2)];
    const sum = a.map((x, i) => x + b[i]!);
    expect(run(add, { count }, [a, b, unwritten(count)])[2]).toEqual(sum);
    expect(run(add, { count }, [a, b, a])[2]).toEqual(sum);
    expect(run(accumulate, { count }, [a, b])[1]).toEqual(sum);
    expect(run(assign, { count }, [a, unwritten(count)])[1]).toEqual(a);
    expect(run(fillZero, { count }, [unwritten(count)])[0]).toEqual(new Float32Array(count));
  });

  test("assign copies integers bit by bit", () => {
    const values = ints([-1, 0x7fa00001, -(2 ** 31), 7, 0]);
    const copy = run(assign, { count: 5 }, [values, unwritten(5)])[1]!;
    expect(new Int32Array(copy.buffer)).toEqual(new Int32Array(values.buffer));
  });
});
