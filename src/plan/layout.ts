// How to lay a model over a cluster: data × tensor × pipeline, what each accelerator then holds, and what that costs in speed
// (Narayanan et al. 2021, arXiv 2104.04473; state sharded over data by Rajbhandari et al. 2019, arXiv 1910.02054, "ZeRO" 1 to 3;
// sequence parallelism by Korthikanti et al. 2022, arXiv 2205.05198, so that tensor parallelism divides every activation).
import { check, fail } from "../base/index.ts";
import { type LlamaConfig, parameterCount } from "../model/index.ts";
import type { Accelerator } from "./accelerators.ts";
import { trainingFlopsPerToken } from "./flops.ts";
import { activationBytes, type Kept, type TrainingPrecision, trainingStateBytes } from "./memory.ts";

const where = "plan";
/** Accelerators with fast links between them: tensor parallelism does not leave a machine. */
const machineSize = 8;
/** The rest of the memory is the system's, the communication's and lost between blocks. */
const usable = 0.9;

/** What is divided over the data-parallel replicas: nothing, optimiser state, gradients too, weights too. */
export type Sharding = 0 | 1 | 2 | 3;

/** A layout of a model over accelerators: the degrees of parallelism, and what they cost. */
export interface Layout {
  readonly data: number;
  readonly tensor: number;
  readonly pipeline: number;
  readonly sharding: Sharding;
  readonly kept: Kept;
  /** Bytes on the fullest accelerator. */
  readonly bytes: number;
  /** Share of the time that pipeline stages wait, 0 to 1. */
  readonly bubble: number;
  /** Share of the time that a tensor's parts wait for each other's sums, 0 to 1. */
  readonly exchange: number;
  /** Gradients and weights that travel between replicas, over the computation that hides them; above 1 they do not fit behind. */
  readonly communication: number;
  readonly tokensPerSecond: number;
}

/** Accelerators of one kind, and how well they are used. */
export interface Cluster {
  readonly accelerator: Accelerator;
  readonly count: number;
  /** FLOP/s of one accelerator. */
  readonly peak: number;
  /** The utilisation of computation, 0 to 1: bubbles, exchanges, layers run again and communication that does not hide come on top. */
  readonly utilisation: number;
}

/** What is trained on a cluster. */
export interface Job {
  readonly config: LlamaConfig;
  readonly precision: TrainingPrecision;
  /** Tokens of a step, and of a sequence. */
  readonly batchTokens: number;
  readonly length: number;
}

/**
 * Every division that fits, in its fastest form, the fastest first; of equals the one with the least communication, then the least
 * sharded or run again. One sequence at a time goes through a replica.
 * @throws CriaError when none fits, or the batch cannot be divided over so many accelerators
 */
export function layouts(job: Job, cluster: Cluster): Layout[] {
  const sequences = job.batchTokens / job.length;
  check(
    Number.isInteger(sequences) && sequences > 0,
    where,
    () => `a step of ${job.batchTokens} tokens is not a whole number of sequences of ${job.length}: change the one or the other`,
  );
  const room = usable * cluster.accelerator.memory;
  const sized = { ...job, parameters: parameterCount(job.config), flops: trainingFlopsPerToken(job.config, job.length) };
  const possible = splits(job, cluster.count, sequences).map((split) => complete(split, sized, cluster, sequences));
  if (possible.length === 0)
    fail(
      where,
      `${cluster.count} accelerators cannot share ${sequences} sequences of a model of ${job.config.nLayers} layers and ${job.config.nHeads} heads evenly: try a power of two, or another batch`,
    );
  const fitting = possible.flatMap((ways) =>
    ways
      .filter(({ bytes }) => bytes <= room)
      .toSorted(faster)
      .slice(0, 1),
  );
  if (fitting.length === 0) doesNotFit(possible.flat(), cluster, room);
  return fitting.toSorted(faster);
}

/** A job with what takes long to count. */
interface SizedJob extends Job {
  readonly parameters: number;
  /** Operations of training per token. */
  readonly flops: number;
}

interface Split {
  readonly data: number;
  readonly tensor: number;
  readonly pipeline: number;
}

function splits({ config }: Job, count: number, sequences: number): Split[] {
  const tensors = divisors(Math.min(machineSize, count)).filter(
    (t) => count % t === 0 && config.nKvHeads % t === 0 && config.nHeads % t === 0,
  );
  return tensors.flatMap((tensor) =>
    divisors(config.nLayers)
      .filter((pipeline) => count % (tensor * pipeline) === 0)
      .map((pipeline) => ({ data: count / tensor / pipeline, tensor, pipeline }))
      .filter(({ data }) => sequences % data === 0),
  );
}

/** Sharded gradients and weights travel with every sequence, which a pipeline has many of: there only the optimiser is sharded. */
function complete(split: Split, job: SizedJob, cluster: Cluster, sequences: number): Layout[] {
  const shardings: readonly Sharding[] = split.data === 1 ? [0] : split.pipeline === 1 ? [0, 1, 2, 3] : [0, 1];
  const kepts: readonly Kept[] = ["all", "linear", "inputs"];
  return shardings.flatMap((sharding) => kepts.map((kept) => measure({ ...split, sharding, kept }, job, cluster, sequences / split.data)));
}

