// The memory that training takes, counted from the graphs before any of it is taken, beside what is there.
import type { Backend, MemoryThere } from "../backend/index.ts";
import { fail, gigabytes } from "../base/index.ts";
import { type Graph, planMemory, tensorBytes } from "../graph/index.ts";
import type { TrainerOptions } from "./trainer.ts";
import { allGraphs, type TrainingGraphs, trainingGraphs } from "./training-graphs.ts";

/** Bytes that training takes. */
export interface TrainingMemory {
  /** Bytes of weights, moments and gathered gradients, and of the programs' inputs. */
  readonly states: number;
  /** Bytes of activations, their and the parameters' gradients, and scratch, of all programs, the evaluation's too where there is one. */
  readonly workspace: number;
}

/** The memory that training needs, beside the memory there. */
export type CheckedMemory = TrainingMemory & { readonly there: MemoryThere };

/**
 * What a trainer of these graphs will allocate on this backend. Nothing is allocated.
 * @param most bytes from which on the rest does not matter: where the largest activations alone need more, what only a full lowering tells, the scratch, is
 * left out, because the work of lowering grows with the batch
 */
export function trainingMemory(backend: Backend, asked: TrainingGraphs, most = Number.POSITIVE_INFINITY): TrainingMemory {
  const graphs = allGraphs(asked);
  const states = statesBytes(graphs);
  const sum = (bytesOf: (graph: Graph) => number) => graphs.reduce((total, graph) => total + bytesOf(graph), 0);
  const isBeyond = states + sum(largestActivation) > most;
  return { states, workspace: sum(isBeyond ? (graph) => planMemory(graph).arenaBytes : (graph) => backend.workspaceBytes(graph)) };
}

/** Bytes that an arena has at least. */
function largestActivation({ nodes }: Graph): number {
  return nodes.reduce((most, { outputs }) => Math.max(most, ...outputs.map(tensorBytes)), 0);
}

/**
 * @param graphs the graphs of these options, where they are built already
 * @throws CriaError when there is too little, with both and the largest batch that fits
 */
export function checkMemory(backend: Backend, options: TrainerOptions, graphs = trainingGraphs(options)): CheckedMemory {
  const there = backend.memory();
  const needed = trainingMemory(backend, graphs, there.bytes);
  if (total(needed) <= there.bytes) return { ...needed, there };
  const parts = `weights and optimiser ${gigabytes(needed.states)}, activations and gradients ${gigabytes(needed.workspace)}`;
  const rule = `training needs ${gigabytes(total(needed))} of memory (${parts}), but ${there.bound} is ${gigabytes(there.bytes)}`;
  return fail("train", `${rule}: ${wayOut(backend, options, there.bytes)}`);
}

function wayOut(backend: Backend, options: TrainerOptions, bytes: number): string {
  const { size, accumulation } = options;
  const fits = largestBatch(backend, options, bytes);
  const recomputing = size.recompute ? "" : ", or set recompute to true";
  if (fits === 0) return `no batch fits, not even 1: use a smaller model or a shorter length${recomputing}`;
  const gathered = largestBatch(backend, { ...options, accumulation: Math.max(2, accumulation) }, bytes);
  const same = `, or, for steps as large, to ${gathered} and accumulation to ${Math.ceil((size.batch * accumulation) / gathered)}`;
  return `the largest batch that fits is ${fits}: set batch to ${fits}${gathered === 0 ? "" : same}`;
}

/** The largest batch below the asked one whose memory fits; 0 when none does. Memory grows almost in proportion, so few are tried. */
export function largestBatch(backend: Backend, options: TrainerOptions, bytes: number): number {
  const needs = (batch: number) => total(trainingMemory(backend, trainingGraphs({ ...options, size: { ...options.size, batch } }), bytes));
  let fits = { batch: 0, bytes: 0 };
  let fails = { batch: options.size.batch, bytes: needs(options.size.batch) };
  while (fails.batch - fits.batch > 1) {
    const share = (bytes - fits.bytes) / (fails.bytes - fits.bytes);
    const guess = fits.batch + Math.floor(share * (fails.batch - fits.batch));
    const batch = Math.min(fails.batch - 1, Math.max(fits.batch + 1, guess));
    const tried = { batch, bytes: needs(batch) };
    if (tried.bytes <= bytes) fits = tried;
    else fails = tried;
  }
  return fits.batch;
}

/** Programs share states of one name; every program has inputs of its own. */
function statesBytes(graphs: readonly Graph[]): number {
  const tensors = graphs.flatMap((graph) => [...graph.tensors]);
  const states = new Map(tensors.filter(({ role }) => role === "state").map((tensor) => [tensor.name, tensor]));
  const inputs = tensors.filter(({ role }) => role === "input");
  return [...states.values(), ...inputs].reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
}

function total({ states, workspace }: TrainingMemory): number {
  return states + workspace;
}
