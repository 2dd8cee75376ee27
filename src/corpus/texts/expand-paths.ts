// Paths to files: names, folders with everything below them, and patterns; what is passed over on the way is counted.
import type { Dirent, Stats } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import picomatch from "picomatch";
import { fail } from "../../base/index.ts";
import { explainIo } from "../../files/index.ts";
import type { PassedOver } from "./passed-over.ts";

/** A file that a path led to. */
export interface FoundFile {
  readonly path: string;
  /** The folder that was named or that a pattern begins in; the file's own where it is named by itself. */
  readonly root: string;
  /** Named by itself, not found in a folder or by a pattern: it is read or refused, never passed over. */
  readonly isNamed: boolean;
  /** A pipe can be read only once. */
  readonly isPipe: boolean;
  readonly bytes: number;
}

/**
 * The files that paths name, each once by its real path, in the order of the paths and sorted within one, so that every machine reads in the same
 * order. A path is taken as it stands where there is such a file or folder, and else as a pattern: `*`, `?`, `[a-z]`, `{a,b}`, and `**` for any
 * number of folders. Links to files and folders are followed, a folder once, but none to a folder around the one that is read. Runs and prepared data in a folder are passed over, unless a pattern leads
 * into them: a person's texts often lie above what was made of them.
 * @param folder what relative paths start from
 * @throws CriaError when a path names nothing, or a device
 */
export async function expandPaths(paths: readonly string[], folder: string, where: string, passedOver: PassedOver): Promise<FoundFile[]> {
  const all: FoundFile[] = [];
  for (const path of paths) all.push(...(await expandPath(path, folder, where, passedOver)));
  return eachOnce(all, passedOver);
}

async function expandPath(path: string, folder: string, where: string, passedOver: PassedOver): Promise<FoundFile[]> {
  const literal = resolve(folder, path);
  const found = await stat(literal).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT" && error.code !== "ENOTDIR" && error.code !== "EINVAL") throw explainIo(where, path, error);
    return isPattern(path) ? undefined : Promise.reject(explainIo(where, path, error));
  });
  if (found === undefined) return expandPattern(path, folder, where, passedOver);
  if (!found.isDirectory()) return [named(literal, path, found, where)];
  const files = await new Walk(literal, everything, where, passedOver).files();
  return files.length > 0
    ? files
    : fail(where, `${path}: the folder holds no files to read${passedOver.inBrackets()}: name files that it may read`);
}

function named(path: string, given: string, found: Stats, where: string): FoundFile {
  const isPipe = found.isFIFO() || found.isSocket();
  if (!found.isFile() && !isPipe) fail(where, `${given}: it is a device, not a file: name a file, or - for standard input`);
  return { path, root: dirname(path), isNamed: true, isPipe, bytes: found.size };
}

function isPattern(path: string): boolean {
  return picomatch.scan(slashes(path)).isGlob;
}

