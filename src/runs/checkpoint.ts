// RUN/checkpoints/step-000250: all that a run needs to go on as if it had never stopped. A folder under that name is whole: it is written under
// another one, synced and renamed (files/atomic-folder.ts), and leaves in the same way.
//
//   state.json               step, tokens, the data's position, the recipe, what it was trained on; sizes of the two files below
//   model.safetensors        parameters by their Hugging Face names
//   optimizer.safetensors    AdamW's moments, NAME.m and NAME.v
//   SHA256SUMS               checksums of the three, as `sha256sum -c` reads them; not in checkpoints of version 1
//
// No random numbers are drawn while training but by the data, whose position says everything, so no generator's state stands here.
import { createHash } from "node:crypto";
import { readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { CriaError, decodeUtf8, fail, isObject, parseJson } from "../base/index.ts";
import {
  atomicFolder,
  atomicWrite,
  explainIo,
  hashAside,
  openFile,
  readTextFile,
  readWhole,
  removeFolder,
  removePartials,
} from "../files/index.ts";
import { readSafetensors } from "../formats/index.ts";
import { parseWith } from "../schema/index.ts";
import { partBytes, type StoredTensor, trainRecipe, type WholeRecipe } from "../train/index.ts";

const where = "checkpoint";
const files: Readonly<Record<Part, string>> = { model: "model.safetensors", optimizer: "optimizer.safetensors" };
type Part = StoredTensor["part"];
const parts: readonly Part[] = ["model", "optimizer"];
const stateName = "state.json";
const sumsName = "SHA256SUMS";

const newestVersion = 2;
/** What systems say of a file that cannot be had any more. */
const lost: readonly string[] = ["ENOENT", "ENOTDIR", "EIO"];

const stateSchema = z.strictObject({
  version: z.union([z.literal(1), z.literal(2)]),
  step: z.int().min(0),
  tokens: z.int().min(0),
  data: z.unknown(),
  recipe: trainRecipe.required({ steps: true, length: true, warmupSteps: true }),
  origin: z.strictObject({ data: z.record(z.string(), z.string()), target: z.string() }).optional(),
  bytes: z.strictObject({ model: z.int(), optimizer: z.int() }),
});

/** What a checkpoint's numbers came from beside its recipe: the same recipe gives other numbers on other shards or another target. */
export interface Origin {
  /** The fingerprint of each source's shards, and of those held out: see `PreparedData.fingerprints`. */
  readonly data: Readonly<Record<string, string>>;
  /** See `Backend.target`. */
  readonly target: string;
}

/** Where a run stands at a checkpoint. */
export interface CheckpointState {
  /** Optimiser steps done. */
  readonly step: number;
  /** Tokens trained on. */
  readonly tokens: number;
  /** `BatchSource.state` after the batches of those steps. */
  readonly data: unknown;
  readonly recipe: WholeRecipe;
  /** Absent in checkpoints of earlier versions, and of runs whose `TrainJob` says none. */
  readonly origin?: Origin | undefined;
}

/** A checkpoint in its folder. */
export interface Checkpoint {
  readonly folder: string;
  readonly state: CheckpointState;
  /** SHA-256 sums by file name; undefined where an earlier version wrote none. */
  readonly sums: ReadonlyMap<string, string> | undefined;
  /** Newer ones that were found damaged. */
  readonly damaged: readonly DamagedCheckpoint[];
}

/** A checkpoint that is not what was saved: another one may still be. */
export class DamagedCheckpoint extends CriaError {
  readonly folder: string;

  constructor(folder: string, problem: string, options?: ErrorOptions) {
    super(where, `${problem}: it is damaged`, options);
    this.folder = folder;
  }
}

/**
 * Saves as `folder`/step-N and removes all but the `keep` newest. Nothing happens when it is there already.
 * @throws CriaError, for instance for a full disk: the checkpoints before are intact and nothing is left of this one.
 */
export async function saveCheckpoint(
  folder: string,
  state: CheckpointState,
  tensors: readonly StoredTensor[],
  keep: number,
): Promise<string> {
  const path = join(folder, nameOf(state.step));
  const steps = await stepsIn(folder);
  await removePartials(folder);
  if (!steps.includes(state.step)) await atomicFolder(path, (partial) => writeAll(path, partial, state, tensors), where);
  const old = steps.filter((step) => step < state.step).slice(Math.max(0, keep - 1));
  for (const step of old) await removeFolder(join(folder, nameOf(step)), where);
  return path;
}

/** The name of the newest checkpoint in a folder, sound or not; undefined where there is none. */
export async function newestName(folder: string): Promise<string | undefined> {
  const [step] = await stepsIn(folder);
  return step === undefined ? undefined : nameOf(step);
}

/** Whether there are checkpoints in a folder, sound or not. */
export async function hasCheckpoints(folder: string): Promise<boolean> {
  return (await newestName(folder)) !== undefined;
}

/**
 * The newest checkpoint in a folder that opens: what its files hold is looked at when it is loaded. Undefined when there is none.
 * @param before only checkpoints of fewer steps
 * @throws CriaError when there are checkpoints but all of them are damaged
 */
export async function latestCheckpoint(folder: string, before = Number.POSITIVE_INFINITY): Promise<Checkpoint | undefined> {
  const damaged: DamagedCheckpoint[] = [];
  for (const step of (await stepsIn(folder)).filter((one) => one < before))
    try {
      return { ...(await openCheckpoint(join(folder, nameOf(step)))), damaged };
    } catch (error) {
      if (!(error instanceof DamagedCheckpoint)) throw error;
      damaged.push(error);
    }
  return damaged.length === 0 ? undefined : noneLeft(damaged);
}

/** @throws DamagedCheckpoint when a file is missing, of another size, or says nothing that a checkpoint says */
export async function openCheckpoint(folder: string): Promise<Checkpoint> {
  const sums = await readSums(folder);
  const { version, bytes, ...state } = await readState(folder, sums?.get(stateName));
  if (version === 2 && sums === undefined)
    throw new DamagedCheckpoint(folder, `${join(folder, sumsName)}: there is no such file, but there was one when it was saved`);
  for (const part of parts) {
    const file = join(folder, files[part]);
    const { size } = await stat(file).catch((error) => failUnreadable(folder, file, error));
    if (size !== bytes[part]) throw new DamagedCheckpoint(folder, `${file}: it has ${size} bytes but had ${bytes[part]} when it was saved`);
  }
  return { folder, state: state as CheckpointState, sums, damaged: [] };
}

/**
 * Reads a checkpoint's tensors into theirs, while another thread holds its files against their checksums.
 * @throws DamagedCheckpoint when they differ; CriaError naming a tensor that has another shape there, or is missing
 */
export async function loadTensors({ folder, sums }: Checkpoint, tensors: readonly StoredTensor[]): Promise<void> {
  const [loaded, verified] = await Promise.allSettled([readTensors(folder, tensors), verify(folder, sums)]);
  if (verified.status === "rejected") throw verified.reason;
  if (loaded.status === "rejected") throw loaded.reason;
}

/**
 * Loads the checkpoint or, where it is damaged, the newest one before it that is not.
 * @returns the one that was loaded, and all that were found damaged
 * @throws CriaError when none is left
 */
export async function loadNewest(checkpoint: Checkpoint, tensors: readonly StoredTensor[]): Promise<Checkpoint> {
  try {
    await loadTensors(checkpoint, tensors);
    return checkpoint;
  } catch (error) {
    if (!(error instanceof DamagedCheckpoint)) throw error;
    const damaged = [...checkpoint.damaged, error];
    const earlier = (await latestCheckpoint(dirname(checkpoint.folder), checkpoint.state.step)) ?? noneLeft(damaged);
    return loadNewest({ ...earlier, damaged: [...damaged, ...earlier.damaged] }, tensors);
  }
}

/** Renames a damaged checkpoint, so that the one that takes its place can be saved; an earlier one of its name goes. @returns where it is now */
export async function setAside({ folder }: DamagedCheckpoint): Promise<string> {
  const aside = `${folder}.damaged`;
  await rm(aside, { recursive: true, force: true });
  await rename(folder, aside).catch((error) => {
    throw explainIo(where, folder, error);
  });
  return aside;
}

function noneLeft(damaged: readonly DamagedCheckpoint[]): never {
  const [newest] = damaged;
  const count =
    damaged.length === 1 ? "the only checkpoint cannot be used" : `none of ${damaged.length} checkpoints can be used, the newest`;
  return fail(where, `${withoutPlace(newest!)}, and ${count}: begin a new run`, { cause: newest, ways: ["out"] });
}

async function readTensors(folder: string, tensors: readonly StoredTensor[]): Promise<void> {
  for (const part of parts) {
    const wanted = tensors.filter((tensor) => tensor.part === part);
    await using source = await openFile(join(folder, files[part]), where);
    const file = await readSafetensors(source).catch((error: Error) => {
      throw new DamagedCheckpoint(folder, withoutPlace(error), { cause: error });
    });
    file.expect(wanted);
    for (const tensor of wanted) await tensor.write(await file.readFloat32(tensor.name));
  }
}

async function verify(folder: string, sums: Checkpoint["sums"]): Promise<void> {
  if (sums === undefined) return;
  const names = Object.values(files);
  const found = await hashAside(
    names.map((name) => join(folder, name)),
    where,
  ).catch((error) => failUnreadable(folder, folder, error));
  for (const [i, name] of names.entries()) checkSum(folder, name, found[i]!, sums.get(name)!);
}

async function writeAll(path: string, partial: string, state: CheckpointState, tensors: readonly StoredTensor[]): Promise<void> {
  const bytes: Partial<Record<Part, number>> = {};
  const sums: string[] = [];
  const write = async (name: string, content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>) => {
    const hash = createHash("sha256");
    const hashed = async function* () {
      for await (const chunk of content) {
        hash.update(chunk);
        yield chunk;
      }
    };
    await named(path, () => atomicWrite(join(partial, name), hashed(), where));
    sums.push(`${hash.digest("hex")}  ${name}\n`);
  };
  for (const part of parts) {
    await write(files[part], partBytes(tensors, part));
    bytes[part] = (await stat(join(partial, files[part]))).size;
  }
  await write(stateName, [Buffer.from(`${JSON.stringify({ version: 2, ...state, bytes }, null, 2)}\n`)]);
  await named(path, () => atomicWrite(join(partial, sumsName), sums.join(""), where));
}

/** Says the checkpoint's name instead of the passing one of a file in it. */
async function named(path: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (error instanceof CriaError && error.cause !== undefined) throw explainIo(where, path, error.cause);
    throw error;
  }
}

