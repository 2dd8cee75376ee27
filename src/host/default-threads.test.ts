import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { UsageError } from "../base/index.ts";
import { defaultThreads } from "./default-threads.ts";

test("one thread per core, unless CRIA_THREADS says otherwise", () => {
  expect(defaultThreads({})).toBe(Math.min(64, availableParallelism()));
  expect(defaultThreads({ CRIA_THREADS: "" })).toBe(defaultThreads({}));
  expect(defaultThreads({ CRIA_THREADS: "3" })).toBe(3);
});

test.each(["0", "65", "-1", "1.5", "two", "0x2", " 2"])("CRIA_THREADS=%s is refused", (wish) => {
  const read = () => defaultThreads({ CRIA_THREADS: wish });
  expect(read).toThrow(UsageError);
  expect(read).toThrow(`[cpu] CRIA_THREADS is "${wish}", but an engine has from 1 to 64 threads`);
});
