// The rows of passes on a backend: one program for each size of pass, compiled when it is first needed, on weights and pages that all share.
import { type Backend, BoundProgram, type DeviceBuffer, type HostArray } from "../backend/index.ts";
import { fail, type StateDType } from "../base/index.ts";
import { Graph, i32, mostTopK, pageCopy, pageKeys, pageTiles, type Tensor, tensorBytes } from "../graph/index.ts";
import {
  cachePools,
  declareAdapted,
  declareWeights,
  type InferenceGraph,
  inferenceGraph,
  type LayoutOf,
  type LlamaConfig,
  type LoraSettings,
  type OutputName,
  ropeInputs,
  type TopSize,
} from "../model/index.ts";
import type { PageCopy } from "./cached-text.ts";
import type { LogitRow, PassInputs, PassOutputs, PassRunner } from "./pass-runner.ts";
import type { PassLimits } from "./scheduler.ts";
import type { TopLogits } from "./sequence.ts";

/**
 * R: rows of programs. A pass runs in the smallest that holds it. Rows that it does not have cost nothing, so one row alone takes no longer in a
 * program of eight than in one of its own, which would only have to be compiled, too.
 */
const programRows = [8, 64, 512] as const;
/** S: sequences in a pass at most. */
const programSequences = 64;
/** L where a program has more rows than these: a prompt has one row of logits, and few sequences have few. */
const fewLogits = 8;
/** Largest logits of a row that programs give, where fewer than all are wanted: one for greedy decoding, and few sizes for what draws from several. */
const programTops = [1, 64, 256, mostTopK] as const;

/** What a pass may have so that a program holds it. */
export const passLimits: PassLimits = { rows: 512, mixedRows: 64, sequences: programSequences, results: 64 };

/** What programs of all sizes have in common. */
export interface ProgramParts {
  readonly config: LlamaConfig;
  /** An adapter beside the model's own parameters. */
  readonly lora: LoraSettings | undefined;
  /** Buffers by name of parameters and constants, in whatever layouts these have, and of the cache. */
  readonly held: Map<string, DeviceBuffer>;
}

/** What the graphs of programs follow from. */
export interface GraphParts extends Pick<ProgramParts, "config" | "lora"> {
  /** The layouts of parameters and constants. */
  readonly layoutOf: LayoutOf;
}

/** The size of a pool: tokens of one sequence, and pages for all. */
export interface PoolSize {
  readonly contextLength: number;
  readonly cache: { readonly pages: number; readonly type: StateDType };
}

interface ProgramSize {
  readonly rows: number;
  readonly logitRows: number;
  readonly top: TopSize | undefined;
}

interface Compiled {
  readonly size: ProgramSize;
  readonly graph: InferenceGraph;
  readonly program: BoundProgram;
  /** What the inputs of rows hold: from token to token few of them change, and a write takes some microseconds. */
  readonly written: Map<string, ArrayLike<number>>;
  /** What RoPE's table in the program was made for. */
  ropeLength: number | undefined;
}

/** The programs of a model on a backend, by rows per pass, and the states that they share. */
export class Programs implements PassRunner {
  readonly #backend: Backend;
  readonly #config: LlamaConfig;
  readonly #parts: ProgramParts & GraphParts;
  readonly #size: PoolSize;
  readonly #compiled = new Map<string, Promise<Compiled>>();
  #copying: Promise<BoundProgram> | undefined;

  /** @param parts their buffers are disposed of with the programs */
  constructor(backend: Backend, parts: ProgramParts, size: PoolSize) {
    this.#backend = backend;
    this.#config = parts.config;
    this.#parts = { ...parts, layoutOf: layoutsHeld(parts.held) };
    this.#size = size;
  }

