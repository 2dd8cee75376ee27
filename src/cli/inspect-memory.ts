// What a model takes of this machine's memory, by the type of its keys and values.
import { CriaError, type StateDType, stateDTypes, UsageError } from "../base/index.ts";
import type { OpenModel } from "../index.ts";
import { type ModelMemory, modelMemory } from "../infer/index.ts";
import type { CommandIo } from "./command.ts";
import { openBackend } from "./open-backend.ts";

/** Memory for one type of keys and values, or why there is none. */
export type MemoryOfType = Omit<ModelMemory, "there"> | { readonly problem: string };

/** The memory of a model for texts of a length. */
export interface FoundMemory {
  /** Tokens of a text. */
  readonly contextLength: number;
  /** Texts at the same time. */
  readonly sequences: number;
  /** What would compute, as it names itself. */
  readonly backend: string;
  /** Bytes that are there. */
  readonly available: number;
  /** What bounds them, as the end of a sentence. */
  readonly bound: string;
  readonly byCache: Readonly<Record<StateDType, MemoryOfType>>;
}

/** What is to be held in memory; the model's context and one text by default. */
export interface AskedMemory {
  readonly contextLength: number | undefined;
  readonly sequences: number | undefined;
}

/** @throws UsageError where the length exceeds the model's context */
export async function countMemory({ config, weights }: OpenModel, asked: AskedMemory, io: CommandIo): Promise<FoundMemory> {
  const { contextLength = config.contextLength, sequences = 1 } = asked;
  if (contextLength > config.contextLength)
    throw new UsageError(
      "inspect",
      `--context is ${contextLength} but the model's context is ${config.contextLength}: take as many or fewer`,
    );
  await using backend = await openBackend(io);
  const count = (cacheType: StateDType): MemoryOfType => {
    try {
      const { there: _, ...memory } = modelMemory(backend, config, weights, { contextLength, sequences, cacheType });
      return memory;
    } catch (error) {
      if (error instanceof CriaError) return { problem: error.message };
      throw error;
    }
  };
  const byCache = Object.fromEntries(stateDTypes.map((type) => [type, count(type)])) as Record<StateDType, MemoryOfType>;
  const { bytes, bound } = backend.memory();
  return { contextLength, sequences, backend: backend.name, available: bytes, bound, byCache };
}
