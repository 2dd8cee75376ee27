// The training state on a backend: parameters, moments, and the programs of one optimiser step.
import { type Backend, BoundProgram, type DeviceBuffer } from "../backend/index.ts";
import { check, eventsHandled, fail } from "../base/index.ts";
import { type Batch, checkBatch } from "../batches/index.ts";
import { HeldOutEvaluator } from "../eval/index.ts";
import { hfName } from "../formats/index.ts";
import { flopsOf, type Graph, type Tensor } from "../graph/index.ts";
import {
  type BatchSize,
  constantRows,
  countTargets,
  initialise,
  type LlamaConfig,
  type LossGraph,
  type ParameterRow,
  parameterRows,
  writeBatch,
  writePositions,
} from "../model/index.ts";
import { type AdamwSettings, type Backward, hyperValues } from "./step-graphs.ts";
import type { StoredTensor } from "./stored-tensor.ts";
import { type TrainingGraphs, trainingGraphs } from "./training-graphs.ts";
import { type CheckedMemory, checkMemory } from "./training-memory.ts";

/** What is trained, in batches of which size, by which optimiser. */
export interface TrainerOptions {
  readonly config: LlamaConfig;
  readonly size: BatchSize & Backward;
  /** Whether the documents of a sequence are kept apart; batches then say where they begin. */
  readonly documentMask?: boolean;
  /** Batches whose gradients are gathered for a step. */
  readonly accumulation: number;
  readonly adamw: AdamwSettings;
  /** Infinity for no clipping. */
  readonly clipNorm: number;
  /** Seed of the first weights. */
  readonly seed: number;
  /** Whether {@link Trainer.openEvaluator} will be called: its memory then counts when memory is checked. */
  readonly evaluates?: boolean;
}

/** What a step came to. */
export interface StepResult {
  /** Mean over all tokens of the step that count, before the update, in nats. */
  readonly loss: number;
  /** Norm of the gradient of that mean, before clipping. */
  readonly gradientNorm: number;
}

/** A pass: a batch goes in, its loss comes out. */
interface Pass {
  readonly program: BoundProgram;
  readonly loss: Tensor;
}

interface Programs {
  /** One pass per batch of the step. */
  readonly passes: readonly Pass[];
  /** The update behind the last pass; absent where the pass itself updates. */
  readonly update?: BoundProgram;
  /** The norm of all gradients, kept in the program that updates. */
  readonly norm: Tensor;
  readonly flops: number;
}

/** What a trainer has of the backend, and must give back. */
class Holdings implements Disposable {
  readonly backend: Backend;
  /** Buffers of weights and of AdamW's moments by name: every program reads and updates the same ones. */
  readonly states = new Map<string, DeviceBuffer>();
  readonly #programs: BoundProgram[] = [];
  readonly #signal: AbortSignal | undefined;

  constructor(backend: Backend, signal: AbortSignal | undefined) {
    this.backend = backend;
    this.#signal = signal;
  }

  state(name: string): DeviceBuffer {
    return this.states.get(name) ?? fail("train", `there is no state "${name}"`);
  }

