// A GGUF file, or the files of a split one: config, tensors, tokenizer and chat templates are in it.
import { check, fail } from "../base/index.ts";
import {
  ggufChatSources,
  ggufPartCount,
  ggufPartNames,
  ggufWeights,
  joinGgufParts,
  type NamedHead,
  readGguf,
  readGgufConfig,
  readGgufSampling,
} from "../formats/index.ts";
import { keepGgufMetadata } from "./gguf-metadata-of.ts";
import { type FilePlace, type ModelFiles, pathOf } from "./model-files.ts";
import type { ModelParts } from "./open-model.ts";
import type { OpenedSources } from "./opened-sources.ts";

/**
 * @param place of any part of a split file.
 * @throws CriaError when a file is missing, cut short, damaged, or of a model that cria does not compute
 */
export async function openGguf({ files, file }: FilePlace, opened: OpenedSources): Promise<ModelParts> {
  const parts = await readParts(files, file, opened);
  const { file: main, name, head } = parts[0] ?? fail("model", `${files.pathOf(file)}: it has no parts`);
  const tensors = joinGgufParts(parts);
  const { pairs } = head.metadata;
  check(
    tensors.tensors.size > 0,
    "model",
    () => `${name}: it holds a vocabulary and no tensors: it is a tokenizer, name a file with a model`,
  );
  const { architecture, config, warnings } = await readGgufConfig(head.metadata, tensors);
  const { generation, warnings: samplingWarnings } = readGgufSampling(pairs, name);
  const { endIds } = ggufChatSources(pairs, name);
  return {
    ...{
      format: "GGUF",
      architecture,
      config,
      tensors,
      weights: ggufWeights(tensors),
      generation,
      warnings: [...warnings, ...samplingWarnings],
    },
    findTokenizer: () => Promise.resolve(main),
    templatePlace: { files, file: main },
    namedEnds: () => endIds,
  };
}

interface Part extends NamedHead {
  readonly file: string;
}

/** The heads of all files of the model, the first one first. */
async function readParts(files: ModelFiles, file: string, opened: OpenedSources): Promise<readonly Part[]> {
  const named = await readPart(files, file, opened);
  const count = ggufPartCount(named);
  if (count <= 1) return [named];
  const names = ggufPartNames(file);
  check(
    names?.length === count,
    "model",
    () =>
      `${pathOf({ files, file })}: it is one of ${count} files, but its name does not end in -00001-of-${String(count).padStart(5, "0")}.gguf or the like, by which the others are found: name the files as they were`,
  );
  return Promise.all((names ?? []).map((name) => (name === file ? named : readPart(files, name, opened))));
}

async function readPart(files: ModelFiles, file: string, opened: OpenedSources): Promise<Part> {
  const source = await opened.open(file);
  const head = await readGguf(source);
  keepGgufMetadata({ files, file }, head.metadata);
  return { file, name: source.name, head };
}

/**
 * The one GGUF model among the files of a folder, a split one by its first file; undefined where there is none.
 * @throws CriaError where there are several
 */
export function findGguf(folder: string, names: readonly string[]): string | undefined {
  const models = names.filter((name) => name.endsWith(".gguf")).map((name) => ggufPartNames(name)?.[0] ?? name);
  const firsts = [...new Set(models)].sort();
  check(firsts.length < 2, "model", () => `${folder}: it has several models, ${firsts.join(", ")}: name one of these files`);
  return firsts[0];
}
