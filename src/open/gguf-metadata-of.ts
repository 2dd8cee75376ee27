// The metadata of GGUF files, each parsed once for as long as the files of a model are in use: its config, tokenizer and chat templates all
// stand in it.
import { type GgufMetadata, readGgufMetadata } from "../formats/index.ts";
import type { FilePlace } from "./model-files.ts";
import { withSource } from "./opened-sources.ts";

const known = new WeakMap<object, Map<string, GgufMetadata>>();

/** @throws CriaError when the file is missing or damaged */
export async function ggufMetadataOf({ files, file }: FilePlace): Promise<GgufMetadata> {
  return known.get(files)?.get(file) ?? keepGgufMetadata({ files, file }, await withSource(files, file, readGgufMetadata));
}

/** Keeps what was read of a file. */
export function keepGgufMetadata({ files, file }: FilePlace, metadata: GgufMetadata): GgufMetadata {
  const ofFiles = known.get(files) ?? new Map<string, GgufMetadata>();
  known.set(files, ofFiles.set(file, metadata));
  return metadata;
}
