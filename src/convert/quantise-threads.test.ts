import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { quantiseRows } from "../formats/index.ts";
import { QuantiseThreads } from "./quantise-threads.ts";

const columns = 512;
const rng = new Rng(4);
const values = Float32Array.from({ length: 7 * columns }, () => rng.normal());
const importance = Float32Array.from({ length: columns }, () => rng.uniform());

async function* rows(all = values) {
  for (let at = 0; at < all.length; at += columns) yield all.subarray(at, at + columns);
}

test.each(["q4_K", "q6_K", "q8_0"] as const)("%s has the same bytes from one thread and from three", async (dtype) => {
  const wanted = Buffer.from(quantiseRows(dtype, { values, columns, importance }));
  for (const count of [1, 3]) {
    await using threads = new QuantiseThreads(count);
    for (const _ of [0, 1]) {
      const found: Uint8Array[] = [];
      for await (const bytes of threads.write(rows(), { dtype, columns, importance })) found.push(bytes);
      expect(Buffer.compare(Buffer.concat(found), wanted), `${count}`).toBe(0);
    }
  }
});

test("what a thread refuses is refused, and threads that are left in the midst end", async () => {
  await using threads = new QuantiseThreads(2);
  const read = async () => {
    for await (const _ of threads.write(rows(values.with(3 * columns, 1e6)), { dtype: "q5_K", columns }));
  };
  await expect(read()).rejects.toThrow("[quantise] a value is 1000000, but q5_K holds numbers below 65520 alone");
  for await (const _ of threads.write(rows(), { dtype: "q5_K", columns })) break;
});
