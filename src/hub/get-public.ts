// Public inputs → files in a folder: listed as their hosts list them, fetched one after another, each resumable and held against its checksum.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { check, fail } from "../base/index.ts";
import { explainIo } from "../files/index.ts";
import { downloadFile } from "./download-file.ts";
import type { DownloadOptions } from "./hub.ts";
import { HubClient } from "./hub-client.ts";
import { hubSettings } from "./hub-settings.ts";
import { bytesLeft } from "./partial-blob.ts";
import type { PublicChoice, PublicFile, PublicInput } from "./public-inputs.ts";

const where = "data get";

/** How a host of public inputs is asked. */
export interface PublicOptions extends Pick<DownloadOptions, "signal" | "onProgress" | "env" | "wait"> {
  /** The address of another host with the same paths. */
  readonly mirror?: string | undefined;
}

/** A file whose size is known. */
export type SizedFile = Omit<PublicFile, "bytes"> & { readonly bytes: number };

/** A host of public inputs that is being asked. It is disposed of after use. */
export class PublicHost implements AsyncDisposable {
  readonly #input: PublicInput;
  readonly #root: string;
  readonly #client: HubClient;
  readonly #options: PublicOptions;

  /** @throws CriaError where the mirror is no address, or the environment wants nothing asked of the network */
  static async open(input: PublicInput, options: PublicOptions = {}): Promise<PublicHost> {
    const root = (options.mirror ?? input.host).replace(/\/+$/, "");
    check(/^https?:/.test(root) && URL.canParse(root), where, () => `mirror is "${root}" but must be an address, such as ${input.host}`);
    const settings = await hubSettings(options.env ?? process.env);
    check(
      !settings.isOffline,
      where,
      () =>
        `${input.name}: HF_HUB_OFFLINE is set, but what is public is fetched: unset it, or copy the files from a machine with a network`,
    );
    const name = { text: input.name, repository: input.name, isDataset: true, revision: "main", path: undefined };
    const ofHost = { ...settings, endpoint: new URL(root).origin, token: undefined };
    return new PublicHost(input, root, new HubClient(name, ofHost, { signal: options.signal, wait: options.wait, isHub: false }), options);
  }

  private constructor(input: PublicInput, root: string, client: HubClient, options: PublicOptions) {
    [this.#input, this.#root, this.#client, this.#options] = [input, root, client, options];
  }

  /** The files of a choice with their sizes. @throws CriaError where the host has no such list, or does not answer */
  async list(choice: PublicChoice): Promise<readonly SizedFile[]> {
    const read = async (address: string) => new Uint8Array(await (await this.#client.fetch(this.#at(address))).arrayBuffer());
    const sized: SizedFile[] = [];
    for (const file of await this.#input.list(choice, read)) sized.push({ ...file, bytes: file.bytes ?? (await this.#bytesOf(file)) });
    return sized;
  }

  /** The whole address of a file. */
  addressOf({ address }: Pick<PublicFile, "address">): string {
    return this.#at(address).href;
  }

  /**
   * Fetches a file into a folder, behind what an earlier try has left. What is there whole is left alone.
   * @returns whether anything was fetched @throws CriaError where it is damaged, or a file of another size is there; the signal's reason when it aborts
   */
  async get(file: SizedFile, folder: string): Promise<boolean> {
    const path = join(folder, file.name);
    const there = await stat(path).catch((error: NodeJS.ErrnoException) =>
      error.code === "ENOENT" ? undefined : Promise.reject(explainIo(where, path, error)),
    );
    if (there !== undefined) {
      check(
        there.size === file.bytes,
        where,
        () => `${path} has ${there.size} bytes but its host has ${file.bytes}: remove it to fetch it again`,
      );
      return false;
    }
    const before = await bytesLeft(path);
    const onBytes = (done: number) =>
      this.#options.onProgress?.({
        task: "downloading",
        done,
        total: file.bytes,
        unit: "bytes",
        note: before > 0 ? `${file.name}, of which ${before} were there` : file.name,
      });
    const wanted = { path: file.name, size: file.bytes, digest: file.sha1, isPlainSha1: true };
    await downloadFile(this.#client, { file: wanted, address: this.#at(file.address), path, onBytes });
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }

  #at(address: string): URL {
    return new URL(`${this.#root}/${address}`);
  }

  async #bytesOf({ address, name }: PublicFile): Promise<number> {
    const answer = await this.#client.retry(() => this.#client.ask(this.#at(address), { "accept-encoding": "identity" }, "HEAD"));
    const length = answer.headers.get("content-length");
    return length === null
      ? fail(where, `${name}: ${new URL(this.#root).host} does not say how long it is: name a mirror that does`)
      : Number(length);
  }
}
