// Tokens of prepared data → the documents that they are from.
import { join } from "node:path";
import { check } from "../base/index.ts";
import type { DocumentSpan, MixtureWindow } from "../batches/index.ts";
import { openFile } from "../files/index.ts";
import { type DocumentOrigin, readOrigin } from "./origin-index.ts";
import type { PreparedData } from "./prepared.ts";

const where = "data";

/** Tokens of one document in a window, and where they are from. */
export interface TracedSpan extends Omit<DocumentSpan, "shard" | "documents"> {
  readonly source: string;
  /** The name of the shard's file. */
  readonly shard: string;
  readonly origin: DocumentOrigin;
  /** The index of the first token in the source. */
  readonly first: number;
}

/**
 * The documents of a window of `length` tokens, in their order.
 * @throws CriaError where an earlier version prepared the folder, which wrote no index of origins
 */
export async function traceWindow(
  data: PreparedData,
  { source: name, first }: MixtureWindow,
  length: number,
): Promise<readonly TracedSpan[]> {
  const index = data.sources.findIndex((one) => one.name === name);
  const [source, written] = [data.sources[index], data.manifest.sources[index]];
  check(source !== undefined && written !== undefined, where, () => `${data.folder} has no source "${name}": name the data of the run`);
  const { origins, shards } = written;
  check(
    origins !== undefined,
    where,
    () =>
      `${data.folder}: an earlier version prepared it, without the index of origins that tells where documents are from: prepare it again from the same recipe, which gives the same tokens`,
  );
  check(
    origins.files.length === shards.length,
    where,
    () =>
      `${data.folder}: "${name}" has ${shards.length} shards but ${origins.files.length} indexes of origins: it is damaged, prepare it again`,
  );
  const traced: TracedSpan[] = [];
  let at = first;
  for (const { shard, documents, ...span } of await source.tokens.documentsWithin(first, length)) {
    await using file = await openFile(join(data.folder, origins.files[shard] ?? ""), where);
    traced.push({ ...span, source: name, shard: shards[shard] ?? "", origin: await readOrigin(file, span.document, documents), first: at });
    at += span.count;
  }
  return traced;
}