async function expandPattern(path: string, folder: string, where: string, passedOver: PassedOver): Promise<FoundFile[]> {
  const { base, glob } = picomatch.scan(slashes(path));
  const start = resolve(folder, base);
  const isDeep = glob.includes("**");
  const takesHidden = /(^|[/{,])\./.test(glob);
  const matchesHidden = picomatch(glob, { dot: true });
  const wanted = {
    depth: isDeep ? Number.POSITIVE_INFINITY : glob.split("/").length,
    takesHidden,
    takesMade: true,
    matches: takesHidden ? matchesHidden : picomatch(glob),
    mayHide: (name: string, isFolder: boolean) => (isFolder ? isDeep : matchesHidden(name)),
  };
  const isFolder = await stat(start).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const files = isFolder ? await new Walk(start, wanted, where, passedOver).files() : [];
  if (files.length > 0) return files;
  return fail(where, `${path}: no file under ${start} matches it${passedOver.inBrackets()}: correct the pattern`);
}

/** Windows takes both kinds of slashes, patterns one. */
function slashes(path: string): string {
  return sep === "\\" ? path.replaceAll("\\", "/") : path;
}

/** What a walk looks for. */
interface Wanted {
  /** Levels of folders to go down, the first one included. */
  readonly depth: number;
  readonly takesHidden: boolean;
  /** Whether to look into runs and prepared data. */
  readonly takesMade: boolean;
  /** Whether a file of this name, with "/" between folders, is wanted. */
  matches(name: string): boolean;
  /** Whether a hidden file would be wanted, or a hidden folder may hold files that are: only then it counts as passed over. */
  mayHide(name: string, isFolder: boolean): boolean;
}

const everything: Wanted = {
  depth: Number.POSITIVE_INFINITY,
  takesHidden: false,
  takesMade: false,
  matches: () => true,
  mayHide: () => true,
};

interface Folder {
  /** The path from the folder that the walk begins in. */
  readonly name: string;
  /** Levels to go down from here. */
  readonly left: number;
}

/** One walk through a folder: real folders first, then those that links lead to, each by its real path once, so that a circle of links ends. */
class Walk {
  readonly #where: string;
  readonly #passedOver: PassedOver;
  readonly #base: string;
  readonly #wanted: Wanted;
  readonly #seen = new Set<string>();
  readonly #found: (FoundFile & { readonly name: string })[] = [];
  #folders: Folder[] = [];
  #linked: Folder[] = [];

  constructor(base: string, wanted: Wanted, where: string, passedOver: PassedOver) {
    this.#base = base;
    this.#wanted = wanted;
    this.#where = where;
    this.#passedOver = passedOver;
  }

  /** Sorted by name. */
  async files(): Promise<FoundFile[]> {
    const home = await this.#realpath(this.#base);
    this.#folders = [{ name: "", left: this.#wanted.depth }];
    while (this.#folders.length > 0) {
      for (let next = this.#folders.pop(); next !== undefined; next = this.#folders.pop())
        if (await this.#enter(join(this.#base, next.name), home)) await this.#readFolder(next);
      this.#folders = this.#linked.sort((a, b) => (a.name < b.name ? 1 : -1));
      this.#linked = [];
    }
    return this.#found.sort((a, b) => (a.name < b.name ? -1 : 1)).map(({ name: _, ...file }) => file);
  }

  async #readFolder({ name: inside, left }: Folder): Promise<void> {
    const entries = await this.#entries(join(this.#base, inside));
    if (inside !== "" && !this.#wanted.takesMade && isMade(entries)) return this.#passedOver.add("made", join(this.#base, inside));
    for (const entry of entries) {
      const name = inside === "" ? entry.name : `${inside}/${entry.name}`;
      if (entry.name.startsWith(".") && !this.#wanted.takesHidden) {
        if (this.#wanted.mayHide(name, entry.isDirectory())) this.#passedOver.add("hidden", join(this.#base, name));
      } else await this.#look(name, entry, left);
    }
  }

  async #look(name: string, entry: Dirent, left: number): Promise<void> {
    const path = join(this.#base, name);
    const target = await this.#target(path, entry);
    if (target?.isDirectory()) {
      if (left > 1) (entry.isSymbolicLink() ? this.#linked : this.#folders).push({ name, left: left - 1 });
    } else if (!this.#wanted.matches(name)) return;
    else if (target === undefined) this.#passedOver.add("broken", path);
    else if (target.isFile()) this.#found.push({ name, path, root: this.#base, isNamed: false, isPipe: false, bytes: target.size });
    else this.#passedOver.add("special", path);
  }

  /** @param home the real path that the walk begins in: a link to a folder around it would bring in the neighbours */
  async #enter(path: string, home: string): Promise<boolean> {
    const real = await this.#realpath(path);
    if (real !== home && home.startsWith(real.endsWith(sep) ? real : real + sep)) this.#passedOver.add("around", path);
    else if (this.#seen.has(real)) this.#passedOver.add("repeated", path);
    else return Boolean(this.#seen.add(real));
    return false;
  }

  #realpath(path: string): Promise<string> {
    return realpath(path).catch((error) => {
      throw explainIo(this.#where, path, error);
    });
  }

  #entries(path: string): Promise<Dirent[]> {
    return readdir(path, { withFileTypes: true }).catch((error) => {
      throw explainIo(this.#where, path, error);
    });
  }

  /** What an entry is, or what its link leads to; undefined for a link to nothing. */
  async #target(path: string, entry: Dirent): Promise<Stats | undefined> {
    try {
      return await stat(path);
    } catch (error) {
      if (!entry.isSymbolicLink()) throw explainIo(this.#where, path, error);
      return undefined;
    }
  }
}

/** Whether a folder is what cria made of texts: a run, also one cut short, or prepared data. */
function isMade(entries: readonly Dirent[]): boolean {
  const names = entries.map(({ name }) => name);
  const isRun = names.some((name) => name === "train.yaml" || name === "train.yaml.begun") && names.includes("tokenizer.json");
  return isRun || (names.includes("manifest.json") && names.some((name) => name.endsWith(".tokens")));
}

/** Files by their real paths; of several names for one, the first that its content can be told by, else the first. */
async function eachOnce(files: readonly FoundFile[], passedOver: PassedOver): Promise<FoundFile[]> {
  const byReal = new Map<string, FoundFile>();
  for (const file of files) {
    const real = file.isPipe ? file.path : await realpath(file.path).catch(() => file.path);
    const other = byReal.get(real);
    if (other !== undefined) passedOver.add("repeated", file.path);
    if (other === undefined || (file.isNamed && !other.isNamed) || (!hasEnding(other) && hasEnding(file))) byReal.set(real, file);
  }
  return [...byReal.values()];
}

function hasEnding({ path }: FoundFile): boolean {
  return /\.[^./\\]+$/.test(path);
}
