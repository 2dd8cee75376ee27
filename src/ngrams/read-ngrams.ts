// A model in any form that is read: what a file is shows in its first bytes.
import { readArpa } from "./arpa-read.ts";
import { isKenLm, readKenLm } from "./kenlm-read.ts";
import { ModelBuilder } from "./model-builder.ts";
import type { NgramModel } from "./ngram-model.ts";
import { isPacked, readPacked } from "./packed-read.ts";

/** Bytes of an ARPA file that are looked at together. */
const chunkBytes = 1 << 20;

/** Reads an ARPA file, or our compact form or KenLM's binary form, whose bytes the model goes on using. @throws CriaError where it is none, damaged or cut short */
export async function readNgrams(name: string, bytes: Uint8Array): Promise<NgramModel> {
  if (isKenLm(bytes)) return readKenLm(name, bytes);
  if (isPacked(bytes)) return readPacked(name, bytes);
  const builder = new ModelBuilder(name);
  await readArpa(name, chunksOf(bytes), builder);
  return builder.finish();
}

function* chunksOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += chunkBytes) yield bytes.subarray(start, start + chunkBytes);
}
