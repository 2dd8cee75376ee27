// The numbers are libstdc++'s own (test/goldens/hash_order.cc).
import { expect, test } from "vitest";
import { HashOrder, mostFrequent } from "./hash-order.ts";

test("a small table lists its entries as libstdc++ does", () => {
  const keys = [1, 2, 14, 15, 3, 27];
  const table = new HashOrder();
  const entries = keys.map((key) => table.add(BigInt(key)));
  const listed = () => [...table.listed()].map((entry) => keys[entries.indexOf(entry)]);
  expect(listed()).toEqual([3, 15, 2, 27, 14, 1]);
  for (const key of [15, 1]) table.delete(entries[keys.indexOf(key)] ?? 0);
  expect(listed()).toEqual([3, 2, 27, 14]);
});

test("a table that grew and lost entries, and the most frequent of them", () => {
  const table = new HashOrder();
  const entries: number[] = [];
  const gone = new Set<number>();
  let state = 1n;
  const random = () => {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    return state;
  };
  for (let i = 1; i <= 2000; i++) {
    entries.push(table.add(random()));
    if (i % 3 !== 0) continue;
    const chosen = entries[Number((random() >> 33n) % BigInt(entries.length))] ?? 0;
    if (!gone.has(chosen)) table.delete(chosen);
    gone.add(chosen);
  }
  const listed = table.listed().map((entry) => entries.indexOf(entry) + 1);
  expect([listed.length, digest(listed)]).toEqual([1507, 437_883]);
  const counts = Float64Array.from(listed, (item) => item % 7);
  const digests = [1, 2, 10, 100, 1000].map((wanted) =>
    digest(
      mostFrequent(counts, wanted)
        .map((at) => listed[at] ?? 0)
        .sort(),
    ),
  );
  expect(digests).toEqual([1973, 62_919, 441_723, 570_372, 171_838]);
});

function digest(numbers: Int32Array): number {
  return numbers.reduce((hash, number) => (hash * 31 + number) % 1_000_003, 0);
}
