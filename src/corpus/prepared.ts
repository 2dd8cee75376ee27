// A folder that `prepare` wrote, opened for training.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { check } from "../base/index.ts";
import type { TokenStore, Vocabulary } from "../batches/index.ts";
import { Mixture, type MixtureOptions, type MixtureSource } from "../batches/index.ts";
import { explainIo } from "../files/index.ts";
import { type Manifest, manifestName, manifestSchema } from "./manifest.ts";
import { openShards } from "./open-shards.ts";
import { readJson } from "./read-yaml.ts";
import { heldOutName } from "./recipe.ts";
import { formCalled, readDocuments } from "./texts/index.ts";

const where = "data";

/** A folder of prepared data whose shards are open. */
export class PreparedData implements AsyncDisposable {
  readonly folder: string;
  readonly manifest: Manifest;
  /** Ready for a `Mixture`. */
  readonly sources: readonly (MixtureSource & { readonly tokens: TokenStore })[];
  /** Absent when the recipe held nothing out. */
  readonly heldOut: TokenStore | undefined;

  /**
   * Opens every shard, and checks it against the manifest.
   * @param vocabulary the tokenizer's (`vocabularyOf`), to refuse data of another; the manifest's own when absent
   * @throws CriaError when the folder was not prepared to the end, is damaged or of another vocabulary
   */
  static async open(folder: string, vocabulary?: Vocabulary): Promise<PreparedData> {
    const names = await readdir(folder).catch((error) => {
      throw explainIo(where, folder, error);
    });
    check(
      names.includes(manifestName),
      where,
      () => `${folder}: it has no ${manifestName}, so it is no prepared data: name another folder`,
    );
    const manifest = await readJson(join(folder, manifestName), manifestSchema, where);
    const opened: TokenStore[] = [];
    try {
      for (const part of [...manifest.sources, ...(manifest.heldOut === undefined ? [] : [manifest.heldOut])]) {
        const store = await openShards(
          part.shards.map((shard) => join(folder, shard)),
          vocabulary ?? manifest.vocabulary,
        );
        opened.push(store);
        for (const key of ["tokens", "documents", "bytes"] as const)
          check(
            store.totals[key] === part[key],
            where,
            () =>
              `${folder}: ${part.shards.join(", ")} hold ${store.totals[key]} ${key} but the manifest says ${part[key]}: prepare it again`,
          );
      }
    } catch (error) {
      await Promise.all(opened.map((store) => store.close()));
      throw error;
    }
    return new PreparedData(folder, manifest, opened);
  }

  private constructor(folder: string, manifest: Manifest, stores: readonly TokenStore[]) {
    this.folder = folder;
    this.manifest = manifest;
    this.sources = manifest.sources.map(({ name, weight }, i) => ({ name, weight, tokens: stores[i]! }));
    this.heldOut = stores[manifest.sources.length];
  }

  /**
   * The training batches, from their beginning.
   * @throws CriaError where documents are to be kept apart and only their beginnings are marked: nothing would teach a model where a text ends
   */
  mixture(options: MixtureOptions): Mixture {
    const { boundaries } = this.manifest;
    check(
      options.documentMask !== true || boundaries !== "bos",
      where,
      () =>
        `${this.folder}: documentMask is true but boundaries are "${boundaries}", so that no token would predict the end of a text: prepare the data with boundaries "both" or "eos", or leave documentMask out`,
    );
    return new Mixture(this.sources, options);
  }

  /** The held-out texts, in the order of their tokens. */
  async *heldOutTexts(): AsyncGenerator<string> {
    if (this.manifest.heldOut === undefined) return;
    yield* readHeldOut(join(this.folder, this.manifest.heldOut.text));
  }

  /** What tells these shards from others, by source and for "held-out": see `TokenStore.fingerprint`. */
  async fingerprints(): Promise<Record<string, string>> {
    const stores = [...this.sources.map(({ name, tokens }) => [name, tokens] as const), [heldOutName, this.heldOut] as const];
    const rows = stores.map(async ([name, store]) => (store === undefined ? [] : [[name, await store.fingerprint()] as const]));
    return Object.fromEntries((await Promise.all(rows)).flat());
  }

  async close(): Promise<void> {
    await Promise.all([...this.sources.map(({ tokens }) => tokens), this.heldOut].map((store) => store?.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** The texts of a file of held-out documents, as they were written. */
export function readHeldOut(path: string): AsyncGenerator<string> {
  return readDocuments({ path, name: path, form: formCalled("jsonl") }, { newlines: "keep" }, { where });
}
