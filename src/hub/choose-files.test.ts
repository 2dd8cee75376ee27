import { describe, expect, test } from "vitest";
import { chooseConfig, chooseModel, chooseShards, chooseTokenizer } from "./choose-files.ts";
import { parseHubName } from "./hub-name.ts";
import type { ListedFile } from "./repository.ts";

const list = (...paths: readonly string[]): ListedFile[] => paths.map((path, i) => ({ path, size: 1e9 * (paths.length - i) }));
const folder = ["README.md", "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"];
const chat = ["chat_template.jinja", "additional_chat_templates/tool_use.jinja", "special_tokens_map.json"];

function model(name: string, ...paths: readonly string[]) {
  const { small, large, opened, index } = chooseModel(list(...paths), parseHubName(name));
  return { files: [...small, ...large].map(({ path }) => path), opened, index: index?.path };
}

describe("a model of", () => {
  test("a Hugging Face folder: what is read of it, the weights last", () => {
    const others = ["model.fp16.safetensors", "onnx/model.onnx", "pytorch_model.bin", "flax_model.msgpack", "tiny-q8_0.gguf"];
    const chosen = model("hf:a/b", ...folder, ...chat, ...others);
    expect(new Set(chosen.files)).toEqual(new Set([...folder.slice(1), ...chat]));
    expect(chosen).toMatchObject({ opened: "", index: undefined });
    expect(chosen.files.at(-1)).toBe("model.safetensors");
  });

  test("an index, which names the shards", () => {
    const shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
    const all = list("config.json", "model.safetensors.index.json", ...shards);
    const { small, large, index } = chooseModel(all, parseHubName("hf:a/b"));
    expect(large).toEqual([]);
    expect(small.map(({ path }) => path)).toEqual(["config.json", "model.safetensors.index.json"]);
    expect(chooseShards(all, index!, shards, parseHubName("hf:a/b")).map(({ path }) => path)).toEqual(shards);
  });

  test("a folder inside of the repository", () => {
    const inside = folder.map((path) => `fine/tuned/${path}`);
    const chosen = model("hf:a/b:fine/tuned", ...folder, ...inside);
    expect(new Set(chosen.files)).toEqual(new Set(inside.slice(1)));
    expect(chosen.opened).toBe("fine/tuned");
    expect(() => model("hf:a/b", ...inside)).toThrow("its folder fine/tuned may be one: hf:a/b:fine/tuned");
  });

  test.each(["hf:a/b:x-Q4_K_M.gguf", "hf:a/b:q4_k_m", "hf:a/b:Q4_K_M"])("one GGUF of several, by file or type: %s", (name) => {
    const ggufs = ["x-Q4_K_M.gguf", "x-Q4_K_S.gguf", "x-Q8_0.gguf", "mmproj-x-Q4_K_M.gguf", "config.json", "README.md"];
    expect(model(name, ...ggufs)).toEqual({ files: ["x-Q4_K_M.gguf"], opened: "x-Q4_K_M.gguf", index: undefined });
    expect(() => model("hf:a/b", ...ggufs)).toThrow(
      "it has 3 models: name one of\n  hf:a/b:x-Q8_0.gguf  4 GB\n  hf:a/b:x-Q4_K_S.gguf  5 GB\n  hf:a/b:x-Q4_K_M.gguf  6 GB",
    );
  });

  test("GGUF in splits: all of them, opened by the first", () => {
    const splits = ["q/x-00001-of-00003.gguf", "q/x-00002-of-00003.gguf", "q/x-00003-of-00003.gguf"];
    for (const name of ["hf:a/b", "hf:a/b:q", "hf:a/b:q/x-00001-of-00003.gguf", "hf:a/b:q/x-00003-of-00003.gguf"])
      expect(model(name, splits[1]!, "README.md", splits[0]!, splits[2]!)).toMatchObject({ files: splits, opened: splits[0] });
  });

  test("PyTorch's files, where there are no safetensors", () => {
    expect(model("hf:a/b", "config.json", "pytorch_model.bin", "x.gguf")).toMatchObject({
      files: ["config.json", "pytorch_model.bin"],
      opened: "",
    });
    const [index, shard] = ["pytorch_model.bin.index.json", "pytorch_model-00001-of-00001.bin"];
    expect(model("hf:a/b", "config.json", index, shard)).toMatchObject({ files: ["config.json", index], index });
  });

  test("Meta, in its folder of a repository", () => {
    const meta = ["params.json", "tokenizer.model", "consolidated.00.pth", "consolidated.01.pth"].map((file) => `original/${file}`);
    expect(model("hf:a/b:original", ...folder, ...meta)).toEqual({ files: meta, opened: "original", index: undefined });
    expect(model("hf:a/b", ...folder, ...meta).opened).toBe("");
    expect(() => model("hf:a/b", "README.md", ...meta)).toThrow("its folder original may be one: hf:a/b:original");
  });

  test("llama2.c, with the tokenizers beside it", () => {
    const files = ["stories260K/stories260K.bin", "stories260K/tok512.bin", "stories260K/readme.md", "stories15M.bin", "stories42M.bin"];
    const chosen = model("hf:karpathy/tinyllamas:stories260K", ...files);
    expect(chosen).toMatchObject({ files: files.slice(0, 2).reverse(), opened: files[0] });
    expect(model("hf:karpathy/tinyllamas:stories15M.bin", ...files)).toMatchObject({ files: [files[3]], opened: files[3] });
  });

  test.each([
    ["hf:a/b", ["adapter_config.json", "adapter_model.safetensors"], "it is an adapter, not a model"],
    ["hf:a/b", ["README.md"], "it holds no model that cria opens: no config.json with"],
    ["hf:a/b:model.safetensors", folder, "model.safetensors alone is no model: name its folder, hf:a/b, or"],
    ["hf:a/b:sub/model.safetensors", ["sub/model.safetensors"], "name its folder, hf:a/b:sub, or"],
    ["hf:a/b:Q4", ["x-Q4_0.gguf", "x-Q5_0.gguf"], "has no file Q4: it has x-Q4_0.gguf, x-Q5_0.gguf"],
    ["hf:a/b", ["one.bin", "two.bin"], "it has 2 models: name one of\n  hf:a/b:two.bin"],
  ])("%s with %j is none: it is said why", (name, files, message) => expect(() => model(name, ...files)).toThrow(message));
});

