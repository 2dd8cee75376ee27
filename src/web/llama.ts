// A model that writes in a page: `const llama = await Llama.open({ "model.bin": bytes, "tok512.bin": blob });`
import type { Backend } from "../backend/index.ts";
import { type ByteSource, fail, memorySource } from "../base/index.ts";
import { checkArgument, checkOptions, is, LoadedLlama, loadThere, type ModelOptions, modelRules, type Rule } from "../llama/index.ts";
import { openModel, sourceFiles } from "../open/index.ts";
import { openBackend } from "./open-backend.ts";
import { blobSource } from "./sources.ts";

/** A file's bytes: in memory, chosen by a person, or from where a source reads them. */
export type FileBytes = ArrayBuffer | Uint8Array | Blob | ByteSource;

/** Options of {@link Llama.open}: those of a model, and where it computes. */
export interface OpenOptions extends ModelOptions {
  /** Where to compute; it stays the caller's. One of {@link openBackend} by default. */
  readonly backend?: Backend;
  /** Worker threads of the default backend, 0 for none: see {@link openBackend}. */
  readonly threads?: number;
  /** The tokenizer's file among the files, where it is another than the one that the model would find. */
  readonly tokenizer?: string;
}

const openRules = { ...{ backend: is.backend, threads: is.natural, tokenizer: is.name }, ...modelRules } satisfies Record<
  keyof OpenOptions,
  Rule
>;

/** A model opened from files in a page, which continues texts, answers in chats and scores texts. */
export class Llama extends LoadedLlama {
  /**
   * Opens the files of a run folder, a Hugging Face folder or one of Meta's, by name, or a llama2.c .bin and its tokenizer's. Sources stay the caller's.
   * @throws CriaError when an argument is of the wrong type, the files are no model, a part is missing or damaged, or memory does not suffice; the
   * signal's reason when it is aborted.
   */
  static async open(files: Readonly<Record<string, FileBytes>>, options: OpenOptions = {}): Promise<Llama> {
    checkArgument("llama", "the record of files", files, is.record);
    checkOptions("llama", options, openRules);
    options.signal?.throwIfAborted();
    const { backend, threads, tokenizer, ...modelOptions } = options;
    const sources = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, sourceOf(name, bytes)]));
    const place = sourceFiles("model", sources);
    await using model = await openModel(place, { signal: options.signal });
    const beside = tokenizer === undefined ? undefined : { files: place, file: tokenizer };
    const there = async () =>
      backend ? { backend, isOwn: false } : { backend: await openBackend(threads === undefined ? {} : { threads }), isOwn: true };
    return new Llama(await loadThere(model, beside, there, modelOptions));
  }
}

function sourceOf(name: string, bytes: FileBytes): ByteSource {
  if (bytes instanceof ArrayBuffer) return memorySource(name, new Uint8Array(bytes));
  if (bytes instanceof Uint8Array) return memorySource(name, bytes);
  if (bytes instanceof Blob) return blobSource(bytes, name);
  if (typeof (bytes as Partial<ByteSource> | undefined)?.read === "function") return bytes;
  return fail("llama", `the file ${name} is ${typeof bytes} but must be an ArrayBuffer, a Uint8Array, a Blob or a ByteSource`);
}
