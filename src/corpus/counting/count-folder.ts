// The folder in which a count that goes on after a stop keeps what was counted: what is counted in manifest.json, counts in runs.
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { check, fail } from "../../base/index.ts";
import {
  atomicWriteJson,
  explainIo,
  isRunning,
  makeFolder,
  type ProcessIdentity,
  removeFolder,
  removePartials,
  thisMachine,
  thisProcess,
} from "../../files/index.ts";
import type { WordRules } from "../../tokenizer/words/index.ts";
import type { TextFile, TextOptions } from "../texts/index.ts";
import { openRun, type Run, runEnding } from "./run-file.ts";

/** What is counted, so that a later program can tell whether it counts the same. */
export interface CountJob {
  readonly rules: WordRules;
  readonly options: TextOptions;
  readonly stretchBytes: number;
  readonly files: readonly TextFile[];
}

interface FileEntry {
  readonly path: string;
  readonly form: string;
  readonly bytes: number;
  /** When the file was last changed, in milliseconds. */
  readonly changed: number;
}

interface Manifest {
  readonly version: 1;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly files: readonly FileEntry[];
  /** Who counts here, or did last. */
  readonly owner: ProcessIdentity & { readonly machine: string };
}

const manifestName = "manifest.json";

/** The folder of one count. It is made when something is to be written there. */
export class CountFolder {
  readonly #manifest: Manifest;
  readonly #kept: string | undefined;
  readonly #where: string;
  #path: Promise<string> | undefined;

  private constructor(manifest: Manifest, kept: string | undefined, where: string) {
    this.#manifest = manifest;
    this.#kept = kept;
    this.#where = where;
  }

  /**
   * The files are those of this moment, so it is called before anything is counted.
   * @param kept where what was counted outlives this program; undefined: a temporary folder that does not
   */
  static async of(job: CountJob, kept: string | undefined, where: string): Promise<CountFolder> {
    return new CountFolder(await manifestOf(job, where), kept, where);
  }

  /** What messages call it. */
  get name(): string {
    return this.#kept ?? "the temporary folder";
  }

  get isKept(): boolean {
    return this.#kept !== undefined;
  }

  /** Whether this program writes there, or an earlier one has. */
  get isThere(): boolean {
    return this.#path !== undefined;
  }

  /** @throws CriaError where the folder is of another count, naming what differs, or another program counts there */
  path(): Promise<string> {
    this.#path ??= this.#kept === undefined ? makeTemporary(this.#where) : openKept(this.#kept, this.#manifest, this.#where);
    return this.#path;
  }

