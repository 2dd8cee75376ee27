// The shards of a prepared folder as one row of tokens.

import type { Vocabulary } from "../batches/index.ts";
import { TokenStore } from "../batches/index.ts";
import { type FileSource, openFile } from "../files/index.ts";

/** @throws CriaError when a file is missing, and as {@link TokenStore.open} does */
export async function openShards(paths: readonly string[], vocabulary: Vocabulary): Promise<TokenStore> {
  const sources: FileSource[] = [];
  try {
    for (const path of paths) sources.push(await openFile(path, "data"));
  } catch (error) {
    await Promise.all(sources.map((source) => source.close()));
    throw error;
  }
  return TokenStore.open(sources, vocabulary);
}
