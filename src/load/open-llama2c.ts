// llama2.c's model .bin with the tokenizer .bin beside it.
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { check, fail } from "../base/index.ts";
import { readLlama2c } from "../formats/index.ts";
import type { LlamaConfig } from "../model/index.ts";
import type { OpenFiles } from "./open-files.ts";
import type { ModelParts } from "./open-model.ts";
import { understood } from "./understood.ts";

/** @throws CriaError when the file is of another kind, cut short or damaged. */
export async function openLlama2c(path: string, files: OpenFiles): Promise<ModelParts> {
  check(path.endsWith(".bin"), "model", () => `${path}: ${explainFile(path)}`);
  const { config, tensors } = await readLlama2c(await files.open(path));
  return {
    ...{ format: "llama2.c", config, tensors, generation: {}, warnings: [] },
    findTokenizer: () => findTokenizer(path, config),
    // run.c stops at the begin-of-text token: its models learnt from texts in a row, each behind one.
    namedEnds: ({ bosId, eosId }) => [bosId, eosId].filter((id) => id !== undefined),
  };
}

/** The one model .bin of a folder without a config.json; undefined where there is none, or more than one. */
export async function findLlama2c(folder: string): Promise<string | undefined> {
  const names = await readdir(folder);
  const bins = names.filter((name) => name.endsWith(".bin") && !/^tok(?:enizer|\d+)\.bin$/.test(name));
  return names.includes("config.json") || bins.length !== 1 ? undefined : join(folder, bins[0]!);
}

/** run.c looks for tokenizer.bin; vocabularies of other sizes are called tok512.bin, tok4096.bin, … */
async function findTokenizer(path: string, { vocabSize }: LlamaConfig): Promise<string> {
  const beside = new Set(await readdir(dirname(path)));
  const candidates = [`tok${vocabSize}.bin`, "tokenizer.bin"];
  const found = candidates.find((name) => beside.has(name) && name !== basename(path));
  if (found !== undefined) return join(dirname(path), found);
  return fail("model", `${path}: its tokenizer is missing: put ${candidates.join(" or ")} beside it, or name one (--tokenizer FILE)`);
}

function explainFile(path: string): string {
  if (path.endsWith(".safetensors")) return "weights alone are no model: name the folder that holds its config.json too";
  return `${path.endsWith(".gguf") ? "GGUF is not understood" : "it is no model"}: ${understood}`;
}
