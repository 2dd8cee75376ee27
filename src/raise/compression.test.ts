import { expect, test } from "vitest";
import { compressionBaselines } from "./compression.ts";

test("the baselines compress, each by its name", async () => {
  const text = new TextEncoder().encode("The llama knows the mountain, and the mountain knows the llama. ".repeat(200));
  const found = await compressionBaselines(text);
  expect(found.map(({ name }) => name).filter((name) => name !== "xz -9")).toEqual(["gzip -9", "brotli -q 11 --lgwin 24"]);
  for (const { bytes, bitsPerByte } of found) {
    expect(bytes).toBeGreaterThan(20);
    expect(bytes).toBeLessThan(text.length / 20);
    expect(bitsPerByte).toBeCloseTo((8 * bytes) / text.length, 12);
  }
});
