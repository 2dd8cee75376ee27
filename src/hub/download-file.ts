// One file of a repository or of another host → its bytes on this machine: by ranges behind what is there, hashed, and renamed when it is whole.
import { rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { Response as Answer } from "undici";
import { check, fail } from "../base/index.ts";
import { explainIo, makeFolder, syncFolder } from "../files/index.ts";
import { type HubClient, TryAgain } from "./hub-client.ts";
import { claimPartial, releasePartial, whileOthersDownload } from "./partial-blob.ts";
import { PartialFile } from "./partial-file.ts";
import type { WantedFile } from "./repository.ts";
import { isThere } from "./repository-cache.ts";

const where = "hub";

/** A file of the hub or of another host, and the path of its bytes on this machine. */
export interface Download {
  readonly file: WantedFile;
  readonly address: URL;
  readonly path: string;
  /** Is told how many bytes of the file are there; fewer than before, where a try begins anew. */
  readonly onBytes: (bytes: number) => void;
}

/**
 * Downloads a file that is not there. A download that ends early leaves what came, for the next one to go on with.
 * @throws CriaError when it is not what is listed, is not to be read, or the disk is full; the signal's reason when it aborts
 */
export async function downloadFile(client: HubClient, download: Download): Promise<void> {
  const { path, onBytes } = download;
  await makeFolder(dirname(path), where);
  let stalled: readonly string[] = [];
  while (!(await isThere(path))) {
    const claimed = await claimPartial(path, stalled);
    if (claimed !== undefined && (await isThere(path))) return rm(claimed.path, { force: true }); // the one before has just ended
    if (claimed !== undefined) return downloadTo(client, download, claimed.path);
    stalled = await whileOthersDownload(path, client.signal, onBytes);
  }
}

async function downloadTo(client: HubClient, download: Download, path: string): Promise<void> {
  try {
    const partial = await PartialFile.open(path, download.file, client.signal);
    try {
      await fillAndCheck(client, download, partial);
      await partial.sync();
    } finally {
      await partial.close();
    }
    await keep(path, download.path);
  } catch (error) {
    await releasePartial(download.path, path);
    client.signal?.throwIfAborted();
    throw error;
  }
}

/** What an earlier download left may be damaged: then all of it is fetched again, once. */
async function fillAndCheck(client: HubClient, download: Download, partial: PartialFile): Promise<void> {
  const { path, digest } = download.file;
  for (let isResumed = partial.bytes > 0; ; isResumed = false) {
    await fill(client, download, partial);
    const found = partial.digest;
    if (digest === undefined || found === digest) return;
    await partial.restart();
    check(
      isResumed,
      where,
      () =>
        `${client.name.text}: ${path} arrived with the hash ${found} but ${client.host} lists ${digest}: it is damaged on its way, try again`,
    );
  }
}

async function fill(client: HubClient, { file, address, onBytes }: Download, partial: PartialFile): Promise<void> {
  let etag: string | undefined;
  onBytes(partial.bytes);
  await client.retry(async (progress) => {
    if (partial.bytes === file.size) return;
    const answer = await askFrom(client, address, partial, etag);
    etag = strongTag(answer);
    if (answer.status !== 206) await partial.restart();
    else checkRange(client, answer, file, partial.bytes);
    for await (const chunk of answer.body ?? []) {
      check(
        partial.bytes + chunk.length <= file.size,
        where,
        () => `${client.name.text}: ${file.path} has more bytes than the ${file.size} that ${client.host} lists: try again`,
      );
      await partial.append(chunk);
      progress();
      onBytes(partial.bytes);
    }
    if (partial.bytes < file.size)
      throw new TryAgain(where, `${client.name.text}: the connection ends after ${partial.bytes} of ${file.size} bytes of ${file.path}`);
  });
}

/** If-Range makes a server whose file is another one by now send all of it (RFC 9110, section 13.1.5). */
async function askFrom(client: HubClient, address: URL, partial: PartialFile, etag: string | undefined): Promise<Answer> {
  const plain = { "accept-encoding": "identity" };
  const from = { ...plain, range: `bytes=${partial.bytes}-`, ...(etag !== undefined && { "if-range": etag }) };
  try {
    return await client.ask(address, partial.bytes === 0 ? plain : from);
  } catch (error) {
    if (error instanceof TryAgain && error.status === 416) await partial.restart();
    throw error;
  }
}

function checkRange(client: HubClient, answer: Answer, { path, size }: WantedFile, from: number): void {
  const range = answer.headers.get("content-range") ?? "";
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(range) ?? [];
  if (Number(first) === from && Number(total) === size) return;
  fail(where, `${client.name.text}: bytes from ${from} of the ${size} of ${path} were asked for, but "${range}" came: try again`);
}

/** A weak tag says that two texts mean the same, not that their bytes are. */
function strongTag({ headers }: Answer): string | undefined {
  const etag = headers.get("etag");
  return etag?.startsWith('"') ? etag : undefined;
}

/** Windows replaces no file that a program has mapped: another download has put the same bytes there then. */
async function keep(partial: string, path: string): Promise<void> {
  try {
    await rename(partial, path);
    await syncFolder(dirname(path));
  } catch (error) {
    if (!(await isThere(path))) throw explainIo(where, path, error);
    await rm(partial, { force: true });
  }
}
