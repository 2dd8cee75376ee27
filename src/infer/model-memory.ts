// What a model will take of a backend's memory, counted as loading and compiling count it, before any of it is taken.
import type { Backend, MemoryThere } from "../backend/index.ts";
import { bytesOf, fail, type StateDType } from "../base/index.ts";
import { pageKeys } from "../graph/index.ts";
import type { LlamaConfig, WeightSource } from "../model/index.ts";
import { type PlannedWeight, plannedWeights } from "./load-weights.ts";
import { bytesPerPage } from "./pool-size.ts";
import { allPrograms } from "./programs.ts";

/** What a model shall hold at the same time. */
export interface MemoryAsked {
  /** Tokens of a sequence. */
  readonly contextLength: number;
  /** Sequences of that length. */
  readonly sequences: number;
  readonly cacheType: StateDType;
}

/** Bytes that a model takes of a backend. */
export interface ModelMemory {
  /** Parameters that are used where they lie in their files. The system reads them, and gives them up, as it needs; `total` is without them. */
  readonly mapped: number;
  /** Parameters and constants in memory, as they were copied there; without those that are read packed alone. */
  readonly weights: number;
  /** Packed weights, which all threads and programs share. */
  readonly packed: number;
  /** Keys and values. */
  readonly cache: number;
  /** Inputs, activations and scratch of the programs of all sizes of passes, which stay compiled once they were needed. */
  readonly working: number;
  /** What is in memory while the model writes. */
  readonly total: number;
  /** Tokens of all sequences together whose keys and values have room beside the rest: whole pages of 64. */
  readonly tokens: number;
  readonly there: MemoryThere;
  /** Whether all of it has room, and what is copied before it is packed, too. */
  readonly isEnough: boolean;
}

/**
 * The memory of a model that `SequenceModel` opens with so many pages and that reads prompts. Costs a lowering of a program of each size.
 * @throws CriaError where the model's heads do not fit the type of the cache
 */
export function modelMemory(backend: Backend, config: LlamaConfig, source: WeightSource, asked: MemoryAsked): ModelMemory {
  const { contextLength, sequences, cacheType } = asked;
  const planned = plannedWeights(backend, { config, lora: undefined }, source);
  const layouts = new Map(planned.map(({ row, dtype }) => [row.name, dtype]));
  const layoutOf = ({ name }: { readonly name: string }) => layouts.get(name) ?? fail("infer", `the parameter "${name}" is not planned`);
  const pages = sequences * Math.ceil(contextLength / pageKeys);
  const pool = { contextLength, cache: { pages, type: cacheType } };
  const { packed, working } = allPrograms(backend, { config, lora: undefined, layoutOf }, pool);
  const copied = planned.filter(({ isMapped }) => !isMapped);
  const weights = bytesOfAll(copied.filter(({ isPackedAlone }) => !isPackedAlone));
  const page = bytesPerPage(config, cacheType);
  const [rest, cache, there] = [weights + packed + working, pages * page, backend.memory()];
  const total = rest + cache;
  return {
    ...{ mapped: bytesOfAll(planned.filter(({ isMapped }) => isMapped)), weights, packed, cache, working, total, there },
    tokens: pageKeys * Math.max(0, Math.floor((there.bytes - rest) / page)),
    isEnough: Math.max(total, bytesOfAll(copied)) <= there.bytes,
  };
}

function bytesOfAll(planned: readonly PlannedWeight[]): number {
  return planned.reduce((sum, { row, dtype }) => sum + bytesOf(dtype, row.shape), 0);
}
