import { expect, test } from "vitest";
import { ambiguousLength, byteSize, parseQuantity } from "./index.ts";

test.each([
  ["4_000_000", 4e6],
  ["4k", 4000],
  ["4.1k", 4100],
  ["7B", 7e9],
  ["7b", 7e9],
  ["1G", 1e9],
  ["1.4T", 1.4e12],
  ["2P", 2e15],
  ["1e6", 1e6],
  ["1E-3", 1e-3],
  ["50,000", 50000],
  ["1,000.5", 1000.5],
  [".5", 0.5],
  ["1_0", 10],
  ["-5", -5],
  ["+5", 5],
  [" 7 ", 7],
])("%s is %d", (text, value) => {
  expect(parseQuantity(text)).toBe(value);
});

test.each(["", " ", "k", "1kk", "1e3k", "1e999", "4__0", "_4", "4_", "50,00", "1,2345", "0x10", "Infinity", "NaN", "many", "1 000", "--5"])(
  "%j is no number",
  (text) => {
    expect(parseQuantity(text)).toBeNaN();
  },
);

test("a length with a suffix has two meanings, and both are named", () => {
  expect(ambiguousLength("8k")).toBe('"k" may stand for 1000 or 1024 here: write 8000 or 8192');
  expect(ambiguousLength("4M")).toBe('"M" may stand for 1000000 or 1048576 here: write 4000000 or 4194304');
  for (const clear of ["8192", "8_192", "8e3", "many"]) expect(ambiguousLength(clear)).toBeUndefined();
});

test("bytes have three digits and a unit", () => {
  expect([0, 950, 12_345, 4_560_000, 7.89e9].map(byteSize)).toEqual(["0 B", "950 B", "12.3 kB", "4.56 MB", "7.89 GB"]);
});
