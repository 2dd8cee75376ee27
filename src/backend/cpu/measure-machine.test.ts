import { expect, test } from "vitest";
import { measureMachine } from "./measure-machine.ts";
import { openExecutor } from "./open-executor.ts";

test.each([undefined, "wasm"])("every rate is measured, and the memory given back: %s", async (target) => {
  const executor = await openExecutor({ threads: 2, ...(target ? { target } : {}) });
  try {
    const before = executor.allocate(64);
    executor.free(before);
    const rates = await measureMachine(executor, 2 ** 20);
    for (const [name, rate] of Object.entries(rates)) expect(rate, name).toBeGreaterThan(0);
    expect(executor.allocate(64)).toBe(before);
    await expect(measureMachine(executor, 2 ** 20, AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
  } finally {
    await executor.dispose();
  }
});