type Choice = Split & Pick<Layout, "sharding" | "kept">;

/** @param rounds sequences that a replica takes in a step, one after the other */
function measure(choice: Choice, job: SizedJob, cluster: Cluster, rounds: number): Layout {
  const { batchTokens, flops } = job;
  // A forward pass is a third of the work; norms and activations are too little to count.
  const again = choice.kept === "inputs" ? 4 / 3 : 1;
  const computing = (again * flops * batchTokens) / (cluster.count * cluster.peak * cluster.utilisation);
  const exchanging = linkSeconds(choice, job, cluster, rounds);
  const communication = networkSeconds(choice, job, cluster, rounds) / computing;
  const waiting = (choice.pipeline - 1) / rounds; // Narayanan et al. 2021, section 2.2.1
  const seconds = (computing * Math.max(1, communication) + exchanging) * (1 + waiting);
  return {
    ...choice,
    bytes: bytesOf(choice, job, rounds),
    bubble: waiting / (1 + waiting),
    exchange: exchanging / seconds,
    communication,
    tokensPerSecond: batchTokens / seconds,
  };
}

/**
 * Four all-reduces of a layer's tokens for each sequence, two forward and two backward (Shoeybi et al. 2019, arXiv 1909.08053, section 3),
 * and two more where the forward pass runs again. The next product needs the sum, so nothing hides them; sequence parallelism sends as
 * much, in other places (Korthikanti et al. 2022, section 4.2.2).
 */
function linkSeconds(choice: Choice, { config, length, precision }: Job, { accelerator }: Cluster, rounds: number): number {
  const { tensor, pipeline, kept } = choice;
  const bytes = ((2 * (tensor - 1)) / tensor) * length * config.dim * precision.activations;
  return ((kept === "inputs" ? 6 : 4) * (config.nLayers / pipeline) * rounds * bytes) / accelerator.link;
}

/** Gradients added up and weights given back once per step; sharded gradients travel once a sequence, sharded weights twice. */
function networkSeconds(choice: Choice, job: SizedJob, { accelerator, count }: Cluster, rounds: number): number {
  const { data, sharding } = choice;
  const share = stageParameters(choice, job) * ((data - 1) / data);
  const { weights, gradients } = job.precision;
  const sent = (sharding >= 2 ? rounds : 1) * gradients + (sharding === 3 ? 2 * rounds : 1) * weights;
  return (share * sent) / (count <= machineSize ? accelerator.link : accelerator.network);
}

function bytesOf(choice: Choice, job: SizedJob, rounds: number): number {
  const { data, tensor, pipeline, sharding, kept } = choice;
  const state = trainingStateBytes(stageParameters(choice, job), job.precision);
  const part = (bytes: number, from: Sharding) => (sharding >= from ? bytes / data : bytes);
  const inFlight = Math.min(pipeline, rounds); // the first stage has a sequence under way for every stage behind it
  const activations = (activationBytes(job.config, job.length, kept, job.precision.activations) / pipeline) * inFlight;
  const gathered = sharding === 3 ? (2 * state.weights * pipeline) / job.config.nLayers : 0; // the layer at work and the next
  return part(state.weights, 3) + part(state.gradients, 2) + part(state.optimiser, 1) + activations / tensor + gathered;
}

/** Parameters on one accelerator of the fullest stage: its layers and a table of the vocabulary. */
function stageParameters({ tensor, pipeline }: Split, { config, parameters }: SizedJob): number {
  const table = config.vocabSize * config.dim;
  const tables = config.tiedOutput ? table : 2 * table;
  const layers = parameters - tables;
  return (layers / pipeline + (pipeline === 1 ? tables : table)) / tensor;
}

function doesNotFit(possible: readonly Layout[], { accelerator, count }: Cluster, room: number): never {
  const least = possible.reduce((best, layout) => (layout.bytes < best.bytes ? layout : best));
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  return fail(
    where,
    `the model does not fit ${count} × ${accelerator.name}: even ${describe(least)} takes ${gigabytes(least.bytes)} where ${gigabytes(room)} can be used: take more of them, or larger ones`,
  );
}

function describe({ data, tensor, pipeline, sharding }: Layout): string {
  return `${data} data × ${tensor} tensor × ${pipeline} pipeline, ${shardedNames[sharding]} sharded,`;
}

const shardedNames = ["nothing", "the optimiser", "optimiser and gradients", "optimiser, gradients and weights"] as const;

/** Speeds that differ in their last digits only are equal: then the least communication, which hides but is not free. */
function faster(a: Layout, b: Layout): number {
  const speed = ({ tokensPerSecond }: Layout) => Number(tokensPerSecond.toPrecision(9));
  return speed(b) - speed(a) || a.communication - b.communication;
}

function divisors(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i + 1).filter((d) => n % d === 0);
}
