// A model's name on the hub → the path of its files on this machine, downloaded where they are not there.
import { CriaError, check, fail, isObject, type OnProgress, parseJson } from "../base/index.ts";
import { readTextFile } from "../files/index.ts";
import { type Chosen, chooseConfig, chooseModel, chooseShards, chooseTokenizer } from "./choose-files.ts";
import type { HubClient } from "./hub-client.ts";
import { HubUnreachable } from "./hub-errors.ts";
import { type HubName, isRelative, pageOf, parseHubName } from "./hub-name.ts";
import { type Environment, hubSettings } from "./hub-settings.ts";
import type { ListedFile, RemoteFile, Repository } from "./repository.ts";
import { isThere, RepositoryCache } from "./repository-cache.ts";

const where = "hub";

/** What a download tells, and what stops it. */
export interface DownloadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
  /** Hears that the hub cannot be reached and the cache is used. */
  readonly onWarning?: ((warning: string) => void) | undefined;
  /** The process's by default. */
  readonly env?: Environment;
  /** Is called with the path when the small files are there and the large ones need not be: what it throws ends the download before them. */
  readonly beforeWeights?: ((path: string) => Promise<void>) | undefined;
  /** Waits between tries, in milliseconds; tests do not. */
  readonly wait?: (milliseconds: number, signal: AbortSignal | undefined) => Promise<unknown>;
}

/** Which files of a repository are asked for. */
type Choose = <File extends ListedFile>(all: readonly File[], name: HubName) => Chosen<File>;

/**
 * The path of a model named `hf:owner/name`, a folder or a file, whose files are all there.
 * @throws CriaError when there is no such model, it is not to be read, nobody answers and the cache lacks it, a file arrives damaged, or the disk is
 * full; the signal's reason when it aborts: what came stays for the next time.
 */
export async function downloadModel(text: string, options: DownloadOptions = {}): Promise<string> {
  return download(modelName(text), chooseModel, options);
}

/** The path of a tokenizer in such a repository, without its weights. @throws CriaError as {@link downloadModel} */
export async function downloadTokenizer(text: string, options: DownloadOptions = {}): Promise<string> {
  return download(modelName(text), chooseTokenizer, options);
}

/** The path of a model without its weights, where its config stands in a file of its own. @throws CriaError as {@link downloadModel} */
export async function downloadConfig(text: string, options: DownloadOptions = {}): Promise<string> {
  return download(modelName(text), chooseConfig, options);
}

/** Files of a data set that are on this machine. */
export interface DownloadedFiles {
  readonly folder: string;
  /** Paths from the folder, with "/" between. */
  readonly files: readonly string[];
}

/**
 * The files of a data set named `hf:datasets/owner/name`, all on this machine.
 * @param choose the paths that are wanted of all that the repository has, and of the pattern in the name @throws CriaError as {@link downloadModel}
 */
export async function downloadDataset(
  text: string,
  choose: (paths: readonly string[], pattern: string | undefined) => readonly string[],
  options: DownloadOptions = {},
): Promise<DownloadedFiles> {
  const name = parseHubName(text);
  check(name.isDataset, where, () => `${text} names a model, but texts are in data sets: hf:datasets/${name.repository}`);
  let files: readonly string[] = [];
  const chooseFiles: Choose = (all) => {
    files = choose(
      all.map(({ path }) => path),
      name.path,
    );
    const wanted = new Set(files);
    return { small: [], large: all.filter(({ path }) => wanted.has(path)), opened: "", index: undefined };
  };
  const folder = await download(name, chooseFiles, options);
  return { folder, files };
}

/** Whether a path is an address of a file on a server. */
export function isAddress(path: string): boolean {
  return /^https?:\/\//.test(path);
}

/** The path of a file at an address, fetched where it is not there. @throws CriaError as {@link downloadModel} */
export async function downloadFrom(address: string, options: DownloadOptions = {}): Promise<string> {
  check(URL.canParse(address), where, () => `${address} is no address: it must read https://host/path`);
  const settings = await hubSettings(options.env ?? process.env);
  const { downloadAddress } = await import("./download-address.ts");
  return downloadAddress(address, settings, options);
}

function modelName(text: string): HubName {
  const name = parseHubName(text);
  check(!name.isDataset, where, () => `${text} names a data set, which is no model: leave out datasets/ for the model of that name`);
  return name;
}

