// Files in memory, as a page has them, open as a folder does.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { referenceBackend } from "../backend/reference/index.ts";
import { type ByteSource, CriaError, memorySource, sizeLimits } from "../base/index.ts";
import { chooseTemplate, renderChat } from "../chat/index.ts";
import { generateText, SequenceModel } from "../infer/index.ts";
import * as load from "../load/index.ts";
import { tinyConfig, withFolder, writeTinyBin, writeTinyChat, writeTinyFolder } from "../load/tiny-model.test.helper.ts";
import { openModel, openTokenizer, sourceFiles } from "./index.ts";

async function sourcesOf(folder: string): Promise<Record<string, ByteSource>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [file, memorySource(file, new Uint8Array(await readFile(join(folder, file))))] as const)),
  );
}

type Opened = Pick<load.OpenModel, "config" | "weights"> & { readonly openTokenizer: () => ReturnType<load.OpenModel["openTokenizer"]> };

async function told(model: Opened): Promise<string> {
  await using sequences = await SequenceModel.open(referenceBackend(), model.config, model.weights, {});
  const tokenizer = await model.openTokenizer();
  let text = "";
  for await (const piece of generateText(sequences, tokenizer, "ab", { maxTokens: 8, temperature: 0 })) text += piece.text;
  return text;
}

test.each([1, 3])("a model in memory, its weights in %i files, tells what the one in the folder tells", async (shards) => {
  await withFolder(async (folder) => {
    await writeTinyFolder(folder, { shards });
    await using model = await openModel(sourceFiles("dropped", await sourcesOf(folder)));
    await using inFolder = await load.openModel(folder);
    expect(model).toMatchObject({ path: "dropped", format: "Hugging Face folder", config: inFolder.config });
    expect(await told(model)).toBe(await told(inFolder));
  });
});

test("a llama2.c .bin is found, or named where there are two", async () => {
  await withFolder(async (folder) => {
    const path = await writeTinyBin(folder);
    const sources = await sourcesOf(folder);
    await using model = await openModel(sourceFiles("files", sources));
    expect(model).toMatchObject({ format: "llama2.c", path: "files" });
    expect((await model.openTokenizer()).vocabSize).toBe(tinyConfig.vocabSize);
    const twice = sourceFiles("files", { ...sources, "other.bin": memorySource("other.bin", new Uint8Array(9)) });
    await expect(openModel(twice)).rejects.toThrow("[model] files: it has no config.json");
    await using named = await openModel(twice, { file: path.slice(folder.length + 1) });
    expect(named.config).toEqual(model.config);
  });
});

test("chat templates come from files and from files in folders", async () => {
  await withFolder(async (folder) => {
    await writeTinyFolder(folder);
    await writeTinyChat(folder);
    const text = (what: string) => memorySource("", new TextEncoder().encode(what));
    const files = { ...(await sourcesOf(folder)), "chat_template.jinja": text("one"), "additional_chat_templates/rag.jinja": text("two") };
    await using model = await openModel(sourceFiles("dropped", files));
    const { templates } = await model.openChat(await model.openTokenizer());
    const rendered = [undefined, "rag"].map((name) => renderChat(chooseTemplate(templates, false, name), [{ role: "user", content: "a" }]));
    expect(rendered.map((one) => one.text)).toEqual(["one", "two"]);
  });
});

test("what is missing or too large is named with its place", async () => {
  await withFolder(async (folder) => {
    await writeTinyFolder(folder, { shards: 2 });
    const { "model-2-of-2.safetensors": _, ...sources } = await sourcesOf(folder);
    await expect(openModel(sourceFiles("dropped", sources))).rejects.toThrow(CriaError);
    await expect(openModel(sourceFiles("dropped", sources))).rejects.toThrow("dropped: it has no file model-2-of-2.safetensors");
    const huge = {
      name: "tokenizer.json",
      size: sizeLimits.tokenizer + 1,
      read: async (_: number, length: number) => new Uint8Array(length),
    };
    const place = { files: sourceFiles("dropped", { "tokenizer.json": huge }), file: "tokenizer.json" };
    await expect(openTokenizer(place)).rejects.toThrow(/^\[model\] dropped\/tokenizer\.json: it has 536,870,913 bytes or more/);
  });
});
