// A file at an address of any server → its path on this machine: fetched once, kept under the hash of the address, and read from there ever after.
import { createHash } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { check, fail, type OnProgress } from "../base/index.ts";
import { explainIo, makeFolder, partialPath, removePartials, syncFolder } from "../files/index.ts";
import { HubClient, TryAgain } from "./hub-client.ts";
import type { HubSettings } from "./hub-settings.ts";
import { isThere } from "./repository-cache.ts";

const where = "hub";

/** What a download of an address tells, and what stops it. */
export interface AddressOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
  /** Waits between tries, in milliseconds; tests do not. */
  readonly wait?: (milliseconds: number, signal: AbortSignal | undefined) => Promise<unknown>;
}

/** @throws CriaError when nobody answers, the answer is not good or cut short, or the disk is full; the signal's reason when it aborts */
export async function downloadAddress(text: string, settings: HubSettings, options: AddressOptions): Promise<string> {
  const address = new URL(text);
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 32);
  const name = fileName(address);
  const path = join(settings.cache, "addresses", hash, name);
  if (await isThere(path)) return path;
  check(
    !settings.isOffline,
    where,
    () => `${text}: HF_HUB_OFFLINE is set, and the cache has nothing of it (${path}): unset it to download`,
  );
  await makeFolder(dirname(path), where);
  await removePartials(dirname(path), { of: name });
  const named = { text, repository: text, isDataset: false, revision: "main", path: undefined };
  await using client = new HubClient(named, { ...settings, endpoint: address.origin, token: undefined }, { ...options, isHub: false });
  const beside = partialPath(path);
  let handle: FileHandle | undefined;
  try {
    handle = await open(beside, "w");
    await fetchTo(handle, client, address, options);
    await handle.sync();
    await handle.close();
    handle = undefined;
    await rename(beside, path);
    await syncFolder(dirname(path));
    return path;
  } catch (error) {
    await handle?.close();
    await rm(beside, { force: true });
    options.signal?.throwIfAborted();
    throw explainIo(where, path, error);
  }
}

/** Names of files may have 255 bytes, and beside this one stands that of what came of it so far. */
const longestName = 150;

/** The name of the file at an address: its last letters, because these tell its form. */
function fileName({ pathname }: URL): string {
  let name = basename(pathname);
  try {
    name = decodeURIComponent(name);
  } catch {
    // A sign that stands for no character of UTF-8 stays as it is.
  }
  return name.replace(/[^\w.-]+/g, "_").slice(-longestName) || "file";
}

/** A connection that ends early is taken up where it ended, if the server says that the file is the same still. */
async function fetchTo(handle: FileHandle, client: HubClient, address: URL, { onProgress }: AddressOptions): Promise<void> {
  let [done, total] = [0, Number.POSITIVE_INFINITY];
  let tag: string | null = null;
  await client.retry(async (progress) => {
    const identity = { "accept-encoding": "identity" };
    const answer = await client.ask(
      address,
      done > 0 && tag !== null ? { ...identity, range: `bytes=${done}-`, "if-range": tag } : identity,
    );
    const isRest = answer.status === 206 && answer.headers.get("content-range")?.startsWith(`bytes ${done}-`) === true;
    if (!isRest) done = 0;
    await handle.truncate(done);
    tag = answer.headers.get("etag")?.startsWith('"') ? answer.headers.get("etag") : null;
    const length = answer.headers.get("content-length");
    total = length === null ? Number.POSITIVE_INFINITY : done + Number(length);
    for await (const chunk of answer.body ?? []) {
      await write(handle, chunk, done).catch((error) => Promise.reject(explainIo(where, client.name.text, error)));
      done += chunk.length;
      progress();
      onProgress?.({ task: `downloading ${client.name.text}`, done, unit: "bytes", ...(total < Number.POSITIVE_INFINITY && { total }) });
    }
    if (total < Number.POSITIVE_INFINITY && done < total)
      throw new TryAgain(where, `${client.name.text}: the connection ends after ${done} of ${total} bytes`);
  });
  if (total < Number.POSITIVE_INFINITY && done !== total) fail(where, `${client.name.text}: ${done} bytes came of ${total}: try again`);
}

/** A disk that is nearly full takes a part of the bytes, and says so only when it is asked to take the others. */
async function write(handle: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
}