async function download(name: HubName, choose: Choose, options: DownloadOptions): Promise<string> {
  const settings = await hubSettings(options.env ?? process.env);
  const cache = new RepositoryCache(settings, name);
  if (settings.isOffline) return openCached(name, cache, choose, "HF_HUB_OFFLINE is set");
  const [{ HubClient }, { readRepository }] = await Promise.all([import("./hub-client.ts"), import("./repository.ts")]);
  await using client = new HubClient(name, settings, options);
  let repository: Repository;
  try {
    repository = await readRepository(client);
  } catch (error) {
    if (!(error instanceof HubUnreachable)) throw error;
    const path = await openCached(name, cache, choose).catch(() => {
      throw error;
    });
    options.onWarning?.(`${error.message}: the files in the cache are used, as they were when the hub was asked last`);
    return path;
  }
  return await fetchMissing({ client, cache, repository, options }, choose);
}

/** @param why nobody is asked; absent where the caller says it */
async function openCached(name: HubName, cache: RepositoryCache, choose: Choose, why = "the hub is not asked"): Promise<string> {
  const commit = await cache.readCommit();
  const files = commit === undefined ? [] : await cache.files(commit);
  const out = "unset it to download";
  check(
    commit !== undefined && files.length > 0,
    where,
    () => `${name.text}: ${why}, and the cache has nothing of it (${cache.snapshotPath(commit ?? "")}): ${out}`,
  );
  try {
    const { index, opened } = choose(files, name);
    if (index !== undefined) chooseShards(files, index, await readShards(cache.snapshotPath(commit, index.path)), name);
    return cache.snapshotPath(commit, opened);
  } catch (error) {
    if (!(error instanceof CriaError)) throw error;
    return fail(where, `${name.text}: ${why}, and the cache has not all of it: ${out}\n${error.message}`, { cause: error });
  }
}

interface Fetching {
  readonly client: HubClient;
  readonly cache: RepositoryCache;
  readonly repository: Repository;
  readonly options: DownloadOptions;
}

async function fetchMissing(fetching: Fetching, choose: Choose): Promise<string> {
  const { client, cache, repository, options } = fetching;
  const { commit, files: all } = repository;
  const { small, large, index, opened } = choose(all, client.name);
  const path = cache.snapshotPath(commit, opened);
  await fetchAll(fetching, small);
  await options.beforeWeights?.(path);
  const shards = index === undefined ? [] : chooseShards(all, index, await readShards(cache.snapshotPath(commit, index.path)), client.name);
  await fetchAll(fetching, [...large, ...shards]);
  await cache.writeCommit(commit);
  return path;
}

async function fetchAll(fetching: Fetching, files: readonly RemoteFile[]): Promise<void> {
  const { client, cache, repository, options } = fetching;
  const { commit } = repository;
  const missing: RemoteFile[] = [];
  for (const file of files) if (!(await isThere(cache.snapshotPath(commit, file.path)))) missing.push(file);
  const absent: RemoteFile[] = [];
  for (const file of missing) if (!(await isThere(cache.blobPath(file)))) absent.push(file);
  const total = absent.reduce((sum, { size }) => sum + size, 0);
  await cache.checkRoom(absent);
  let before = 0;
  for (const file of missing) {
    await fetchFile(fetching, file, (done) => options.onProgress?.({ ...progressOf(client.name, file), done: before + done, total }));
    const isNew = absent.includes(file);
    if (isNew) before += file.size;
    await cache.link(commit, file, isNew);
  }
}

function progressOf({ repository }: HubName, { path }: RemoteFile) {
  return { task: `downloading ${repository}`, unit: "bytes", note: path } as const;
}

async function fetchFile({ client, cache, repository }: Fetching, file: RemoteFile, onBytes: (bytes: number) => void): Promise<void> {
  const { downloadFile } = await import("./download-file.ts");
  const path = file.path.split("/").map(encodeURIComponent).join("/");
  const address = new URL(`${client.settings.endpoint}/${pageOf(client.name)}/resolve/${repository.commit}/${path}`);
  await downloadFile(client, { file, address, path: cache.blobPath(file), onBytes });
}

/** The files that an index of safetensors names. */
async function readShards(path: string): Promise<string[]> {
  const index = parseJson(where, `${path}: its text`, await readTextFile(path, where));
  const map = isObject(index) ? index.weight_map : undefined;
  const shards = isObject(map) ? [...new Set(Object.values(map))] : [];
  return shards.map((shard) =>
    typeof shard === "string" && isRelative(shard)
      ? shard
      : fail(where, `${path}: its weight_map names ${JSON.stringify(shard)}, which is no file`),
  );
}