test("a config alone is what says a model's sizes, where it is a file of its own", () => {
  const config = (name: string, ...paths: readonly string[]) => {
    const { small, large, opened } = chooseConfig(list(...paths), parseHubName(name));
    return [[...small, ...large].map(({ path }) => path), opened];
  };
  expect(config("hf:a/b", ...folder)).toEqual([["config.json"], ""]);
  expect(config("hf:a/b:sub", "config.json", "sub/config.json", "sub/model.safetensors")).toEqual([["sub/config.json"], "sub"]);
  expect(config("hf:a/b", "x.gguf", "README.md")).toEqual([["x.gguf"], "x.gguf"]);
});

describe("a tokenizer of", () => {
  const tokenizer = (name: string, ...paths: readonly string[]) => {
    const { small, large, opened } = chooseTokenizer(list(...paths), parseHubName(name));
    return { files: [...small, ...large].map(({ path }) => path), opened };
  };

  test("a folder, without weights", () => {
    const chosen = tokenizer("hf:a/b", ...folder, ...chat);
    expect(new Set(chosen.files)).toEqual(new Set([...folder.slice(1, -1), ...chat]));
    expect(chosen.opened).toBe("");
  });

  test("a file, with what speaks of it", () => {
    const chosen = tokenizer("hf:a/b:original/tokenizer.model", ...folder, "original/tokenizer.model", "original/params.json");
    expect(chosen).toEqual({ files: ["original/tokenizer.model"], opened: "original/tokenizer.model" });
    expect(tokenizer("hf:a/b:tokenizer.json", ...folder).files).toContain("tokenizer_config.json");
  });

  test("the only GGUF, of which the first split holds it", () => {
    const splits = ["x-00001-of-00002.gguf", "x-00002-of-00002.gguf"];
    expect(tokenizer("hf:a/b", ...splits)).toEqual({ files: splits.slice(0, 1), opened: splits[0] });
    expect(tokenizer("hf:a/b:Q8_0", "x-Q4_0.gguf", "x-Q8_0.gguf").opened).toBe("x-Q8_0.gguf");
    expect(() => tokenizer("hf:a/b", "x.gguf", "y.gguf")).toThrow("it has several .gguf files, x.gguf, y.gguf: name a file");
    expect(() => tokenizer("hf:a/b", "model.safetensors")).toThrow("no tokenizer.json, no tokenizer.model and no .gguf");
  });
});
