// Meta's own folder: params.json, consolidated.00.pth and those behind it, tokenizer.model.
import { check } from "../base/index.ts";
import { hfWeights, isMetaFile, metaFileNames, metaModel, readTorchFile } from "../formats/index.ts";
import type { ModelFiles } from "./model-files.ts";
import type { ModelParts } from "./open-model.ts";
import { findTokenizer } from "./open-tokenizer.ts";
import type { OpenedSources } from "./opened-sources.ts";
import { readPart } from "./read-parts.ts";
import { understood } from "./understood.ts";

const params = "params.json";

/** Whether a folder with these files is Meta's. */
export function isMetaFolder(names: Iterable<string>): boolean {
  return [...names].some(isMetaFile);
}

/** @throws CriaError naming the part that is missing, damaged or another model's. */
export async function openMeta(files: ModelFiles, opened: OpenedSources): Promise<ModelParts> {
  const names = await files.list();
  check(names.includes(params), "model", () => `${files.name}: it has no ${params}, which says what its weights are: ${understood}`);
  const shards = await Promise.all(metaFileNames(files.name, names).map(async (name) => readTorchFile(await opened.open(name))));
  const { config, tensors, warnings } = metaModel(files.name, { name: files.pathOf(params), bytes: await readPart(files, params) }, shards);
  return {
    ...{ format: "Meta folder", architecture: "llama", config, tensors, weights: hfWeights(tensors), warnings, generation: {} },
    findTokenizer: () => findMetaTokenizer(files),
    namedEnds: ({ eosId }) => (eosId === undefined ? [] : [eosId]),
  };
}

/** LLaMA 1 and 2 have the tokenizer of all sizes beside their folders. */
async function findMetaTokenizer(files: ModelFiles): Promise<string> {
  const isBeside = (await files.list()).some((name) => name.startsWith("tokenizer."));
  const isAbove = !isBeside && (await files.list("..")).includes("tokenizer.model");
  return isAbove ? "../tokenizer.model" : findTokenizer(files);
}
