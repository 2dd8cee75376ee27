import { expect, test } from "vitest";
import { fuzzTorchFiles } from "./torch-file.test.helper.ts";

test("ten thousand damaged files are read or refused", async () => {
  const seed = Date.now() % 1_000_000;
  console.log(`fuzzing PyTorch's files: seed ${seed}`);
  expect(await fuzzTorchFiles(seed, 10_000)).toBeGreaterThan(1000);
}, 600_000);
