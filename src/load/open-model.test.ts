import { readdirSync } from "node:fs";
import { readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { referenceBackend } from "../backend/reference/index.ts";
import { atomicWriteJson } from "../files/index.ts";
import { hfName, type TensorToWrite } from "../formats/index.ts";
import { Llama } from "../index.ts";
import { parameterRows } from "../model/index.ts";
import { openModel } from "./index.ts";
import { tinyConfig, tinyTokenizer, tinyWeights, withFolder, writeTinyBin, writeTinyFolder } from "./tiny-model.test.helper.ts";

const weights = tinyWeights(tinyConfig);

test.each([1, 3])("a folder, its weights in %i files", async (shards) => {
  await withFolder(async (folder) => {
    await writeTinyFolder(folder, { shards });
    await using model = await openModel(folder);
    expect(model).toMatchObject({ path: folder, format: "Hugging Face folder", config: { ...tinyConfig, ropePairing: "half" } });
    expect([...model.tensors.tensors.keys()].sort()).toEqual([...weights.keys()].sort());
    for (const name of ["model.norm.weight", "model.layers.1.mlp.down_proj.weight"])
      expect(await model.tensors.readFloat32(name)).toEqual(weights.get(name));
    const tokenizer = await model.openTokenizer();
    expect(tokenizer.model.pieces).toEqual(tinyTokenizer.pieces);
    expect((await model.openChat(tokenizer)).endOfTurn).toEqual([2]);
  });
});

test("a llama2.c .bin with its tokenizer, which stops at both ends of a text", async () => {
  await withFolder(async (folder) => {
    await using model = await openModel(await writeTinyBin(folder));
    expect(model).toMatchObject({ format: "llama2.c", config: tinyConfig, generation: {} });
    for (const { name } of parameterRows(tinyConfig))
      expect(await model.tensors.readFloat32(hfName(name)), name).toEqual(weights.get(hfName(name)));
    const tokenizer = await model.openTokenizer();
    expect(tokenizer.model).toEqual(tinyTokenizer);
    expect((await model.openChat(tokenizer)).endOfTurn).toEqual([1, 2]);
  });
});

test("a tokenizer.json serves a .bin, and tokenizer.bin is found too", async () => {
  await withFolder(async (folder) => {
    await writeTinyFolder(folder);
    const path = await writeTinyBin(folder);
    await rename(join(folder, "tok265.bin"), join(folder, "tokenizer.bin"));
    await using model = await openModel(path);
    const [own, json] = [await model.openTokenizer(), await model.openTokenizer(join(folder, "tokenizer.json"))];
    expect([...json.encode("ab a b")]).toEqual([...own.encode("ab a b")]);
  });
});

test("generation_config.json speaks before config.json, and config.json before the tokenizer", async () => {
  await withFolder(async (folder) => {
    await writeTinyFolder(folder);
    const stopIds = async () => {
      await using model = await openModel(folder);
      return [model.namedEnds(await model.openTokenizer()), model.generation];
    };
    await atomicWriteJson(join(folder, "generation_config.json"), { eos_token_id: [5, 6], temperature: 0.3, do_sample: true });
    expect(await stopIds()).toEqual([[5, 6], { temperature: 0.3 }]);
    await atomicWriteJson(join(folder, "generation_config.json"), { top_k: 3 });
    expect(await stopIds()).toEqual([[2], { topK: 3 }]);
    const config = JSON.parse(await readFile(join(folder, "config.json"), "utf8"));
    await atomicWriteJson(join(folder, "config.json"), { ...config, eos_token_id: null });
    expect(await stopIds()).toEqual([[2], { topK: 3 }]);
  });
});

const tiedTable = (tensors: readonly TensorToWrite[]) => tensors.find(({ name }) => name === "model.embed_tokens.weight")!;

test("what old exports carry beside the parameters does not disturb", async () => {
  await withFolder(async (folder) => {
    for (const shards of [1, 2]) {
      await writeTinyFolder(folder, {
        shards,
        tensors: (all) => [
          ...all,
          { ...tiedTable(all), name: "lm_head.weight" },
          {
            name: "model.layers.0.self_attn.rotary_emb.inv_freq",
            dtype: "F32",
            shape: [2],
            data: new Float32Array(tinyConfig.headDim / 2),
          },
        ],
      });
      await using model = await openModel(folder);
      expect(model.config.tiedOutput).toBe(true);
      await rm(join(folder, "model.safetensors"), { force: true });
    }
  });
});

test("a stored output that differs from the embedding table it is tied to is refused, naming both", async () => {
  await withFolder(async (folder) => {
    const message = "lm_head.weight differs from model.embed_tokens.weight but config.json says tie_word_embeddings: say false to use both";
    const last = tinyConfig.vocabSize * tinyConfig.dim - 1;
    await writeTinyFolder(folder, {
      tensors: (all) => [...all, { ...tiedTable(all), name: "lm_head.weight", data: changedAt(tiedTable(all).data as Float32Array, last) }],
    });
    await expect(openModel(folder)).rejects.toThrow(message);
    await writeTinyFolder(folder, {
      tensors: (all) => [
        ...all,
        { name: "lm_head.weight", dtype: "F32", shape: [1, 1], data: (tiedTable(all).data as Float32Array).slice(0, 1) },
      ],
    });
    await expect(openModel(folder)).rejects.toThrow(message);
    const config = JSON.parse(await readFile(join(folder, "config.json"), "utf8"));
    await writeTinyFolder(folder, { tensors: (all) => [...all, { ...tiedTable(all), name: "lm_head.weight" }] });
    await atomicWriteJson(join(folder, "config.json"), { ...config, tie_word_embeddings: false });
    await using model = await openModel(folder);
    expect(model.config.tiedOutput).toBe(false);
  });
});

function changedAt(values: Float32Array, at: number): Float32Array {
  const changed = values.slice();
  changed[at]! += 1e-3;
  return changed;
}

test("biases that are stored although the config does not name them are refused", async () => {
  await withFolder(async (folder) => {
    const bias = { name: "model.layers.0.self_attn.q_proj.bias", dtype: "F32", shape: [16], data: new Float32Array(16) } as const;
    await writeTinyFolder(folder, { tensors: (all) => [...all, bias] });
    await expect(openModel(folder)).rejects.toThrow(`tensor "${bias.name}" is not part of the model that the config describes`);
  });
});

test("what both configs say and cria does not follow is told, a sentence each", async () => {
  await withFolder(async (folder) => {
    await writeTinyFolder(folder);
    const config = JSON.parse(await readFile(join(folder, "config.json"), "utf8"));
    await atomicWriteJson(join(folder, "config.json"), { ...config, prefix: "Once" });
    await atomicWriteJson(join(folder, "generation_config.json"), { num_beams: 3, top_k: 7 });
    await using model = await openModel(folder);
    expect(model.warnings).toEqual([
      expect.stringMatching(/^\[config\] .*config\.json: prefix is the string "Once", but cria puts no text/),
      expect.stringMatching(
        /^\[generation_config\] .*generation_config\.json: num_beams is the number 3, but cria writes one text at a time/,
      ),
    ]);
    expect(model.generation).toEqual({ topK: 7 });
  });
});

describe("what is wrong is said", () => {
  const folderCases: [what: string, spoil: (folder: string) => Promise<unknown>, message: string | RegExp][] = [
    ["no config", (f) => rm(join(f, "config.json")), "it has no config.json: cria opens Hugging Face and run folders"],
    ["no weights", (f) => rm(join(f, "model.safetensors")), "it has neither model.safetensors nor model.safetensors.index.json"],
    [
      "PyTorch's weights",
      (f) => rename(join(f, "model.safetensors"), join(f, "pytorch_model.bin")),
      "pytorch_model.bin: it is none of PyTorch's files, or it is damaged",
    ],
    [
      "Meta's folder",
      (f) => Promise.all([rename(join(f, "model.safetensors"), join(f, "consolidated.00.pth")), rm(join(f, "config.json"))]),
      "it has no params.json, which says what its weights are",
    ],
    ["weights cut short", (f) => truncate(join(f, "model.safetensors"), 5000), /ends at byte \d+ but the file has 5000/],
    ["a config that is no JSON", (f) => writeFile(join(f, "config.json"), "{"), /config\.json: its text is not JSON/],
    ["a generation config of the wrong kind", (f) => writeFile(join(f, "generation_config.json"), '{"top_p": "x"}'), "top_p is"],
  ];

  test.each(folderCases)("%s", async (_, spoil, message) => {
    await withFolder(async (folder) => {
      await writeTinyFolder(folder);
      await spoil(folder);
      await expect(openModel(folder)).rejects.toThrow(message);
    });
  });

  test("weights that are not the config's", async () => {
    await withFolder(async (folder) => {
      await writeTinyFolder(folder, { tensors: (all) => all.slice(1) });
      await expect(openModel(folder)).rejects.toThrow('it has no tensor "model.embed_tokens.weight"');
      await writeTinyFolder(folder, { tensors: (all) => [...all, { name: "odd", dtype: "F32", shape: [1], data: new Float32Array(1) }] });
      await expect(openModel(folder)).rejects.toThrow('tensor "odd" is not part of the model that the config describes');
      await writeTinyFolder(folder, { tensors: ([first, ...all]) => [{ ...first!, shape: [16, 265] }, ...all] });
      await expect(openModel(folder)).rejects.toThrow("is [16, 265] but the model's is [265, 16]");
    });
  });

  test("a tokenizer that is missing, another model's or damaged", async () => {
    await withFolder(async (folder) => {
      await writeTinyFolder(folder);
      await using model = await openModel(folder);
      const other = join(folder, "other.json");
      const tokenizer = JSON.parse(await readFile(join(folder, "tokenizer.json"), "utf8"));
      tokenizer.model.vocab.new = 265;
      await writeFile(other, JSON.stringify(tokenizer));
      await expect(model.openTokenizer(other)).rejects.toThrow(
        "it has 266 pieces but the model has 265 tokens: it belongs to another model",
      );
      await writeFile(other, "{");
      await expect(model.openTokenizer(other)).rejects.toThrow("other.json");
      await writeFile(other, Uint8Array.of(0xff));
      await expect(model.openTokenizer(other)).rejects.toThrow("its text is not UTF-8");
      await expect(model.openTokenizer(join(folder, "none.json"))).rejects.toThrow("none.json: no such file or folder");
      await writeFile(join(folder, "tokenizer_config.json"), "{");
      await expect(model.openTokenizer()).rejects.toThrow("tokenizer_config.json: its text is not JSON");
      await writeFile(join(folder, "tokenizer_config.json"), '{"bos_token": "<s>", "bos_token": "</s>"}');
      await expect(model.openTokenizer()).rejects.toThrow('tokenizer_config.json: it has "bos_token" twice');
      await rm(join(folder, "tokenizer_config.json"));
      await atomicWriteJson(join(folder, "added_tokens.json"), { "[X]": tinyConfig.vocabSize + 1, "[Y]": tinyConfig.vocabSize });
      expect((await model.openTokenizer()).pieceToId("[X]")).toBe(tinyConfig.vocabSize + 1);
      await rm(join(folder, "tokenizer.json"));
      await using again = await openModel(folder);
      await expect(again.openTokenizer()).rejects.toThrow("it has no tokenizer.json: name a file: tokenizer.json, tokenizer.model");
    });
  });

  test("added tokens beyond the model's tokens, where they are used", async () => {
    await withFolder(async (folder) => {
      await writeTinyFolder(folder);
      const path = join(folder, "tokenizer.json");
      const tokenizer = JSON.parse(await readFile(path, "utf8"));
      tokenizer.added_tokens.push({ id: 265, content: "<new>", special: true });
      await writeFile(path, JSON.stringify(tokenizer));
      await using model = await openModel(folder);
      const opened = await model.openTokenizer();
      expect([...opened.encode("a<new>", { parseSpecial: true })]).toEqual([...opened.encode("a"), 265]);
      expect((await model.openChat(opened)).endOfTurn).toEqual([2]);

      await using llama = await Llama.load(folder, { backend: referenceBackend() });
      const write = async (prompt: string) => {
        for await (const _ of llama.generate(prompt, { parseSpecial: true, maxTokens: 1 }));
      };
      await write("a");
      await expect(write("a<new>")).rejects.toThrow("token 265 is outside the model's vocabulary of 265");

      await atomicWriteJson(join(folder, "generation_config.json"), { eos_token_id: [2, 265] });
      await using both = await openModel(folder);
      expect((await both.openChat(opened)).endOfTurn).toEqual([2]);
      await atomicWriteJson(join(folder, "generation_config.json"), { eos_token_id: 265 });
      await using stopping = await openModel(folder);
      await expect(stopping.openChat(opened)).rejects.toThrow(
        "token 265 ends a text, but the model has 265 tokens and the tokenizer 266: correct eos_token_id or the tokenizer",
      );
      await rm(join(folder, "generation_config.json"));

      const special_tokens = { "<new>": { id: "<new>", ids: [265], tokens: ["<new>"] } };
      const single = [{ SpecialToken: { id: "<new>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }];
      await writeFile(
        path,
        JSON.stringify({ ...tokenizer, post_processor: { type: "TemplateProcessing", single, pair: [], special_tokens } }),
      );
      await using putting = await openModel(folder);
      await expect(putting.openTokenizer()).rejects.toThrow("it puts token 265 (<new>) around every text, but the model has 265 tokens");
    });
  });

  test("files and names that are no model", async () => {
    await withFolder(async (folder) => {
      const path = await writeTinyBin(folder);
      await rm(join(folder, "tok265.bin"));
      await using model = await openModel(path);
      await expect(model.openTokenizer()).rejects.toThrow(
        "put tok265.bin or tokenizer.bin beside it, or name another file as the tokenizer",
      );
      await truncate(path, 999);
      await expect(openModel(path)).rejects.toThrow("the file has 999");
      for (const [name, message] of [
        ["a.gguf", "it ends at byte 1 within its head"],
        ["a.safetensors", "weights alone are no model"],
        ["pytorch_model.bin", "weights alone are no model"],
        ["model.pth", "weights alone are no model"],
        ["a.txt", "it is no model: cria opens"],
      ] as const) {
        await writeFile(join(folder, name), "x");
        await expect(openModel(join(folder, name))).rejects.toThrow(message);
      }
      await expect(openModel(join(folder, "none"))).rejects.toThrow("none: no such file or folder");
    });
  });
});

test.skipIf(process.platform !== "linux")("files are closed, also after an error", async () => {
  await withFolder(async (folder) => {
    const open = () => readdirSync("/proc/self/fd").length;
    await writeTinyFolder(folder, { shards: 3 });
    const before = open();
    await (await openModel(folder)).close();
    await truncate(join(folder, "model-3-of-3.safetensors"), 100);
    await expect(openModel(folder)).rejects.toThrow();
    expect(open()).toBe(before);
  });
});
