// llama2.c's model .bin with the tokenizer .bin beside it.
import { check, fail } from "../base/index.ts";
import { hfWeights, readLlama2c } from "../formats/index.ts";
import type { LlamaConfig } from "../model/index.ts";
import { type FilePlace, pathOf } from "./model-files.ts";
import type { ModelParts } from "./open-model.ts";
import type { OpenedSources } from "./opened-sources.ts";
import { understood } from "./understood.ts";

/** @throws CriaError when the file is of another kind, cut short or damaged. */
export async function openLlama2c(place: FilePlace, opened: OpenedSources): Promise<ModelParts> {
  const { file } = place;
  check(isBin(file), "model", () => `${pathOf(place)}: ${explainFile(file)}`);
  const { config, tensors } = await readLlama2c(await opened.open(file));
  return {
    ...{ format: "llama2.c", architecture: "llama", config, tensors, weights: hfWeights(tensors), generation: {}, warnings: [] },
    findTokenizer: () => findTokenizer(place, config),
    // run.c stops at the begin-of-text token: its models learnt from texts in a row, each behind one.
    namedEnds: ({ bosId, eosId }) => [bosId, eosId].filter((id) => id !== undefined),
  };
}

/** The one model .bin among files without a config.json; undefined where there is none, or more than one. */
export function findLlama2c(names: readonly string[]): string | undefined {
  const bins = names.filter((name) => isBin(name) && !/^tok(?:enizer|\d+)\.bin$/.test(name));
  return bins.length === 1 ? bins[0] : undefined;
}

/** Whether it is a .bin that is not PyTorch's by its name. */
function isBin(file: string): boolean {
  return file.endsWith(".bin") && !file.startsWith("pytorch_model");
}

/** run.c looks for tokenizer.bin; vocabularies of other sizes are called tok512.bin, tok4096.bin, … */
async function findTokenizer(place: FilePlace, { vocabSize }: LlamaConfig): Promise<string> {
  const beside = new Set(await place.files.list());
  const candidates = [`tok${vocabSize}.bin`, "tokenizer.bin"];
  const found = candidates.find((name) => beside.has(name) && name !== place.file);
  if (found !== undefined) return found;
  return fail(
    "model",
    `${pathOf(place)}: its tokenizer is missing: put ${candidates.join(" or ")} beside it, or name another file as the tokenizer`,
  );
}

function explainFile(file: string): string {
  if (/\.(?:safetensors|pth|bin)$/.test(file)) return "weights alone are no model: name the folder that holds its config.json too";
  return `it is no model: ${understood}`;
}
