// Hugging Face's model folder, which a run folder is too.
import { check, fail, sameShape } from "../base/index.ts";
import {
  hfName,
  hfWeights,
  isRedundantInHf,
  type ReadGenerationConfig,
  readGenerationConfig,
  readHfConfig,
  readSafetensors,
  readShards,
  readTorchFile,
  type TensorFile,
} from "../formats/index.ts";
import { parameterRows } from "../model/index.ts";
import type { ModelFiles } from "./model-files.ts";
import { moreTemplates } from "./open-chat.ts";
import type { ModelParts } from "./open-model.ts";
import { findTokenizer } from "./open-tokenizer.ts";
import type { OpenedSources } from "./opened-sources.ts";
import { readPart } from "./read-parts.ts";
import { understood } from "./understood.ts";

/** Where weights lie, what is looked for first on top, and how the files are read. */
const weightFiles = [
  { single: "model.safetensors", index: "model.safetensors.index.json", read: readSafetensors },
  { single: "pytorch_model.bin", index: "pytorch_model.bin.index.json", read: readTorchFile },
] as const;

/** Whether a folder with these files is one: it has a config, and weights that go with it. */
export function isHfFolder(names: readonly string[]): boolean {
  const weights = weightFiles.flatMap(({ single, index }) => [single, index]);
  return names.includes("config.json") && names.some((name) => (weights as readonly string[]).includes(name));
}

/**
 * The config among files whose weights need not be there; undefined where there is none.
 * @throws CriaError where it is damaged or of a model that cria does not compute
 */
export async function readConfig(files: ModelFiles): Promise<Pick<ModelParts, "config" | "warnings"> | undefined> {
  const bytes = await files.read("config.json", "config");
  return bytes && readHfConfig(files.pathOf("config.json"), bytes);
}

/** @throws CriaError naming the part that is missing, damaged or another model's. */
export async function openFolder(files: ModelFiles, opened: OpenedSources, signal?: AbortSignal): Promise<ModelParts> {
  const names = new Set(await files.list());
  check(names.has("config.json"), "model", () => `${files.name}: it has no config.json: ${understood}`);
  const { architecture, config, eosTokenIds, warnings } = readHfConfig(files.pathOf("config.json"), await readPart(files, "config.json"));
  const { eosTokenIds: generationEos, warnings: generationWarnings, ...generation } = await readGeneration(files);
  const tensors = await openTensors(files, names, opened);
  const rows = parameterRows(config).map(({ name, shape }) => ({ name: hfName(name), shape }));
  tensors.expect(rows, isRedundantInHf);
  if (config.tiedOutput) await checkTied(tensors, signal);
  return {
    ...{ format: "Hugging Face folder", architecture, config, tensors, weights: hfWeights(tensors), generation },
    warnings: [...warnings, ...generationWarnings],
    findTokenizer: () => findTokenizer(files),
    templatePlace: { files, file: "tokenizer.json" },
    documents: () => readDocuments(files),
    // The first that says anything: generation_config.json is newer than config.json, the tokenizer is a guess.
    namedEnds: ({ eosId }) => [generationEos, eosTokenIds, eosId === undefined ? [] : [eosId]].find((ids) => ids.length > 0) ?? [],
  };
}

const documentNames: readonly string[] = [
  ...["config.json", "generation_config.json", "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json"],
  ...["added_tokens.json", "vocab.json", "merges.txt", "chat_template.jinja"],
];

async function readDocuments(files: ModelFiles): Promise<ReadonlyMap<string, Uint8Array>> {
  const inside = (await files.list(moreTemplates)).filter((name) => name.endsWith(".jinja")).map((name) => `${moreTemplates}/${name}`);
  const names = [...(await files.list()).filter((name) => documentNames.includes(name)), ...inside];
  return new Map(await Promise.all(names.map(async (name) => [name, await readPart(files, name, "tokenizer")] as const)));
}

async function readGeneration(files: ModelFiles): Promise<ReadGenerationConfig> {
  const file = "generation_config.json";
  const bytes = await files.read(file, "config");
  return bytes ? readGenerationConfig(files.pathOf(file), bytes) : { eosTokenIds: [], warnings: [] };
}

/**
 * Holds a stored output projection against the embedding table that it is tied to. Where they differ, transformers 4 computes with the table
 * and transformers 5 with both, so that no reading of the folder is right.
 * @throws CriaError when they differ; the signal's reason when it aborts.
 */
async function checkTied(tensors: TensorFile, signal: AbortSignal | undefined): Promise<void> {
  const [output, table] = ["lm_head.weight", "model.embed_tokens.weight"] as const;
  const stored = tensors.tensors.get(output);
  if (stored === undefined) return;
  const { shape } = tensors.info(table);
  check(
    sameShape(stored.shape, shape) && (await tensors.holdSame(output, table, signal)),
    "model",
    () =>
      `${tensors.name}: ${output} differs from ${table} but config.json says tie_word_embeddings: say false to use both, or delete ${output}`,
  );
}

async function openTensors(files: ModelFiles, names: ReadonlySet<string>, opened: OpenedSources): Promise<TensorFile> {
  for (const { single, index, read } of weightFiles) {
    if (names.has(single)) return read(await opened.open(single));
    if (names.has(index)) return readShards(await opened.open(index), (name) => opened.open(name), read);
  }
  const [{ single, index }] = weightFiles;
  return fail("model", `${files.name}: it has neither ${single} nor ${index}: ${understood}`);
}
