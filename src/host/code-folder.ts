// Compiled kernels on disk, for later processes: a file per kernel in a folder of the user's own. It holds code that will be run, so nothing is
// taken from it that another user could have put there, and nothing that is damaged. It may be deleted at any time.
import { createHash, randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  futimesSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { CodeStore, StoredCode } from "../backend/cpu/index.ts";
import type { Target } from "../kernel/index.ts";
import { decodeEntry, encodeEntry } from "./code-entry.ts";
import { codeFolderPath, isCacheOff } from "./code-folder-path.ts";
import { compilerHash } from "./compiler-hash.ts";

/** Where compiled kernels are kept, and who is told of a folder that is not used. */
export interface CodeFolderOptions {
  /** A folder for what later processes can use again, `off` for none, empty for the system's own place for caches; by default what CRIA_CACHE says. */
  readonly codeCache?: string | undefined;
  /** Called once, when something in the folder is not used because it is damaged or others could have written it. */
  readonly warn?: ((message: string) => void) | undefined;
}

/** What is in the folder, for people. */
export interface CodeFolderState {
  readonly folder: string | undefined;
  readonly kernels: number;
  readonly bytes: number;
  /** Why it is not used, where it is not. */
  readonly problem?: string;
}

/** What the folder of compiled kernels holds, or why there is none. */
export function codeFolderState(folder = codeFolderPath()): CodeFolderState {
  const empty = { folder, kernels: 0, bytes: 0 };
  if (folder === undefined) return { ...empty, problem: isCacheOff() ? "CRIA_CACHE is off" : "there is no home folder" };
  const refusal = refusalOf(folder);
  if (refusal === absent) return empty;
  if (refusal !== undefined) return { ...empty, problem: refusal };
  const entries = entriesOf(folder).filter(({ name }) => isEntry(name));
  return { folder, kernels: entries.length, bytes: entries.reduce((sum, { size }) => sum + size, 0) };
}

/**
 * The store of one target's code.
 * @param form what the code is beside the target's, e.g. by which convention it is called.
 * @param hash names the compiler: by default this process's own.
 * @returns undefined where there is to be none, or the folder is not the user's own.
 */
export function openCodeFolder(
  target: Target,
  form: string,
  { codeCache, warn = () => undefined }: CodeFolderOptions = {},
  hash?: string,
): CodeStore | undefined {
  const folder = codeFolderPath(codeCache);
  const compiler = folder && (hash ?? compilerHash);
  if (folder === undefined || compiler === undefined) return undefined;
  const refusal = refusalOf(folder);
  if (refusal === undefined || refusal === absent) return new CodeFolder(folder, `${compiler} ${form} ${JSON.stringify(target)}`, warn);
  warn(`[cache] ${refusal}; compiled kernels are not kept`);
  return undefined;
}

/** Bytes that all entries may take together, counted in whole blocks of the disk; beyond it the longest unused ones are removed. Looking at so many files takes 40 ms at most. */
const maximumBytes = 16 * 2 ** 20;
const blockBytes = 4096;
/** A kernel's code has some thousands of bytes; what is larger is none of ours. */
const maximumEntryBytes = 4 * 2 ** 20;
const dayMilliseconds = 24 * 3600 * 1000;

class CodeFolder implements CodeStore {
  readonly #folder: string;
  /** What the code depends on beside the kernel: the compiler, the target, the convention. */
  readonly #compiledFor: string;
  readonly #warn: (message: string) => void;
  #warned = false;
  /** Bytes that may be written before the folder's size is looked at again. */
  #unchecked = 0;
  #isWritable = true;

  constructor(folder: string, compiledFor: string, warn: (message: string) => void) {
    this.#folder = folder;
    this.#compiledFor = compiledFor;
    this.#warn = warn;
  }

  find(kernel: string): StoredCode | undefined {
    const key = this.#keyOf(kernel);
    const path = this.#pathOf(key);
    const bytes = this.#read(path);
    if (bytes === undefined) return undefined;
    const stored = decodeEntry(bytes, key);
    if (stored === undefined) this.#say(`${path} is damaged`);
    return stored;
  }

  /** What cannot be written is compiled again by the next process. */
  keep(kernel: string, code: StoredCode): void {
    if (!this.#isWritable) return;
    const key = this.#keyOf(kernel);
    const bytes = encodeEntry(code, key);
    const write = () => {
      this.#makeRoom(bytes.length);
      writeBeside(this.#pathOf(key), bytes);
    };
    try {
      retryOnce(write);
    } catch {
      this.#isWritable = false;
    }
  }

  #keyOf(kernel: string): string {
    return `${this.#compiledFor} ${kernel}`;
  }

  #pathOf(key: string): string {
    return join(this.#folder, createHash("sha256").update(key).digest("hex"));
  }

  /** The whole file, if it is the user's own and nobody else may write it. */
  #read(path: string): Buffer | undefined {
    let descriptor: number;
    try {
      descriptor = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") this.#say(`${path} cannot be opened (${(error as Error).message})`);
      return undefined;
    }
    try {
      const stat = fstatSync(descriptor);
      const refusal = stat.isFile() && stat.size <= maximumEntryBytes ? refusalOfOwner(stat, othersWrite) : "is no file of a kernel";
      if (refusal !== undefined) {
        this.#say(`${path} ${refusal}`);
        return undefined;
      }
      if (Date.now() - stat.mtimeMs > dayMilliseconds) makeYoung(descriptor);
      return readFileSync(descriptor);
    } catch {
      return undefined;
    } finally {
      closeSync(descriptor);
    }
  }

  /** Makes the folder where there is none, also when it was deleted meanwhile, and removes what is too much. @throws Error when it is not the user's. */
  #makeRoom(bytes: number): void {
    if (refusalOf(this.#folder) === absent) makeFolders(this.#folder);
    const refusal = refusalOf(this.#folder);
    if (refusal !== undefined) throw new Error(refusal);
    this.#unchecked -= onDisk(bytes);
    if (this.#unchecked >= 0) return;
    removeOldest(this.#folder);
    this.#unchecked = maximumBytes / 16;
  }

  #say(what: string): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#warn(`[cache] ${what}: its kernel is compiled again`);
  }
}

/** Marks the file as used. On a disk that cannot be written nothing is removed either, so that a failure does no harm. */
function makeYoung(descriptor: number): void {
  try {
    futimesSync(descriptor, new Date(), new Date());
  } catch {
    return;
  }
}

const othersWrite = 0o022;
const othersAnything = 0o077;
const absent = "is not there";

/** Why what lies in this folder cannot be trusted; undefined where it can. Windows has no owners and modes here: who may write is said by the profile around the folder. */
function refusalOf(folder: string): string | undefined {
  try {
    const stat = lstatSync(folder);
    const refusal = stat.isDirectory() ? refusalOfOwner(stat, othersAnything) : "is a link or a file, not a folder";
    return refusal && `${folder} ${refusal}: delete it, or set CRIA_CACHE to another folder or to off`;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === "ENOENT" ? absent : `${folder} cannot be looked at (${message})`;
  }
}

/** @param forbidden bits of the mode that must not be set. */
function refusalOfOwner({ uid, mode }: Stats, forbidden: number): string | undefined {
  const user = process.geteuid?.();
  if (user === undefined) return undefined;
  if (uid !== user) return `belongs to user ${uid}, not to ${user}`;
  return (mode & forbidden) === 0 ? undefined : `has mode ${(mode & 0o777).toString(8)}, which lets others in`;
}

/** The folder may be deleted between two steps. */
function retryOnce(write: () => void): void {
  try {
    write();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    write();
  }
}

/** Written under another name and renamed, so that no process sees half a file. Not flushed: what a crash leaves damaged is found by its checksum. */
function writeBeside(path: string, bytes: Uint8Array): void {
  const beside = `${path}.${randomBytes(8).toString("hex")}`;
  try {
    writeNew(beside, bytes);
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

function writeNew(path: string, bytes: Uint8Array): void {
  const descriptor = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
  } finally {
    closeSync(descriptor);
  }
}

const isEntry = (name: string) => /^[0-9a-f]{64}$/.test(name);
const isUnfinished = (name: string) => /^[0-9a-f]{64}\.[0-9a-f]{16}$/.test(name);

interface Entry {
  readonly name: string;
  readonly size: number;
  readonly mtimeMs: number;
}

/** What vanishes meanwhile is left out. */
function entriesOf(folder: string): Entry[] {
  return readdirSync(folder).flatMap((name) => {
    const stat = lstatSync(join(folder, name), { throwIfNoEntry: false });
    return stat ? [{ name, size: stat.size, mtimeMs: stat.mtimeMs }] : [];
  });
}

/**
 * Makes the folder and those above it that are missing. Node's own recursive mkdir tries for ever where a folder that is there says that nothing can
 * be made in it by ENOENT, as /proc does. @throws Error when it cannot be made.
 */
function makeFolders(path: string): void {
  if (existsSync(path)) return;
  const above = dirname(path);
  if (above !== path) makeFolders(above);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error; // another process made it meanwhile
  }
}

/** Brings the folder to three quarters of its limit where it has reached that, and removes what writers have left unfinished for a day. Other files stay. */
function removeOldest(folder: string): void {
  const entries = entriesOf(folder);
  const remove = ({ name }: Entry) => rmSync(join(folder, name), { force: true });
  entries.filter(({ name, mtimeMs }) => isUnfinished(name) && Date.now() - mtimeMs > dayMilliseconds).forEach(remove);
  const kept = entries.filter(({ name }) => isEntry(name)).sort((a, b) => a.mtimeMs - b.mtimeMs);
  let bytes = kept.reduce((sum, { size }) => sum + onDisk(size), 0);
  if (bytes <= maximumBytes) return;
  for (const entry of kept) {
    if (bytes <= 0.75 * maximumBytes) return;
    remove(entry);
    bytes -= onDisk(entry.size);
  }
}

function onDisk(bytes: number): number {
  return Math.ceil(bytes / blockBytes) * blockBytes;
}