  async run(pass: PassInputs): Promise<PassOutputs> {
    const compiled = await this.#program(pass);
    const { graph, program } = compiled;
    await Promise.all([...this.#writeRopeTable(compiled, pass.ropeLength), ...this.#write(compiled, pass), program.run()]);
    const hidden = pass.outputs.map(async (name) => {
      const { dim } = this.#config;
      const kept = graph.hidden.get(name) ?? fail("infer", `the program does not keep the output ${name}`);
      const values = (await program.read(kept, 0, pass.tokens.length * dim)) as Float32Array;
      return [name, pass.tokens.map((_, row) => values.subarray(row * dim, (row + 1) * dim))] as const;
    });
    return { logits: await this.#logits(compiled, pass.logitRows), hidden: new Map(await Promise.all(hidden)) };
  }

  async copy(copies: readonly PageCopy[]): Promise<void> {
    this.#copying ??= this.#compileCopy();
    const program = await this.#copying.catch((error) => {
      this.#copying = undefined; // Memory may have been short, and there may be more later.
      throw error;
    });
    for (const { from, to } of copies) await Promise.all([program.write("copies", [from, to]), program.run()]);
  }

  async dispose(): Promise<void> {
    const programs = [
      ...(await Promise.all(this.#compiled.values())).map(({ program }) => program),
      ...(this.#copying ? [await this.#copying] : []),
    ];
    for (const program of programs) program.dispose();
    for (const buffer of this.#parts.held.values()) buffer.dispose();
  }

  /** Writes RoPE's table where it is another one: only once, unless the scaling looks at the length of a run. */
  #writeRopeTable(compiled: Compiled, ropeLength: number): Promise<void>[] {
    if (compiled.ropeLength === ropeLength) return [];
    compiled.ropeLength = undefined; // Writing can fail, as in writeInput.
    return [...ropeInputs(this.#config, ropeLength - 1)].map(async ([name, values]) => {
      await compiled.program.write(name, values);
      compiled.ropeLength = ropeLength;
    });
  }

  /** Writes the inputs of a pass that are others than those of the pass before. */
  #write(compiled: Compiled, pass: PassInputs): Promise<void>[] {
    const { rows, logitRows, top } = compiled.size;
    const { tokens, positions, slots, pages } = pass;
    const P = Math.ceil(this.#size.contextLength / pageKeys);
    const table = new Int32Array(pages.length * P);
    for (const [slot, numbers] of pages.entries()) table.set(numbers, slot * P);
    const allSlots = new Int32Array(rows);
    allSlots.set(slots);
    const inputs: [string, ArrayLike<number>][] = [
      ["tokens", tokens],
      ["positions", positions],
      ["slots", slots],
      ["pages", table],
      ["tiles", pageTiles(allSlots, positions, tokens.length)],
      ["count", [tokens.length]],
    ];
    if (logitRows < rows) {
      const chosen = pass.logitRows.map(({ row }) => row);
      inputs.push(["logitRows", chosen], ["logitCount", [chosen.length]]);
    }
    if (top?.isMasked) inputs.push(["allowed", this.#allowed(pass, logitRows < rows)]);
    return inputs.filter(([name, values]) => !isSame(values, compiled.written.get(name))).map((input) => writeInput(compiled, ...input));
  }

  /** The bits of allowed tokens of every row that logits are made of. */
  #allowed({ tokens, logitRows }: PassInputs, isChosen: boolean): Int32Array {
    const words = Math.ceil(this.#config.vocabSize / 32);
    const bits = new Int32Array((isChosen ? logitRows.length : tokens.length) * words).fill(-1);
    for (const [i, { row, top }] of logitRows.entries()) if (top?.allowed) bits.set(top.allowed, (isChosen ? i : row) * words);
    return bits;
  }

  /** Reads what is wanted of the rows that logits are made of. */
  async #logits({ size, graph, program }: Compiled, wanted: readonly LogitRow[]): Promise<(Float32Array | TopLogits)[]> {
    const placed = wanted.map(({ row, top }, i) => ({ place: size.logitRows < size.rows ? i : row, top }));
    const placesOf = (isTop: boolean) => placed.filter(({ top }) => (top !== undefined) === isTop).map(({ place }) => place);
    const logits = await readRows(program, graph.logits, placesOf(false));
    if (graph.top === undefined) return placed.map(({ place }) => logits(place) as Float32Array);
    const read = (tensor: Tensor) => readRows(program, tensor, placesOf(true));
    const [values, ids, total] = await Promise.all([read(graph.top.values), read(graph.top.ids), read(graph.top.logSumExp)]);
    return placed.map(({ place, top }) => {
      if (top === undefined) return logits(place) as Float32Array;
      return {
        ids: ids(place).subarray(0, top.top) as Int32Array,
        logits: values(place).subarray(0, top.top) as Float32Array,
        logSumExp: total(place)[0] ?? Number.NaN,
      };
    });
  }

  #program(pass: PassInputs): Promise<Compiled> {
    const size = sizeOf(pass, this.#config.vocabSize);
    const key = JSON.stringify([size, pass.outputs.map(String).sort()]);
    const known = this.#compiled.get(key);
    if (known !== undefined) return known;
    const compiled = this.#compile(size, pass.outputs);
    this.#compiled.set(key, compiled);
    compiled.catch(() => this.#compiled.delete(key)); // Memory may have been short, and there may be more later.
    return compiled;
  }

  async #compile(size: ProgramSize, outputs: readonly OutputName[]): Promise<Compiled> {
    const graph = programGraph(this.#parts, this.#size, size, outputs);
    return {
      ropeLength: undefined,
      written: new Map(),
      size,
      graph,
      program: await BoundProgram.compile(this.#backend, graph.graph, this.#parts.held),
    };
  }

  async #compileCopy(): Promise<BoundProgram> {
    const graph = new Graph();
    const copies = graph.input("copies", i32(1, 2));
    for (const { keys, values } of cachePools(graph, this.#config, this.#size.cache))
      for (const pool of [keys, values]) pageCopy(pool, copies);
    return BoundProgram.compile(this.#backend, graph, this.#parts.held);
  }
}

/** Values that the caller does not change afterwards. */
async function writeInput({ program, written }: Compiled, name: string, values: ArrayLike<number>): Promise<void> {
  written.delete(name); // Writing can fail, so they count as written only when they are there.
  await program.write(name, values);
  written.set(name, values);
}

function isSame(values: ArrayLike<number>, before: ArrayLike<number> | undefined): boolean {
  if (values.length !== before?.length) return false;
  for (let i = 0; i < values.length; i++) if (values[i] !== before[i]) return false;
  return true;
}

/** Bytes that a program takes beside weights and pages. */
export interface ProgramBytes {
  /** Packed weights, which all programs share. */
  readonly packed: number;
  /** Inputs, activations and the threads' scratch. */
  readonly working: number;
}

/** What the largest program for passes of so many rows takes. */
export function largestProgram(backend: Backend, parts: GraphParts, size: PoolSize, rows: number): ProgramBytes {
  const largest = { rows: rowsFor(rows), logitRows: Math.min(rowsFor(rows), passLimits.results), top: undefined };
  const { graph } = programGraph(parts, size, largest, []);
  const inputs = [...graph.tensors].filter(({ role }) => role === "input");
  const packed = backend.packedBytes(graph);
  const beside = backend.workspaceBytes(graph) - packed;
  return { packed, working: inputs.reduce((sum, input) => sum + tensorBytes(input), beside) };
}

/** The layouts of what is loaded. */
export function layoutsHeld(held: ProgramParts["held"]): LayoutOf {
  return ({ name }) => held.get(name)?.type.dtype ?? fail("infer", `the parameter "${name}" was not loaded`);
}

function programGraph(
  { config, lora, layoutOf }: GraphParts,
  pool: PoolSize,
  size: ProgramSize,
  outputs: readonly OutputName[],
): InferenceGraph {
  return inferenceGraph(config, {
    ...{ ...size, ...pool, outputs, sequences: Math.min(size.rows, programSequences) },
    declare: (graph) => (lora === undefined ? declareWeights(graph, config, layoutOf) : declareAdapted(graph, config, lora, layoutOf)),
  });
}

function rowsFor(count: number): number {
  return programRows.find((most) => most >= count) ?? fail("infer", `no program holds ${count} rows`);
}

/** The smallest program that holds a pass. */
function sizeOf({ tokens, logitRows }: PassInputs, vocabSize: number): ProgramSize {
  const rows = rowsFor(tokens.length);
  const tops = logitRows.flatMap(({ top }) => top ?? []);
  const most = Math.max(0, ...tops.map(({ top }) => top));
  const k = Math.min(vocabSize, programTops.find((count) => count >= most) ?? mostTopK);
  return {
    rows,
    logitRows: rows > fewLogits && logitRows.length <= fewLogits ? fewLogits : Math.min(rows, passLimits.results),
    top: most === 0 ? undefined : { k, isMasked: tops.some(({ allowed }) => allowed !== undefined) },
  };
}

/** Reads the rows of a kept tensor from the first to the last of `rows`. @returns a row by its number */
async function readRows(program: BoundProgram, tensor: Tensor, rows: readonly number[]): Promise<(row: number) => HostArray> {
  if (rows.length === 0) return (row) => fail("infer", `row ${row} of "${tensor.name}" was not read`);
  const width = tensor.shape[1] ?? 1;
  const [first, last] = [Math.min(...rows), Math.max(...rows)];
  const values = await program.read(tensor, first * width, (last + 1 - first) * width);
  return (row) => values.subarray((row - first) * width, (row + 1 - first) * width);
}
