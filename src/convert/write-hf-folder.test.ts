import { readdirSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { referenceBackend } from "../backend/reference/index.ts";
import { roundToBfloat16 } from "../base/index.ts";
import { atomicWriteJson } from "../files/index.ts";
import { hfName, toHalfPairing, writeHfConfig } from "../formats/index.ts";
import { Llama, openModel } from "../index.ts";
import {
  tinyChatTemplate,
  tinyConfig,
  tinyTokenizer,
  tinyWeights,
  withFolder,
  writeTinyBin,
  writeTinyChat,
  writeTinyFolder,
} from "../load/tiny-model.test.helper.ts";
import { parameterRows } from "../model/index.ts";
import { writeHfFolder } from "./index.ts";

const weights = tinyWeights(tinyConfig);

async function greedy(path: string): Promise<number[]> {
  await using llama = await Llama.load(path, { backend: referenceBackend() });
  const ids: number[] = [];
  for await (const { id } of llama.pieces("ab a", { temperature: 0, maxTokens: 12, stopIds: [] })) ids.push(id);
  return ids;
}

test("a llama2.c .bin as a folder, in one file and in several: halves turn together, and the text is the same", async () => {
  await withFolder(async (folder) => {
    const bin = await writeTinyBin(folder);
    await using model = await openModel(bin);
    await writeHfFolder(join(folder, "one"), model);
    const { files } = await writeHfFolder(join(folder, "several"), model, { maxShardBytes: 4000 });
    const shards = [...files.keys()].filter((name) => name.endsWith(".safetensors"));
    expect(shards.length).toBeGreaterThan(3);
    expect(shards[0]).toBe(`model-00001-of-0000${shards.length}.safetensors`);
    // A table of tokens that is larger than a file may be has one of its own.
    for (const shard of shards.slice(1)) expect(files.get(shard)).toBeLessThan(4000 + 2000);
    for (const name of ["one", "several"]) {
      await using written = await openModel(join(folder, name));
      expect(written.config).toEqual({ ...tinyConfig, ropePairing: "half" });
      for (const row of parameterRows(tinyConfig)) {
        const values = weights.get(hfName(row.name))!;
        const expected = /\.(query|key)$/.test(row.name) ? toHalfPairing(values, row.shape[1]!, tinyConfig.headDim) : values;
        expect(await written.weights.read(row), row.name).toEqual(expected);
      }
      const tokenizer = await written.openTokenizer();
      expect(tokenizer.model.pieces).toEqual(tinyTokenizer.pieces);
      expect((await written.openChat(tokenizer)).endOfTurn).toEqual([2, 1]);
      const said = JSON.parse(await readFile(join(folder, name, "generation_config.json"), "utf8"));
      expect(said).toEqual({ bos_token_id: 1, eos_token_id: [2, 1] });
      expect(await greedy(join(folder, name))).toEqual(await greedy(bin));
    }
  });
});

test("a folder keeps its small files and its templates; its weights are rounded", async () => {
  await withFolder(async (folder) => {
    const source = join(folder, "source");
    await mkdir(source);
    await writeTinyFolder(source);
    await writeTinyChat(source);
    await mkdir(join(source, "additional_chat_templates"));
    await writeFile(join(source, "additional_chat_templates", "tool_use.jinja"), tinyChatTemplate);
    await writeFile(join(source, "special_tokens_map.json"), '{ "bos_token":"<s>" }');
    await using model = await openModel(source);
    const bfloat = join(folder, "bfloat");
    await writeHfFolder(bfloat, model, { type: "bfloat16" });
    for (const name of ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "additional_chat_templates/tool_use.jinja"])
      expect(await readFile(join(bfloat, name), "utf8"), name).toBe(await readFile(join(source, name), "utf8"));
    const [before, after] = await Promise.all(
      [source, bfloat].map(async (at) => JSON.parse(await readFile(join(at, "config.json"), "utf8"))),
    );
    expect(after).toEqual({ ...before, torch_dtype: "bfloat16" });
    await using written = await openModel(bfloat);
    for (const row of parameterRows(tinyConfig)) {
      expect(written.tensors.info(hfName(row.name)).dtype).toBe("BF16");
      expect(await written.weights.read(row)).toEqual((await model.weights.read(row)).map(roundToBfloat16));
    }
    const again = join(folder, "again");
    await writeHfFolder(again, written, { type: "bfloat16" });
    expect(await readFile(join(again, "model.safetensors"))).toEqual(await readFile(join(bfloat, "model.safetensors")));
  });
});

test("a run's folder whose neighbours turn together becomes one that transformers has a class for", async () => {
  await withFolder(async (folder) => {
    const source = join(folder, "source");
    await mkdir(source);
    await writeTinyFolder(source);
    const own = writeHfConfig({ config: tinyConfig, bosTokenId: 1, eosTokenIds: [2] });
    expect(own.model_type).toBe("cria");
    await atomicWriteJson(join(source, "config.json"), { ...own, pad_token_id: 0 });
    await using model = await openModel(source);
    await writeHfFolder(join(folder, "out"), model);
    const written = JSON.parse(await readFile(join(folder, "out", "config.json"), "utf8"));
    expect(written).toMatchObject({ model_type: "llama", bos_token_id: 1, eos_token_id: 2, pad_token_id: 0 });
    expect(written).not.toHaveProperty("cria");
    expect(await greedy(join(folder, "out"))).toEqual(await greedy(source));
  });
});

test("a template that stands elsewhere than in a folder is written where every release of transformers reads it", async () => {
  await withFolder(async (folder) => {
    await writeTinyFolder(folder);
    await writeTinyChat(folder, { default: tinyChatTemplate, odd: "{{ broken" });
    await using model = await openModel(folder);
    const { documents: _, ...another } = model;
    await writeHfFolder(join(folder, "out"), another);
    await using written = await openModel(join(folder, "out"));
    expect([...(await written.openChat(await written.openTokenizer())).templateTexts]).toEqual([
      ["default", tinyChatTemplate],
      ["odd", "{{ broken"],
    ]);
  });
});

test("what cannot be written leaves nothing: a number beyond the type, a folder that holds something, an abort in the middle", async () => {
  await withFolder(async (folder) => {
    await writeTinyFolder(folder, {
      tensors: (all) =>
        all.map((one) => (one.name === "model.norm.weight" ? { ...one, data: new Float32Array(tinyConfig.dim).fill(70_000) } : one)),
    });
    await using model = await openModel(folder);
    const out = join(folder, "out");
    await expect(writeHfFolder(out, model, { type: "float16" })).rejects.toThrow(
      "parameter finalNorm.gain has 70000, which is beyond the range of float16: choose another type",
    );
    await expect(writeHfFolder(folder, model)).rejects.toThrow(/it is not empty \(it holds .+\): choose another folder/);
    const control = new AbortController();
    const progress = () => control.abort(new Error("enough"));
    await expect(writeHfFolder(out, model, { signal: control.signal, progress })).rejects.toThrow("enough");
    expect(readdirSync(folder).filter((name) => name.startsWith("out"))).toEqual([]);
  });
});
