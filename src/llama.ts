// The library's face in Node: a model that writes. `const llama = await Llama.load("runs/demo"); for await (const text of llama.generate("Once")) …`
import type { Backend } from "./backend/index.ts";
import { atomicWrite, readWhole } from "./files/index.ts";
import { openCpuBackend } from "./host/index.ts";
import type { RestoreOptions } from "./infer/index.ts";
import {
  checkArgument,
  checkOptions,
  is,
  LoadedLlama,
  loadThere,
  type ModelOptions,
  modelRules,
  type Prompt,
  type RestoredText,
  type Rule,
  type SaveOptions,
} from "./llama/index.ts";
import { openModel } from "./load/index.ts";

/** Options of {@link Llama.load}: those of a model, and where it computes. */
export interface LoadOptions extends ModelOptions {
  /** Where to compute; it stays the caller's. This machine's CPU by default. */
  readonly backend?: Backend;
  /** Worker threads of the default backend; CRIA_THREADS or one per core by default. */
  readonly threads?: number;
  /** A folder for compiled kernels, which later processes need not compile again, or `off`; CRIA_CACHE or the system's folder for caches by default. */
  readonly codeCache?: string;
  /** A tokenizer's file of any form, a folder that holds one, or `hf:owner/name`, where it does not lie beside the model. */
  readonly tokenizer?: string;
}

const loadRules = {
  ...{ backend: is.backend, threads: is.count, codeCache: is.name, tokenizer: is.name },
  ...modelRules,
} satisfies Record<keyof LoadOptions, Rule>;

/** A model loaded from a path, which continues texts, answers in chats and scores texts. It holds memory and threads until it is disposed of. */
export class Llama extends LoadedLlama {
  /**
   * Loads a run folder, a Hugging Face folder, a GGUF, a llama2.c .bin, or a model of Hugging Face's hub, `hf:owner/name`, `hf:owner/name@revision` or
   * `hf:owner/name:file`, which is downloaded where the hub's cache on this machine lacks it.
   * @throws CriaError when an argument is of the wrong type, it is no model, a part is missing or damaged, the tokenizer or a chat template belongs to
   * another model, or memory does not suffice; the signal's reason when it is aborted.
   */
  static async load(path: string, options: LoadOptions = {}): Promise<Llama> {
    checkArgument("llama", "the path", path, is.name);
    checkOptions("llama", options, loadRules);
    options.signal?.throwIfAborted();
    const { backend, threads, codeCache, tokenizer: tokenizerFile, ...modelOptions } = options;
    await using model = await openModel(path, { signal: options.signal, onProgress: options.onProgress });
    const openBackend = async () =>
      backend
        ? { backend, isOwn: false }
        : { backend: await openCpuBackend({ ...(threads !== undefined && { threads }), codeCache }), isOwn: true };
    return new Llama(await loadThere(model, tokenizerFile, openBackend, modelOptions));
  }

  /**
   * Saves what the model knows of a text to a file, as `saveBytes` gives it: after a crash or a full disk the file that was there before is whole.
   * @throws CriaError as `saveBytes`, and where the file cannot be written
   */
  async save(path: string, text: Prompt, options: SaveOptions = {}): Promise<void> {
    checkArgument("llama", "the path", path, is.name);
    await atomicWrite(path, await this.saveBytes(text, options), "llama");
  }

  /** Puts back a text from a file that {@link save} wrote. @throws CriaError as `restoreBytes`, naming the file */
  async restore(path: string, options: Omit<RestoreOptions, "name"> = {}): Promise<RestoredText> {
    checkArgument("llama", "the path", path, is.name);
    return this.restoreBytes(await readWhole(path, "llama", "session"), { ...options, name: path });
  }
}
