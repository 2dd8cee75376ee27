import { expect, test } from "vitest";
import { slicesOf } from "./compare.ts";
import { tableBytesOf, taskBytesOf } from "./memory.ts";

test("hash tables take what the run has left, and never less than a task's share", () => {
  const taskBytes = taskBytesOf();
  const need = (memory: number) => ({ memory, taskBytes, models: 1e9 });
  expect(tableBytesOf(16, need(2e9))).toBe(taskBytes / 2);
  expect(tableBytesOf(16, need(32e9))).toBe(Math.floor(((32e9 - 1e9 - 150e6) / 16 - 150e6) / 2));
  // A group of a thirty-third of a dump has 16 million lines in each of 1,024 partitions: nine bytes per place.
  expect(slicesOf(16e6, 9, tableBytesOf(16, need(2e9))).slices).toBeGreaterThan(4);
  expect(slicesOf(16e6, 9, tableBytesOf(16, need(32e9))).slices).toBe(1);
});
