// RUN/checkpoints/step-000250: all that a run needs to go on as if it had never stopped. A folder under that name is whole: it is written under
// another one, synced and renamed (files/atomic-folder.ts), and leaves in the same way.
//
//   state.json               step, tokens, the data's position, the recipe; sizes of the two files below
//   model.safetensors        parameters by their Hugging Face names
//   optimizer.safetensors    AdamW's moments, NAME.m and NAME.v
//
// No random numbers are drawn while training but by the data, whose position says everything, so no generator's state stands here.
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { CriaError, check, fail, type Shape } from "../base/index.ts";
import { parseWith } from "../data/index.ts";
import {
  atomicFolder,
  atomicWrite,
  atomicWriteJson,
  explainIo,
  openFile,
  readTextFile,
  removeFolder,
  removePartials,
} from "../files/index.ts";
import { readSafetensors, type TensorToWrite, writeSafetensors } from "../formats/index.ts";
import { trainRecipe, type WholeRecipe } from "./recipe.ts";

const where = "checkpoint";
const files = { model: "model.safetensors", optimizer: "optimizer.safetensors" } as const;
type Part = keyof typeof files;

const stateSchema = z.strictObject({
  version: z.literal(1),
  step: z.int().min(0),
  tokens: z.int().min(0),
  data: z.unknown(),
  recipe: trainRecipe.required({ steps: true, length: true, warmupSteps: true }),
  bytes: z.strictObject({ model: z.int(), optimizer: z.int() }),
});

export interface CheckpointState {
  /** Optimiser steps done. */
  readonly step: number;
  /** Tokens trained on. */
  readonly tokens: number;
  /** `BatchSource.state` after the batches of those steps. */
  readonly data: unknown;
  readonly recipe: WholeRecipe;
}

/** A tensor of the training state, in float32 on its way to a file or from one. */
export interface StoredTensor {
  readonly part: Part;
  readonly name: string;
  readonly shape: Shape;
  read(): Promise<Float32Array>;
  write(values: Float32Array): Promise<void>;
}

export interface Checkpoint {
  readonly folder: string;
  readonly state: CheckpointState;
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

/** The newest checkpoint in a folder; undefined when it has none. @throws CriaError when it was damaged later on */
export async function latestCheckpoint(folder: string): Promise<Checkpoint | undefined> {
  const [step] = await stepsIn(folder);
  return step === undefined ? undefined : openCheckpoint(join(folder, nameOf(step)));
}

/** @throws CriaError when it is not there or is damaged */
export async function openCheckpoint(folder: string): Promise<Checkpoint> {
  const path = join(folder, "state.json");
  const { version: _, bytes, ...state } = parseWith(stateSchema, await readJson(path), where, path);
  for (const part of Object.keys(files) as Part[]) {
    const file = join(folder, files[part]);
    const { size } = await stat(file).catch((error) => fail(where, explainIo(where, file, error).message, { cause: error }));
    check(
      size === bytes[part],
      where,
      () =>
        `${file}: it has ${size} bytes but had ${bytes[part]} when it was saved: it is damaged, remove ${folder} to resume from an earlier one`,
    );
  }
  return { folder, state: state as CheckpointState };
}

/** Reads a checkpoint's tensors into theirs. @throws CriaError naming a tensor that has another shape there, or is missing */
export async function loadTensors({ folder }: Checkpoint, tensors: readonly StoredTensor[]): Promise<void> {
  for (const part of Object.keys(files) as Part[]) {
    const wanted = tensors.filter((tensor) => tensor.part === part);
    await using source = await openFile(join(folder, files[part]), where);
    const file = await readSafetensors(source);
    file.expect(wanted);
    for (const tensor of wanted) await tensor.write(await file.readFloat32(tensor.name));
  }
}

async function writeAll(path: string, partial: string, state: CheckpointState, tensors: readonly StoredTensor[]): Promise<void> {
  const bytes: Partial<Record<Part, number>> = {};
  for (const part of Object.keys(files) as Part[]) {
    const file = join(partial, files[part]);
    const own = tensors.filter((tensor) => tensor.part === part);
    await named(path, () => atomicWrite(file, writeSafetensors(own.map(toWrite), { format: "pt" }), where));
    bytes[part] = (await stat(file)).size;
  }
  await named(path, () => atomicWriteJson(join(partial, "state.json"), { version: 1, ...state, bytes }, where));
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

export function toWrite({ name, shape, read }: StoredTensor): TensorToWrite {
  return { name, shape, dtype: "F32", data: read };
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

async function readJson(path: string): Promise<unknown> {
  const text = await readTextFile(path, where);
  try {
    return JSON.parse(text);
  } catch (error) {
    return fail(
      where,
      `${path}: it is not JSON (${(error as Error).message}): it is damaged, remove its folder to resume from an earlier one`,
    );
  }
}