  /** What was written there, by earlier programs too; nothing, and no folder is made, where there is none. */
  async runsThere(): Promise<readonly Run[]> {
    if (!this.isThere && !(this.#kept !== undefined && (await isFile(join(this.#kept, manifestName))))) return [];
    return openRuns(await this.path(), this.#where);
  }

  async remove(): Promise<void> {
    if (this.isThere) await removeFolder(await this.path(), this.#where);
    this.#path = undefined;
  }

  async removeTemporary(): Promise<void> {
    if (!this.isKept) await this.remove();
  }
}

function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

async function makeTemporary(where: string): Promise<string> {
  return mkdtemp(join(tmpdir(), "cria-counts-")).catch((error) => Promise.reject(explainIo(where, tmpdir(), error)));
}

async function openKept(path: string, mine: Manifest, where: string): Promise<string> {
  const known = await readManifest(path, where);
  if (known !== undefined) {
    checkFree(path, known, where);
    checkSame(path, known, mine, where);
  }
  await makeFolder(path, where);
  await removePartials(path);
  await atomicWriteJson(join(path, manifestName), mine, where);
  return path;
}

/** All runs of a folder; those that another one replaces are removed. */
async function openRuns(path: string, where: string): Promise<Run[]> {
  const names = (await readdir(path)).filter((name) => name.endsWith(runEnding)).sort();
  const runs: Run[] = [];
  for (const name of names) runs.push(await openRun(join(path, name), where));
  const replaced = new Set(runs.flatMap(({ header }) => header.replaces).map((name) => join(path, name)));
  for (const run of runs) if (replaced.has(run.path)) await rm(run.path, { force: true });
  return runs.filter((run) => !replaced.has(run.path));
}

async function manifestOf({ rules, options, stretchBytes, files }: CountJob, where: string): Promise<Manifest> {
  const entries = await Promise.all(files.map((file) => entryOf(file, where)));
  const settings = { ...rules, ...options, stretchBytes };
  return { version: 1, settings, files: entries, owner: { ...thisProcess, machine: thisMachine } };
}

async function entryOf({ path, form }: TextFile, where: string): Promise<FileEntry> {
  const found = await stat(path).catch((error) => Promise.reject(explainIo(where, path, error)));
  return { path: resolve(path), form: form.name, bytes: found.size, changed: found.mtimeMs };
}

/** Undefined where the folder holds none. */
async function readManifest(path: string, where: string): Promise<Manifest | undefined> {
  const file = join(path, manifestName);
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw explainIo(where, file, error);
  });
  if (text === undefined) return undefined;
  const manifest = parsed(text);
  return isManifest(manifest) ? manifest : fail(where, `${file}: it says nothing that this version knows: ${anew(path)}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Only what is needed to compare it with another. */
function isManifest(value: unknown): value is Manifest {
  if (typeof value !== "object" || value === null) return false;
  const { version, settings, files, owner } = value as Partial<Record<keyof Manifest, unknown>>;
  const isEntry = (entry: unknown) => typeof entry === "object" && entry !== null;
  return version === 1 && isEntry(settings) && Array.isArray(files) && files.every(isEntry) && isEntry(owner);
}

function checkFree(path: string, { owner }: Manifest, where: string): void {
  const isOther = owner.pid !== process.pid && owner.machine === thisMachine && isRunning(owner);
  check(!isOther, where, () => `${path}: process ${owner.pid} counts words there: wait for its end, or stop it`);
}

/** Undefined keys are not there in JSON. */
function checkSame(path: string, known: Manifest, mine: Manifest, where: string): void {
  const there = JSON.parse(JSON.stringify(mine)) as Manifest;
  for (const name of new Set([...Object.keys(known.settings), ...Object.keys(there.settings)])) {
    const [before, now] = [known.settings[name], there.settings[name]].map((value) => JSON.stringify(value) ?? "not given");
    check(
      before === now,
      where,
      () => `${path}: ${name} is ${now}, but the words there were counted with ${before}: give the same again, or ${anew(path)}`,
    );
  }
  const count = Math.max(known.files.length, there.files.length);
  for (let i = 0; i < count; i++) checkFile(path, known.files[i], there.files[i], where);
}

function checkFile(path: string, before: FileEntry | undefined, now: FileEntry | undefined, where: string): void {
  const reason = difference(before, now);
  if (reason !== undefined) fail(where, `${path}: ${reason}: give the files that were counted there, unchanged, or ${anew(path)}`);
}

function difference(before: FileEntry | undefined, now: FileEntry | undefined): string | undefined {
  if (before === undefined) return `${now?.path} is none of the files whose words were counted there`;
  if (now === undefined) return `${before.path}, whose words were counted there, is not among the files`;
  if (before.path !== now.path) return `${now.path} stands where ${before.path} stood`;
  if (before.form !== now.form) return `${now.path} is read as ${now.form}, but was read as ${before.form}`;
  if (before.bytes !== now.bytes) return `${now.path} has ${now.bytes} bytes, but had ${before.bytes}`;
  if (before.changed === now.changed) return undefined;
  return `${now.path} was changed at ${new Date(now.changed).toISOString()}, but the words were counted as of ${new Date(before.changed).toISOString()}`;
}

function anew(path: string): string {
  return `remove the folder ${path} to count anew`;
}
