// What the hub has of a repository at a revision, read by Hugging Face's own client, and checked before any of it becomes a path.
import { datasetInfo, listDatasets, listFiles, listModels, modelInfo } from "@huggingface/hub";
import { CriaError, check, didYouMean, fail } from "../base/index.ts";
import type { HubClient } from "./hub-client.ts";
import { HubNotFound } from "./hub-errors.ts";
import { type HubName, isCommit, isRelative } from "./hub-name.ts";

const where = "hub";

/** A file of a repository by its path there. */
export interface ListedFile {
  readonly path: string;
  readonly size: number;
}

/** A file as the hub lists it. */
export interface RemoteFile extends ListedFile {
  /** Hexadecimal digits: 64 of SHA-256 for large files (LFS), 40 of Git's object id for others. The cache names the file's bytes by it. */
  readonly digest: string;
}

/** A file to download, whoever lists it. */
export interface WantedFile extends ListedFile {
  /** What is published of its bytes, as of a {@link RemoteFile}; undefined where nothing is. */
  readonly digest: string | undefined;
  /** Whether a digest of 40 digits is the SHA-1 of the bytes alone, as hosts of files publish it, and not Git's object id. */
  readonly isPlainSha1?: boolean;
}

/** A repository at one commit. */
export interface Repository {
  /** 40 hexadecimal digits. */
  readonly commit: string;
  readonly files: readonly RemoteFile[];
}

/** @throws CriaError when there is none, with the nearest name, when it is not to be read, or nobody answers */
export async function readRepository(client: HubClient): Promise<Repository> {
  const { name } = client;
  try {
    const commit = isCommit(name.revision) ? name.revision : await readCommit(client);
    return { commit, files: await readFiles(client, commit) };
  } catch (error) {
    client.signal?.throwIfAborted();
    if (!(error instanceof CriaError)) throw notOfHub(client, error);
    if (!(error instanceof HubNotFound)) throw error;
    const hint = error.what === "RevisionNotFound" ? await nearRevision(client) : await nearRepository(client);
    throw error.hinted(hint);
  }
}

/** Hugging Face's client throws errors of JSON and of missing keys as they come: a captive portal answers every address. */
function notOfHub({ name, settings }: HubClient, error: unknown): CriaError {
  const said = error instanceof Error ? error.message : String(error);
  return new CriaError(where, `${name.text}: ${settings.endpoint} does not answer as a hub does (${said}): check HF_ENDPOINT`, {
    cause: error,
  });
}

async function readCommit({ name, settings, fetch }: HubClient): Promise<string> {
  const { repository, revision, isDataset } = name;
  const asked = { name: repository, revision, hubUrl: settings.endpoint, fetch };
  const { sha } = isDataset
    ? await datasetInfo({ ...asked, additionalFields: ["sha"] })
    : await modelInfo({ ...asked, additionalFields: ["sha"] });
  check(typeof sha === "string" && isCommit(sha), where, () => `${name.text}: the hub says that its commit is "${sha}", which is none`);
  return sha;
}

async function readFiles({ name, settings, fetch }: HubClient, commit: string): Promise<RemoteFile[]> {
  const files: RemoteFile[] = [];
  const repo = { type: name.isDataset ? "dataset" : "model", name: name.repository } as const;
  for await (const entry of listFiles({ repo, revision: commit, recursive: true, hubUrl: settings.endpoint, fetch })) {
    if (entry.type !== "file" || !isRelative(entry.path)) continue; // No model's file has a path that some system cannot hold.
    files.push({ path: entry.path, ...sizeAndDigest(name, entry) });
  }
  return files;
}

type Entry = Pick<RemoteFile, "path" | "size"> & {
  readonly oid?: string;
  readonly lfs?: { readonly oid: string; readonly size: number };
};

function sizeAndDigest(name: HubName, { path, size, oid = "", lfs }: Entry): Pick<RemoteFile, "size" | "digest"> {
  const found = lfs === undefined ? { size, digest: oid } : { size: lfs.size, digest: lfs.oid };
  const isRight = Number.isSafeInteger(found.size) && found.size >= 0 && /^[0-9a-f]+$/.test(found.digest);
  if (isRight && found.digest.length === (lfs === undefined ? 40 : 64)) return found;
  return fail(where, `${name.text}: the hub lists ${path} with ${found.size} bytes and the hash "${found.digest}", which is none`);
}

async function nearRevision({ name, settings, fetch }: HubClient): Promise<string> {
  const answer = await fetch(`${settings.endpoint}/api/${name.isDataset ? "datasets" : "models"}/${name.repository}/refs`).then(
    (found) => found.json(),
    () => ({}),
  );
  const names = ["branches", "tags"].flatMap((kind) => namesIn(answer, kind));
  return names.length === 0 ? "" : `: it has ${names.slice(0, 10).join(", ")}${didYouMean(name.revision, names)}`;
}

function namesIn(answer: unknown, kind: string): string[] {
  const list: unknown = (answer as Record<string, unknown>)[kind];
  return Array.isArray(list) ? list.flatMap((one) => (typeof one?.name === "string" ? [one.name] : [])) : [];
}

/** The nearest name among the models or data sets of the same owner, else among those that the hub finds for the name. */
async function nearRepository({ name, settings, fetch }: HubClient): Promise<string> {
  const [owner, model] = name.repository.split("/") as [string, string];
  for (const search of [{ owner }, { query: model }]) {
    const names: string[] = [];
    try {
      const asked = { search, limit: 100, hubUrl: settings.endpoint, fetch };
      for await (const found of name.isDataset ? listDatasets(asked) : listModels(asked)) names.push(found.name);
    } catch {
      return ""; // The message is complete without it.
    }
    const hint = didYouMean(name.repository, names);
    if (hint !== "") return hint;
  }
  return "";
}
