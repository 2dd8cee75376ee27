// A repository in Hugging Face's cache, as Python's huggingface_hub and @huggingface/hub lay it out, so that all of them share what is there:
//
//   models--owner--name/refs/main                      the commit that main was at last
//                       blobs/DIGEST                   bytes, under the hash that the hub lists
//                       snapshots/COMMIT/config.json   a link to a blob; the file itself where there are no links
import { copyFile, readdir, readFile, rename, rm, stat, statfs, symlink } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { check, gigabytes } from "../base/index.ts";
import { atomicWrite, explainIo, makeFolder, partialPath } from "../files/index.ts";
import { type HubName, isCommit } from "./hub-name.ts";
import type { HubSettings } from "./hub-settings.ts";
import { bytesLeft } from "./partial-blob.ts";
import type { ListedFile, RemoteFile } from "./repository.ts";

const where = "hub";

/** The files of one repository that are on this machine. */
export class RepositoryCache {
  readonly #folder: string;
  readonly #name: HubName;
  readonly #noLinks: boolean;

  constructor({ cache, noLinks }: HubSettings, name: HubName) {
    this.#folder = join(cache, `${name.isDataset ? "datasets" : "models"}--${name.repository.replace("/", "--")}`);
    this.#name = name;
    this.#noLinks = noLinks;
  }

  /** The path of a file's bytes, there or not. */
  blobPath({ digest }: RemoteFile): string {
    return join(this.#folder, "blobs", digest);
  }

  /** The path of a file of a commit, or of all of it. */
  snapshotPath(commit: string, file = ""): string {
    return join(this.#folder, "snapshots", commit, file);
  }

  /** The commit that the revision was at when the hub was asked last; undefined where nobody asked. */
  async readCommit(): Promise<string | undefined> {
    const { revision } = this.#name;
    if (isCommit(revision)) return revision;
    const text = await readFile(this.#refPath(), "utf8").catch(() => "");
    return isCommit(text.trim()) ? text.trim() : undefined;
  }

  async writeCommit(commit: string): Promise<void> {
    if (isCommit(this.#name.revision) || (await this.readCommit()) === commit) return;
    await makeFolder(dirname(this.#refPath()), where);
    await atomicWrite(this.#refPath(), commit, where);
  }

  /** The files of a commit that are there, in folders of any depth. */
  async files(commit: string): Promise<ListedFile[]> {
    const found: ListedFile[] = [];
    const look = async (folder: string): Promise<void> => {
      for (const name of await readdir(this.snapshotPath(commit, folder)).catch(() => [])) {
        const path = folder === "" ? name : `${folder}/${name}`;
        const stats = await stat(this.snapshotPath(commit, path)).catch(() => undefined);
        if (stats?.isDirectory()) await look(path);
        else if (stats?.isFile()) found.push({ path, size: stats.size });
      }
    };
    await look("");
    return found;
  }

  /**
   * Makes a blob a file of a commit.
   * @param isNew says that no other commit has the file: where there are no links, it is moved, so that it is not on the disk twice
   */
  async link(commit: string, file: RemoteFile, isNew: boolean): Promise<void> {
    const [blob, path] = [this.blobPath(file), this.snapshotPath(commit, file.path)];
    await makeFolder(dirname(path), where);
    const beside = partialPath(path);
    try {
      const isDone = !this.#noLinks && (await isLinked(relative(dirname(path), blob), beside));
      if (!isDone) await (isNew ? rename(blob, beside) : copyFile(blob, beside));
      await rename(beside, path);
    } catch (error) {
      await rm(beside, { force: true });
      if (!(await isThere(path))) throw explainIo(where, path, error); // else another process has moved it there
    }
  }

  /** @throws CriaError when the disk has less room than the files take, beside what is there of them */
  async checkRoom(files: readonly RemoteFile[]): Promise<void> {
    await makeFolder(this.#folder, where);
    let bytes = 0;
    for (const file of files) bytes += file.size - Math.min(file.size, await bytesLeft(this.blobPath(file)));
    const { bavail, bsize } = await statfs(this.#folder);
    check(
      bavail * bsize >= bytes,
      where,
      () =>
        `${this.#name.text}: ${gigabytes(bytes)} are to be downloaded, but the disk of ${this.#folder} has ${gigabytes(bavail * bsize)} free: free some, or set HF_HOME to a folder on another disk`,
    );
  }

  #refPath(): string {
    return join(this.#folder, "refs", this.#name.revision);
  }
}

/** Whether there is such a file. */
export function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** False on systems without links, and where nobody may make them, as on Windows without developer mode. */
function isLinked(target: string, path: string): Promise<boolean> {
  return symlink(target, path).then(
    () => true,
    () => false,
  );
}