  async compile(graph: Graph): Promise<BoundProgram> {
    await giveTurn(this.#signal);
    const program = await BoundProgram.compile(this.backend, graph, this.states);
    this.#programs.push(program);
    return program;
  }

  [Symbol.dispose](): void {
    for (const program of this.#programs) program.dispose();
    for (const buffer of this.states.values()) buffer.dispose();
  }
}

/** Who is told while training is opened, and what stops it. */
export interface OpenOptions {
  /** Opening ends when it aborts: between two programs that are compiled, and between two parameters that are filled. */
  readonly signal?: AbortSignal | undefined;
  /** Is told the memory that training needs and has, before any of it is taken. */
  readonly onMemory?: ((memory: CheckedMemory) => void) | undefined;
}

/** A model in training on a backend: one call is one optimiser step. It holds memory until it is disposed of. */
export class Trainer implements Disposable {
  /**
   * Floating-point operations of a step, matrix work only: the model's, forward and backward, whether or not some are done twice. Attention counts as if
   * each sequence was one document: with a document mask, which skips blocks of keys, fewer are done.
   */
  readonly flopsPerStep: number;
  /** Batches whose gradients are gathered for a step. */
  readonly batchesPerStep: number;
  readonly #options: TrainerOptions;
  readonly #holdings: Holdings;
  readonly #programs: Programs;
  /** The evaluator's graph, whose memory was counted with that of the others. */
  readonly #evaluation: LossGraph | undefined;

  /**
   * Compiles, and fills the parameters by the seed.
   * @throws CriaError for an option out of its range; when the backend's memory does not suffice, before any of it is taken: with the memory needed and there, and the batch that fits;
   * the signal's reason when it aborts
   */
  static async open(backend: Backend, options: TrainerOptions, { signal, onMemory }: OpenOptions = {}): Promise<Trainer> {
    checkOptions(options);
    const graphs = trainingGraphs(options);
    const memory = checkMemory(backend, options, graphs);
    onMemory?.(memory);
    const holdings = new Holdings(backend, signal);
    try {
      const programs = await compile(options, graphs, holdings);
      const rows = [...parameterRows(options.config), ...constantRows(options.config)];
      // One row at a time, so that the weights are never all in memory twice.
      for (const row of rows) {
        await holdings.state(row.name).write(initialise([row], options.seed).get(row.name)!);
        await giveTurn(signal);
      }
      for (const program of new Set(programs.passes.map((pass) => pass.program)))
        await writePositions(program, options.config, options.size);
      return new Trainer(options, holdings, programs, graphs.evaluation);
    } catch (error) {
      holdings[Symbol.dispose]();
      throw error;
    }
  }

  private constructor(options: TrainerOptions, holdings: Holdings, programs: Programs, evaluation: LossGraph | undefined) {
    this.#evaluation = evaluation;
    this.flopsPerStep = programs.flops;
    this.batchesPerStep = options.accumulation;
    this.#options = options;
    this.#holdings = holdings;
    this.#programs = programs;
  }

  /**
   * One optimiser step. Every token that counts has the same weight in it, in whichever batch it stands.
   * @param batches the step's, as many as `accumulation`
   * @param step from 1
   * @throws CriaError for another number of batches, batches of another size, and ids outside of the vocabulary
   */
  async step(batches: readonly Batch[], step: number, learningRate: number): Promise<StepResult> {
    const { adamw, clipNorm } = this.#options;
    const { passes, update, norm } = this.#programs;
    const count = passes.length;
    checkBatches(batches, this.#options);
    check(batches.length === count, "train", () => `a step has ${batches.length} batches but accumulation is ${count}: give it as many`);
    const updating = update ?? passes[0]!.program;
    await updating.write("hyper", hyperValues({ learningRate, step, batches: count, clipNorm }, adamw));
    const weight = meanWeight(batches);
    let loss = 0;
    for (const [i, pass] of passes.entries()) loss += (await runPass(pass, batches[i]!, weight)) / count;
    await update?.run();
    const [normOfSum] = await updating.read(norm);
    return { loss, gradientNorm: normOfSum! / count };
  }

  /** Measures held-out loss on the parameters as they are then. */
  openEvaluator(): Promise<HeldOutEvaluator> {
    const { config, size } = this.#options;
    const { backend, states } = this.#holdings;
    return HeldOutEvaluator.open(backend, config, size, states, this.#evaluation);
  }

  /** The parameters, then the moments, in the order of a checkpoint. */
  get tensors(): StoredTensor[] {
    const rows = parameterRows(this.#options.config);
    const moments = rows.flatMap((row) => ["m", "v"].map((moment) => this.#stored(row, "optimizer", `.${moment}`)));
    return [...rows.map((row) => this.#stored(row, "model", "")), ...moments];
  }

  /** Frees the memory of parameters, moments and programs. */
  dispose(): void {
    this.#holdings[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #stored({ name, shape }: ParameterRow, part: StoredTensor["part"], suffix: string): StoredTensor {
    const buffer = this.#holdings.state(name + suffix);
    return {
      part,
      name: hfName(name) + suffix,
      shape,
      read: () => buffer.read() as Promise<Float32Array>,
      write: (values) => buffer.write(values),
    };
  }
}

/**
 * What a token's loss is multiplied by, so that the mean of the passes' sums is the mean over all tokens that count: 1 / their mean number per pass.
 * Where all passes have as many it is the inverse of that number, and the step has the same bits as one of the means of its passes.
 */
function meanWeight(batches: readonly Batch[]): number {
  const counted = batches.reduce((sum, { targets }) => sum + countTargets(targets), 0);
  return counted === 0 ? 0 : batches.length / counted;
}

/** A graph with a document mask would read what an earlier batch said of its documents, where a batch says nothing. */
function checkOptions({ accumulation, clipNorm }: TrainerOptions): void {
  check(
    Number.isSafeInteger(accumulation) && accumulation >= 1,
    "train",
    () => `accumulation is ${accumulation} but must be a whole number above 0`,
  );
  check(clipNorm > 0, "train", () => `clipNorm is ${clipNorm} but must be above 0: Infinity clips nothing`);
}

function checkBatches(batches: readonly Batch[], { documentMask = false, size, config }: TrainerOptions): void {
  for (const batch of batches) {
    const { documents } = batch;
    checkBatch(batch, size, config.vocabSize);
    check(
      (documents !== undefined) === documentMask,
      "train",
      () =>
        `documentMask is ${documentMask} but a batch ${documents ? "says" : "does not say"} where documents begin: ask for both or neither`,
    );
  }
}

/** @returns the pass's sum of losses times the weight */
async function runPass({ program, loss }: Pass, batch: Batch, weight: number): Promise<number> {
  await writeBatch(program, batch, weight);
  await program.run();
  return (await program.read(loss))[0]!;
}

async function compile(options: TrainerOptions, { first, more, update, norm }: TrainingGraphs, holdings: Holdings): Promise<Programs> {
  const passOf = async ({ graph, loss }: LossGraph) => ({ program: await holdings.compile(graph), loss });
  const firstPass = await passOf(first);
  const morePass = more && (await passOf(more));
  return {
    passes: Array.from({ length: options.accumulation }, (_, i) => (i === 0 ? firstPass : (morePass ?? firstPass))),
    ...(update && { update: await holdings.compile(update) }),
    norm,
    flops: options.accumulation * flopsOf(first.graph),
  };
}

/** Lets signals and timers have their turn, so that an abort is heard. @throws the signal's reason when it has aborted */
async function giveTurn(signal: AbortSignal | undefined): Promise<void> {
  await eventsHandled();
  signal?.throwIfAborted();
}
