// The training state on a backend: parameters, moments, and the programs of one optimiser step.
import { type Backend, BoundProgram, type DeviceBuffer } from "../backend/index.ts";
import { check, fail } from "../base/index.ts";
import type { Batch } from "../data/index.ts";
import { HeldOutEvaluator } from "../eval/index.ts";
import { hfName } from "../formats/index.ts";
import { flopsOf, type Graph, type Tensor } from "../graph/index.ts";
import {
  type BatchSize,
  batchPositions,
  constantRows,
  countTargets,
  initialise,
  type LlamaConfig,
  type ParameterRow,
  parameterRows,
  ropeInputs,
  writeBatch,
} from "../model/index.ts";
import type { StoredTensor } from "./checkpoint.ts";
import { type AdamwSettings, type Backward, gatherGraph, hyperValues, stepGraph, updateGraph } from "./step-graphs.ts";
import { checkMemory } from "./training-memory.ts";

export interface TrainerOptions {
  readonly config: LlamaConfig;
  readonly size: BatchSize & Backward;
  /** Batches whose gradients are gathered for a step. */
  readonly accumulation: number;
  readonly adamw: AdamwSettings;
  /** Infinity for no clipping. */
  readonly clipNorm: number;
  /** Of the first weights. */
  readonly seed: number;
  /** Whether {@link Trainer.openEvaluator} will be called: its memory then counts when memory is checked. */
  readonly evaluates?: boolean;
}

export interface StepResult {
  /** Mean over all tokens of the step that count, before the update, in nats. */
  readonly loss: number;
  /** Of the gradient of that mean, before clipping. */
  readonly gradientNorm: number;
}

/** A pass: a batch goes in, its loss comes out. */
interface Pass {
  readonly program: BoundProgram;
  readonly loss: Tensor;
}

interface Programs {
  /** One a batch of the step. */
  readonly passes: readonly Pass[];
  /** Behind the last pass; absent where the pass itself updates. */
  readonly update?: BoundProgram;
  /** Kept in the program that updates. */
  readonly norm: Tensor;
  readonly flops: number;
}

/** What a trainer has of the backend, and must give back. */
class Holdings implements Disposable {
  readonly backend: Backend;
  /** By name: every program reads and updates the same ones. */
  readonly states = new Map<string, DeviceBuffer>();
  readonly #programs: BoundProgram[] = [];

  constructor(backend: Backend) {
    this.backend = backend;
  }

  async compile(graph: Graph): Promise<BoundProgram> {
    const program = await BoundProgram.compile(this.backend, graph, this.states);
    this.#programs.push(program);
    return program;
  }

  [Symbol.dispose](): void {
    for (const program of this.#programs) program.dispose();
    for (const buffer of this.states.values()) buffer.dispose();
  }
}

export class Trainer implements Disposable {
  /** Floating-point operations of a step, matrix work only: the model's, forward and backward, whether or not some are done twice. */
  readonly flopsPerStep: number;
  readonly #options: TrainerOptions;
  readonly #holdings: Holdings;
  readonly #programs: Programs;

  /**
   * Compiles, and fills the parameters by the seed.
   * @throws CriaError when the backend's memory does not suffice, before any of it is taken: with the memory needed and there, and the batch that fits
   */
  static async open(backend: Backend, options: TrainerOptions): Promise<Trainer> {
    checkMemory(backend, options);
    const holdings = new Holdings(backend);
    try {
      const programs = await (options.accumulation === 1 ? compileStep : compileGathered)(options, holdings);
      const rows = [...parameterRows(options.config), ...constantRows(options.config)];
      // One row at a time, so that the weights are never all in memory twice.
      for (const row of rows) await holdings.states.get(row.name)!.write(initialise([row], options.seed).get(row.name)!);
      for (const program of new Set(programs.passes.map((pass) => pass.program))) await writePositions(program, options);
      return new Trainer(options, holdings, programs);
    } catch (error) {
      holdings[Symbol.dispose]();
      throw error;
    }
  }

  private constructor(options: TrainerOptions, holdings: Holdings, programs: Programs) {
    this.flopsPerStep = programs.flops;
    this.#options = options;
    this.#holdings = holdings;
    this.#programs = programs;
  }

  /**
   * One optimiser step. Every token that counts has the same weight in it, in whichever batch it stands.
   * @param batches the step's, as many as `accumulation`
   * @param step from 1
   */
  async step(batches: readonly Batch[], step: number, learningRate: number): Promise<StepResult> {
    const { adamw, clipNorm } = this.#options;
    const { passes, update, norm } = this.#programs;
    const count = passes.length;
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
    return HeldOutEvaluator.open(this.#holdings.backend, this.#options.config, this.#options.size, this.#holdings.states);
  }

  /** The parameters, then the moments, in the order of a checkpoint. */
  get tensors(): StoredTensor[] {
    const rows = parameterRows(this.#options.config);
    const moments = rows.flatMap((row) => ["m", "v"].map((moment) => this.#stored(row, "optimizer", `.${moment}`)));
    return [...rows.map((row) => this.#stored(row, "model", "")), ...moments];
  }

  [Symbol.dispose](): void {
    this.#holdings[Symbol.dispose]();
  }

  #state(name: string): DeviceBuffer {
    return this.#holdings.states.get(name) ?? fail("train", `there is no state "${name}"`);
  }

  #stored({ name, shape }: ParameterRow, part: StoredTensor["part"], suffix: string): StoredTensor {
    const buffer = this.#state(name + suffix);
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

/** @returns the pass's sum of losses times the weight */
async function runPass({ program, loss }: Pass, batch: Batch, weight: number): Promise<number> {
  await writeBatch(program, batch, weight);
  await program.run();
  return (await program.read(loss))[0]!;
}

/** What stays the same from batch to batch. */
async function writePositions(program: BoundProgram, { config, size }: TrainerOptions): Promise<void> {
  await program.write("positions", batchPositions(size));
  for (const [name, values] of ropeInputs(config, size.length - 1)) await program.write(name, values);
}

async function compileStep({ config, size, adamw }: TrainerOptions, holdings: Holdings): Promise<Programs> {
  const { graph, loss, norm } = stepGraph(config, size, adamw);
  const program = await holdings.compile(graph);
  return { passes: [{ program, loss }], norm, flops: flopsOf(graph) };
}

async function compileGathered({ config, size, adamw, accumulation }: TrainerOptions, holdings: Holdings): Promise<Programs> {
  const [first, more] = [gatherGraph(config, size, true), gatherGraph(config, size, false)];
  const { graph, norm } = updateGraph(config, adamw);
  const firstPass = { program: await holdings.compile(first.graph), loss: first.loss };
  const morePass = { program: await holdings.compile(more.graph), loss: more.loss };
  return {
    passes: Array.from({ length: accumulation }, (_, i) => (i === 0 ? firstPass : morePass)),
    update: await holdings.compile(graph),
    norm,
    flops: accumulation * flopsOf(first.graph),
  };
}