function nameOf(step: number): string {
  return `step-${String(step).padStart(6, "0")}`;
}

/** Newest first. */
async function stepsIn(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw explainIo(where, folder, error);
  });
  return names
    .flatMap((name) => /^step-(\d{6,})$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => b - a);
}

async function readState(folder: string, sum: string | undefined): Promise<z.output<typeof stateSchema>> {
  const path = join(folder, stateName);
  const bytes = await readWhole(path, where).catch((error) => failUnreadable(folder, path, error));
  if (sum !== undefined) checkSum(folder, stateName, createHash("sha256").update(bytes).digest("hex"), sum);
  try {
    const value = parseJson(where, `${path}: its text`, decodeUtf8(bytes, path, where));
    const version = isObject(value) ? value.version : undefined;
    if (sum !== undefined && Number(version) > newestVersion) return failNewer(path, version);
    return parseWith(stateSchema, value, where, path);
  } catch (cause) {
    if (cause instanceof NewerCheckpoint || !(cause instanceof CriaError)) throw cause;
    throw new DamagedCheckpoint(folder, withoutPlace(cause), { cause });
  }
}

/** A checkpoint of a later version of cria is not damaged: it stays where it is, and no earlier one takes its place. */
class NewerCheckpoint extends CriaError {}

function failNewer(path: string, version: unknown): never {
  const rule = `its version is ${version} but this cria reads ${newestVersion} and older`;
  throw new NewerCheckpoint(where, `${path}: ${rule}: go on with the cria that made it, or a newer one`);
}

