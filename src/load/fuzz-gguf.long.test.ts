import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { memorySource, Rng } from "../base/index.ts";
import { withFolder } from "../files/with-folder.test.helper.ts";
import { readGguf } from "../formats/index.ts";
import { openCpuBackend } from "../host/index.ts";
import { SequenceModel } from "../infer/index.ts";
import { fuzzedModels, fuzzModel } from "./fuzz-gguf.test.helper.ts";
import { openModel } from "./index.ts";

/** Another seed every day, which a failure names, so that the cases do not end. */
const seed = Math.floor(Date.now() / 86_400_000);

test.each(fuzzedModels())("10,000 changed GGUF models open or are refused in a sentence: $name", { timeout: 3_600_000 }, async (model) => {
  console.log(`seed ${seed}`);
  expect(await fuzzModel(model, seed, 10_000)).toBeGreaterThan(1000);
});

test("blocks of any bytes run on machine code, which reads nothing outside them", async () => {
  const types = new Uint8Array(readFileSync(new URL("../../test/goldens/gguf-models/types.gguf", import.meta.url)));
  const { tensors } = await readGguf(memorySource("types.gguf", types));
  const rng = new Rng(seed);
  await using backend = await openCpuBackend({ threads: 1 });
  await withFolder(async (folder) => {
    for (let i = 0; i < 50; i++) {
      const bytes = types.slice();
      for (const { shape, start, end } of tensors)
        if (shape.length === 2) for (let at = start; at < end; at++) bytes[at] = i === 0 ? 255 : rng.below(256);
      const path = join(folder, `${i}.gguf`);
      await writeFile(path, bytes);
      await using model = await openModel(path);
      await using sequences = await SequenceModel.open(backend, model.config, model.weights, { pages: 1 });
      const [{ logits }] = await sequences.run([{ sequence: sequences.sequence(), ids: [1, 31, 7, 0], logits: "all" }]);
      expect(logits.map((row) => row.length)).toEqual([32, 32, 32, 32]);
    }
  });
});
