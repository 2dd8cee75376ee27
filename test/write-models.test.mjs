// The models that speeds are measured on: files of random weights which open, have a text for every token, and are the same for the same seed.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { writeRandomModel } from "../bench/write-models.mjs";
import { folderForAll } from "../dist/files/with-folder.test.helper.js";
import { openModel } from "../dist/load/index.js";
import { llamaConfig } from "../dist/model/index.js";

const sizes = { vocabSize: 1000, dim: 64, nLayers: 1, nHeads: 2, nKvHeads: 1, hiddenDim: 96, contextLength: 32 };
const config = llamaConfig({ ...sizes, ropePairing: "neighbours", tiedOutput: true });

describe("random models", () => {
  const folder = folderForAll(async () => undefined);
  const write = async (name, options) => {
    const path = join(folder(), `${name}.gguf`);
    await writeRandomModel(path, config, { type: "q4_0", seed: 1, name, ...options });
    return path;
  };

  it("have the config, the layouts of the type and a vocabulary of the full size, in which words become long pieces", async () => {
    const model = await openModel(await write("opened"));
    onTestFinished(() => model.close());
    expect(model.config).toMatchObject({ ...sizes, tiedOutput: true });
    expect(model.warnings).toEqual([]);
    const dtypes = Object.fromEntries([...model.tensors.tensors].map(([name, { dtype }]) => [name, dtype]));
    expect(dtypes).toMatchObject({ "blk.0.ffn_up.weight": "q4_0", "blk.0.attn_norm.weight": "F32" });
    const tokenizer = await model.openTokenizer();
    expect(tokenizer.vocabSize).toBe(sizes.vocabSize);
    const ids = tokenizer.encode("at ease, 24 é");
    expect(ids.length).toBeLessThan(14);
    expect(tokenizer.decode(ids)).toBe("at ease, 24 é");
  });

  it("are the same for the same seed and name", async () => {
    const read = async (name, options) => readFile(await write(name, { ...options, name: "random" }));
    const one = await read("one");
    expect((await read("again")).equals(one)).toBe(true);
    expect((await read("other", { seed: 2 })).equals(one)).toBe(false);
  });
});
