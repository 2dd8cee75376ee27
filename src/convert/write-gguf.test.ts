import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openFile } from "../files/index.ts";
import { ggufChatSources, readGgufMetadata } from "../formats/index.ts";
import { openModel } from "../index.ts";
import { tinyChatTemplate, tinyConfig, withFolder, writeTinyBin, writeTinyChat, writeTinyFolder } from "../load/tiny-model.test.helper.ts";
import { parameterRows } from "../model/index.ts";
import { writeGguf } from "./index.ts";

test("a folder as a GGUF: every parameter, the vocabulary, the template and the ends", async () => {
  await withFolder(async (folder) => {
    await writeTinyFolder(folder);
    await writeTinyChat(folder);
    await using model = await openModel(folder);
    const path = join(folder, "tiny.gguf");
    const written = await writeGguf(path, model, { type: "q8_0", name: "tiny" });
    const rows = parameterRows(tinyConfig);
    expect(written.map(({ parameter }) => parameter)).toEqual(rows.map(({ name }) => name));
    // Rows of 16 and of 24 are no whole blocks of 32.
    expect(written.map(({ dtype, wanted }) => [dtype, wanted])).toEqual(
      rows.map(({ shape }) => (shape.length === 1 ? ["f32", undefined] : ["f16", "q8_0"])),
    );
    await using source = await openFile(path, "test");
    const { pairs, tensorCount } = await readGgufMetadata(source);
    expect(tensorCount).toBe(rows.length);
    expect(pairs.get("general.name")?.value).toBe("tiny");
    const tokenizer = await model.openTokenizer();
    const { endOfTurn } = await model.openChat(tokenizer);
    expect(ggufChatSources(pairs, path)).toEqual({ templates: new Map([["default", tinyChatTemplate]]), endIds: endOfTurn });
  });
});

test("what cannot be written leaves nothing: a number beyond the layout, a part that no GGUF has, an abort in the middle", async () => {
  await withFolder(async (folder) => {
    await writeTinyFolder(folder, {
      tensors: (all) =>
        all.map((one) =>
          one.name === "model.layers.1.mlp.up_proj.weight" ? { ...one, data: new Float32Array(24 * 16).fill(70_000) } : one,
        ),
    });
    const path = join(folder, "tiny.gguf");
    await using model = await openModel(folder);
    await expect(writeGguf(path, model, { type: "f16" })).rejects.toThrow(
      "[convert] parameter layers.1.ffn.up: a value is 70000, but f16 holds numbers below 65520 alone: take bf16 or f32",
    );
    const other = { ...model, config: { ...model.config, positions: "learned" as const } };
    await expect(writeGguf(path, other)).rejects.toThrow('[gguf] the model cannot be written: its positions is "learned"');
    const control = new AbortController();
    const progress = () => control.abort(new Error("enough"));
    await expect(writeGguf(path, model, { signal: control.signal, progress })).rejects.toThrow("enough");
    expect(readdirSync(folder).filter((name) => name.includes("gguf"))).toEqual([]);
  });
});

test("progress counts every value", async () => {
  await withFolder(async (folder) => {
    await using model = await openModel(await writeTinyBin(folder));
    const heard: number[] = [];
    await writeGguf(join(folder, "tiny.gguf"), model, { progress: ({ done, total }) => heard.push(done / (total ?? 0)) });
    expect(heard.at(-1)).toBe(1);
    expect(heard).toEqual(heard.toSorted((a, b) => a - b));
  });
});
