// The rows of passes on a backend: one program for each size of pass, compiled when it is first needed, on weights and pages that all share.
import { type Backend, BoundProgram, type DeviceBuffer, type HostArray, type InputWrite, type PassRead } from "../backend/index.ts";
import { eventsHandled, fail, type StateDType } from "../base/index.ts";
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
import { isAttentionOutput } from "./run-checks.ts";
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
  /** Those that are there, so that a token need not wait for a promise. */
  readonly #compiledNow = new Map<string, Compiled>();
  #copying: Promise<BoundProgram> | undefined;
  /** The program that keeps queries or keys: one at most, as there is another one for each layer, and none is asked for often. */
  #looking: string | undefined;

  /** @param parts their buffers are disposed of with the programs */
  constructor(backend: Backend, parts: ProgramParts, size: PoolSize) {
    this.#backend = backend;
    this.#config = parts.config;
    this.#parts = { ...parts, layoutOf: layoutsHeld(parts.held) };
    this.#size = size;
  }

  /** What a pass writes and reads goes with its run: a promise costs microseconds, and a token of a small model takes a few hundred. */
  async run(pass: PassInputs): Promise<PassOutputs> {
    const compiled = this.#ready(pass) ?? (await this.#program(pass));
    const { graph, program, written } = compiled;
    const writes = this.#inputs(compiled, pass).filter(({ input, values }) => !isSame(values, written.get(input)));
    const reads = new RowReads();
    const logits = logitsFrom(reads, compiled, pass.logitRows);
    const hidden = pass.outputs.map((name) => {
      const kept = graph.hidden.get(name) ?? fail("infer", `the program does not keep the output ${name}`);
      return [name, reads.of(kept, [0, pass.tokens.length - 1])] as const;
    });
    for (const { input } of writes) written.delete(input); // A pass can fail, so they count as written only when they are there.
    compiled.ropeLength = undefined;
    reads.arrays = await program.pass(writes, reads.wanted);
    for (const { input, values } of writes) written.set(input, values);
    compiled.ropeLength = pass.ropeLength;
    const rowsOf = (rowOf: RowOf) => pass.tokens.map((_, row) => rowOf(row) as Float32Array);
    return { logits: logits(), hidden: new Map(hidden.map(([name, rowOf]) => [name, rowsOf(rowOf)])) };
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

  /** The inputs of a pass: its rows, and RoPE's table where it is another one, which it is only once unless the scaling looks at the length of a run. */
  #inputs({ size: { rows, logitRows, top }, ropeLength }: Compiled, pass: PassInputs): InputWrite[] {
    const { tokens, positions, slots, pages } = pass;
    const P = Math.ceil(this.#size.contextLength / pageKeys);
    const table = new Int32Array(pages.length * P);
    for (const [slot, numbers] of pages.entries()) table.set(numbers, slot * P);
    const allSlots = new Int32Array(rows);
    allSlots.set(slots);
    const inputs: InputWrite[] = [
      { input: "tokens", values: tokens },
      { input: "positions", values: positions },
      { input: "slots", values: slots },
      { input: "pages", values: table },
      { input: "tiles", values: pageTiles(allSlots, positions, tokens.length) },
      { input: "count", values: [tokens.length] },
    ];
    if (logitRows < rows) {
      const chosen = pass.logitRows.map(({ row }) => row);
      inputs.push({ input: "logitRows", values: chosen }, { input: "logitCount", values: [chosen.length] });
    }
    if (top?.isMasked) inputs.push({ input: "allowed", values: this.#allowed(pass, logitRows < rows) });
    if (ropeLength !== pass.ropeLength)
      for (const [input, values] of ropeInputs(this.#config, pass.ropeLength - 1)) inputs.push({ input, values });
    return inputs;
  }

  /** The bits of allowed tokens of every row that logits are made of. */
  #allowed({ tokens, logitRows }: PassInputs, isChosen: boolean): Int32Array {
    const words = Math.ceil(this.#config.vocabSize / 32);
    const bits = new Int32Array((isChosen ? logitRows.length : tokens.length) * words).fill(-1);
    for (const [i, { row, top }] of logitRows.entries()) if (top?.allowed) bits.set(top.allowed, (isChosen ? i : row) * words);
    return bits;
  }

  /** The program of a pass, where it is compiled. */
  #ready(pass: PassInputs): Compiled | undefined {
    return this.#compiledNow.get(keyOf(sizeOf(pass, this.#config.vocabSize), pass.outputs));
  }

  #program(pass: PassInputs): Promise<Compiled> {
    const size = sizeOf(pass, this.#config.vocabSize);
    const key = keyOf(size, pass.outputs);
    const known = this.#compiled.get(key);
    if (known !== undefined) return known;
    const compiled = pass.outputs.some(isAttentionOutput)
      ? this.#compileToLook(key, size, pass.outputs)
      : this.#compile(size, pass.outputs);
    this.#compiled.set(key, compiled);
    compiled.then(
      (ready) => this.#compiledNow.set(key, ready),
      () => this.#compiled.delete(key), // Memory may have been short, and there may be more later.
    );
    return compiled;
  }

  /** Passes come one after another, so that the earlier program is not running. */
  async #compileToLook(key: string, size: ProgramSize, outputs: readonly OutputName[]): Promise<Compiled> {
    const before = this.#looking;
    this.#looking = key;
    if (before !== undefined) {
      const earlier = this.#compiled.get(before);
      this.#compiled.delete(before);
      this.#compiledNow.delete(before);
      (await earlier)?.program.dispose();
    }
    return this.#compile(size, outputs);
  }

  async #compile(size: ProgramSize, outputs: readonly OutputName[]): Promise<Compiled> {
    const graph = programGraph(this.#parts, this.#size, size, outputs);
    await eventsHandled();
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

function isSame(values: ArrayLike<number>, before: ArrayLike<number> | undefined): boolean {
  if (values.length !== before?.length) return false;
  for (let i = 0; i < values.length; i++) if (values[i] !== before[i]) return false;
  return true;
}

/** Bytes that programs take beside weights and pages. */
export interface ProgramBytes {
  /** Packed weights, which all programs share. */
  readonly packed: number;
  /** Inputs, activations and the threads' scratch. */
  readonly working: number;
}

/** What the largest program for passes of so many rows takes. */
export function largestProgram(backend: Backend, parts: GraphParts, pool: PoolSize, rows: number): ProgramBytes {
  const most = rowsFor(rows);
  return bytesOfPrograms(backend, parts, pool, [{ rows: most, logitRows: Math.min(most, passLimits.results), top: undefined }]);
}

/**
 * What the programs of all sizes take together, which stay compiled once passes have needed them. Those that choose the largest logits, that mask logits or
 * that keep other outputs are further ones.
 */
export function allPrograms(backend: Backend, parts: GraphParts, pool: PoolSize): ProgramBytes {
  const sizes = programRows.flatMap((rows) =>
    [...new Set([fewLogits, Math.min(rows, passLimits.results)])].map((logitRows) => ({ rows, logitRows, top: undefined })),
  );
  return bytesOfPrograms(backend, parts, pool, sizes);
}

function bytesOfPrograms(backend: Backend, parts: GraphParts, pool: PoolSize, sizes: readonly ProgramSize[]): ProgramBytes {
  const programs = sizes.map((size) => {
    const { graph } = programGraph(parts, pool, size, []);
    const inputs = [...graph.tensors].filter(({ role }) => role === "input");
    const { packed, scratch } = backend.sharedBytes(graph);
    const beside = backend.workspaceBytes(graph) - packed - scratch;
    return { packed, scratch, own: inputs.reduce((sum, input) => sum + tensorBytes(input), beside) };
  });
  const most = (of: "packed" | "scratch") => Math.max(...programs.map((program) => program[of]));
  return { packed: most("packed"), working: programs.reduce((sum, { own }) => sum + own, most("scratch")) };
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

/** Tells programs apart. */
function keyOf({ rows, logitRows, top }: ProgramSize, outputs: readonly OutputName[]): string {
  const key = `${rows} ${logitRows} ${top?.k} ${top?.isMasked}`;
  return outputs.length === 0 ? key : `${key} ${outputs.map(String).sort()}`;
}

/** A row by its number, once the pass has run. */
type RowOf = (row: number) => HostArray;

/** What a pass reads: rows of kept tensors. */
class RowReads {
  readonly wanted: PassRead[] = [];
  /** What was read, in the order of `wanted`. */
  arrays: readonly HostArray[] = [];

  /** Wants the rows of a tensor from the first to the last of `rows`. */
  of(tensor: Tensor, rows: readonly number[]): RowOf {
    if (rows.length === 0) return (row) => fail("infer", `row ${row} of "${tensor.name}" was not read`);
    const width = tensor.shape[1] ?? 1;
    const [first, last] = [Math.min(...rows), Math.max(...rows)];
    const place = this.wanted.push({ tensor, at: first * width, length: (last + 1 - first) * width }) - 1;
    return (row) => {
      const values = this.arrays[place] ?? fail("infer", `"${tensor.name}" was not read yet`);
      return values.subarray((row - first) * width, (row + 1 - first) * width);
    };
  }
}

/** What is wanted of the rows that logits are made of. @returns what gives it once the pass has run */
function logitsFrom(reads: RowReads, { size, graph }: Compiled, wanted: readonly LogitRow[]): () => (Float32Array | TopLogits)[] {
  const placed = wanted.map(({ row, top }, i) => ({ place: size.logitRows < size.rows ? i : row, top }));
  const placesOf = (isTop: boolean) => placed.filter(({ top }) => (top !== undefined) === isTop).map(({ place }) => place);
  const logits = reads.of(graph.logits, placesOf(false));
  if (graph.top === undefined) return () => placed.map(({ place }) => logits(place) as Float32Array);
  const topPlaces = placesOf(true);
  const [values, ids, total] = [graph.top.values, graph.top.ids, graph.top.logSumExp].map((tensor) => reads.of(tensor, topPlaces)) as [
    RowOf,
    RowOf,
    RowOf,
  ];
  const largest = (place: number, count: number): TopLogits => ({
    ids: ids(place).subarray(0, count) as Int32Array,
    logits: values(place).subarray(0, count) as Float32Array,
    logSumExp: total(place)[0] ?? Number.NaN,
  });
  return () => placed.map(({ place, top }) => (top === undefined ? (logits(place) as Float32Array) : largest(place, top.top)));
}
