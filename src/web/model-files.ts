// A model that was trained in a page, as the files of a Hugging Face folder, which every reader of these opens: to keep, to offer for download, to open.
import { modelDocuments } from "../formats/index.ts";
import type { LlamaConfig } from "../model/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import { partBytes, type Trainer } from "../train/index.ts";

/** Bytes by file name. @throws CriaError for a config or a tokenizer that these files cannot hold */
export async function modelFiles(trainer: Trainer, config: LlamaConfig, tokenizer: Tokenizer): Promise<Record<string, Uint8Array>> {
  const documents = Object.entries(await modelDocuments(config, tokenizer.model));
  const files = documents.map(([name, content]) => [name, content instanceof Uint8Array ? content : jsonBytes(content)] as const);
  return { ...Object.fromEntries(files), "model.safetensors": await joined(partBytes(trainer.tensors, "model")) };
}

function jsonBytes(document: object): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(document, null, 2)}\n`);
}

async function joined(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of chunks) parts.push(chunk.slice());
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
