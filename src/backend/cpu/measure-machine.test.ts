import { expect, test } from "vitest";
import { openExecutor } from "../../host/index.ts";
import { peakProducts } from "../../kernel/index.ts";
import { measureMachine } from "./measure-machine.ts";

test.each([undefined, "wasm"])("every rate is measured, and the memory given back: %s", async (target) => {
  const executor = await openExecutor({ threads: 2, ...(target ? { target } : {}) });
  try {
    const before = executor.allocate(64);
    executor.free(before);
    const { peak, ...memory } = await measureMachine(executor, 2 ** 20);
    expect(Object.keys(peak)).toEqual(peakProducts(executor.target));
    for (const [name, rate] of Object.entries({ ...peak, ...memory })) expect(rate, name).toBeGreaterThan(0);
    expect(executor.allocate(64)).toBe(before);
    await expect(measureMachine(executor, 2 ** 20, AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
  } finally {
    await executor.dispose();
  }
});
