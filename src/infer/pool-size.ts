// How many pages the pool has: enough for a few full contexts, or as many as memory has room for beside what programs take.
import type { MemoryThere } from "../backend/index.ts";
import { bytesOf, check, gigabytes, type StateDType } from "../base/index.ts";
import { Graph, pageKeys } from "../graph/index.ts";
import { cachePools, type LlamaConfig } from "../model/index.ts";

/** Full contexts that the pool has pages for, where memory suffices. */
const usualContexts = 4;
/** The share of memory that the pool leaves to programs of other sizes and to whatever else runs. */
const spareShare = 1 / 8;

/** What the size of a pool follows from. */
export interface PoolRequest {
  /** Tokens of one sequence, where somebody has asked for so many; the model's context otherwise, or fewer where memory is short. */
  readonly contextLength: number | undefined;
  readonly cacheType: StateDType;
  readonly memory: MemoryThere;
  /** Bytes of all weights. */
  readonly weights: number;
  /** Bytes that the largest program takes, packed weights included. Costs a lowering, so that it is asked for only where memory is short. */
  programs(): number;
}

/** @throws CriaError with all sizes when memory has not even room for the tokens that are asked for, or for one page. */
export function poolPages(config: LlamaConfig, { contextLength, cacheType, memory, weights, programs }: PoolRequest): number {
  const perContext = Math.ceil((contextLength ?? config.contextLength) / pageKeys);
  const page = bytesPerPage(config, cacheType);
  const wanted = usualContexts * perContext;
  if (4 * (wanted * page + weights) <= memory.bytes) return wanted; // activations are far smaller than what is left
  const taken = programs();
  const least = contextLength === undefined ? 1 : perContext;
  checkRoom({ taken, page, least, memory });
  return Math.max(least, Math.min(wanted, Math.floor((memory.bytes * (1 - spareShare) - taken) / page)));
}

function checkRoom({ taken, page, least, memory }: { taken: number; page: number; least: number; memory: MemoryThere }): void {
  const room = Math.max(0, Math.floor((memory.bytes - taken) / page));
  const explain = () => {
    const needs = `programs and packed weights need ${gigabytes(taken)} and keys and values of ${least * pageKeys} tokens ${gigabytes(least * page)}`;
    const wayOut = room > 0 ? `set contextLength to ${room * pageKeys} or less, or store` : "use a smaller model, or store";
    return `${needs}, but ${memory.bound} is ${gigabytes(memory.bytes)}: ${wayOut} keys and values in fewer bytes (cacheType)`;
  };
  check(room >= least, "infer", explain, { ways: room > 0 ? ["contextLength", "cacheType"] : ["cacheType"] });
}

/** Bytes of one page of every layer. @throws CriaError where the model's heads do not fit the type */
export function bytesPerPage(config: LlamaConfig, type: StateDType): number {
  const pools = cachePools(new Graph(), config, { pages: 1, type });
  return pools.flatMap(({ keys, values }) => [keys, values]).reduce((sum, { dtype, shape }) => sum + bytesOf(dtype, shape), 0);
}