/** `sha256sum`'s form: 64 hexadecimal digits, two spaces, a name. Undefined where there is no such file. */
async function readSums(folder: string): Promise<ReadonlyMap<string, string> | undefined> {
  const path = join(folder, sumsName);
  if ((await stat(path).catch(() => undefined)) === undefined) return undefined;
  const text = await readTextFile(path, where).catch((error) => failUnreadable(folder, path, error));
  const sums = new Map([...text.matchAll(/^([0-9a-f]{64}) {2}(.+)$/gm)].map(([, sum, name]) => [name!, sum!]));
  const names = [...Object.values(files), stateName];
  if (sums.size !== names.length || !names.every((name) => sums.has(name)))
    throw new DamagedCheckpoint(
      folder,
      `${path}: it has checksums of ${[...sums.keys()].join(", ") || "nothing"}, not of ${names.join(", ")}`,
    );
  return sums;
}

function checkSum(folder: string, name: string, found: string, saved: string): void {
  if (found !== saved)
    throw new DamagedCheckpoint(folder, `${join(folder, name)}: it has SHA-256 ${found} but had ${saved} when it was saved`);
}

/** A file that is not there, is none of ours, or lies where the disk fails, is lost; what else keeps it from being read, permissions say, may go away. */
function failUnreadable(folder: string, path: string, error: Error): never {
  const explained = explainIo(where, path, error);
  const { code } = (explained.cause ?? error) as NodeJS.ErrnoException;
  if (code !== undefined && !lost.includes(code)) throw explained;
  throw new DamagedCheckpoint(folder, withoutPlace(explained), { cause: error });
}

function withoutPlace({ message }: Error): string {
  return message.replace(/^\[\w+\] /, "");
}
