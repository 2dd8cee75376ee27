import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parameterRows } from "../model/index.ts";
import { openModel } from "./index.ts";
import { tinyGguf } from "./tiny-gguf.test.helper.ts";
import { withFolder, writeTinyBin } from "./tiny-model.test.helper.ts";

async function withGguf<T>(bytes: Uint8Array, act: (path: string) => Promise<T>, name = "tiny.gguf"): Promise<T> {
  return withFolder(async (folder) => {
    await writeFile(join(folder, name), bytes);
    return act(join(folder, name));
  });
}

test("config, parameters and tokenizer are those of the same model as llama2.c's .bin", async () => {
  await withGguf(tinyGguf(), async (path) => {
    await using model = await openModel(path);
    await withFolder(async (folder) => {
      await using bin = await openModel(await writeTinyBin(folder));
      expect(model.config).toEqual(bin.config);
      for (const row of parameterRows(model.config)) expect(await model.weights.read(row)).toEqual(await bin.weights.read(row));
      const [ours, theirs] = [await model.openTokenizer(), await bin.openTokenizer()];
      expect([...ours.encode("ab ba")]).toEqual([...theirs.encode("ab ba")]);
    });
    expect([model.format, model.warnings]).toEqual(["GGUF", []]);
    expect(model.tensors.tensors.has("blk.0.attn_q.weight")).toBe(true);
  });
});

test("a file of any name is what its first bytes say, and a folder that holds one is that model", async () => {
  await withGguf(
    tinyGguf(),
    async (path) => {
      await using model = await openModel(path);
      expect(model.format).toBe("GGUF");
      await rename(path, `${path}.gguf`);
      await using folder = await openModel(join(path, ".."));
      expect([folder.format, folder.path]).toEqual(["GGUF", join(path, "..")]);
      await writeFile(join(path, "..", "other.gguf"), tinyGguf());
      await expect(openModel(join(path, ".."))).rejects.toThrow(
        "it has several models, other.gguf, sha256-0a.gguf: name one of these files",
      );
    },
    "sha256-0a",
  );
});
