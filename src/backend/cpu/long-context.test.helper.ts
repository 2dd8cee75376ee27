// Rows that see thousands of keys, held against float64, and by their bits against the same rows in other programs and on other numbers of threads.
import { expect, test } from "vitest";
import { dequantise, quantise, Rng, type StateDType } from "../../base/index.ts";
import { f32, Graph, pagedAttention, pagedRowInputs, pageKeys, pageTiles, poolType } from "../../graph/index.ts";
import { openCpuBackend } from "../../host/index.ts";
import { type Backend, BoundProgram, type DeviceBuffer, type HostArray } from "../index.ts";
import { targetsHere } from "./targets.test.helper.ts";

/** A sequence's last rows, and what they attend. */
export interface LongContext {
  readonly type: StateDType;
  /** Keys of the sequence, with those of its last rows. */
  readonly keys: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly window: number;
}

const headDim = 64;
/** Last rows of the sequence that are computed: more than a tile, and no multiple of any register tile's. */
const lastRows = 19;

/** What the sequence's pages and queries hold, standard normals, and what its last rows then are, in float64. */
interface Inputs {
  readonly q: Float32Array;
  readonly keys: HostArray;
  readonly values: HostArray;
  readonly pages: Int32Array;
  readonly wanted: Float64Array;
}

/**
 * Tests that the last rows of a long sequence are near float64, and have the same bits in one run, in several and one by one, on all backends that are
 * opened together.
 */
export function testLongContext(context: LongContext, backends: ReadonlyMap<string, readonly (() => Promise<Backend>)[]>): void {
  const inputs = inputsOf(context);
  test.each([...backends])(`%s: ${JSON.stringify(context)}`, async (_, open) => {
    let first: Float32Array | undefined;
    for (const openBackend of open) {
      await using backend = await openBackend();
      for (const cut of [[lastRows], [11, 8], Array<number>(lastRows).fill(1)]) {
        const o = await lastRowsOf(backend, context, inputs, cut);
        first ??= o;
        expect(o, `${backend.name}, rows in runs of ${cut}`).toEqual(first);
      }
    }
    expect(first && worst(first, inputs.wanted)).toBeLessThan(1e-5);
  });
}

/** Backends of every target that the machine has, with one thread and with three. */
export async function backendsHere(): Promise<Map<string, (() => Promise<Backend>)[]>> {
  const targets = await targetsHere();
  return new Map(targets.map((target) => [target, [1, 3].map((threads) => () => openCpuBackend({ target, threads }))]));
}

function inputsOf({ type, keys, heads, kvHeads, window }: LongContext): Inputs {
  const rng = new Rng(keys);
  const pageCount = Math.ceil(keys / pageKeys);
  const pool = () =>
    quantise(
      type,
      Float64Array.from({ length: pageCount * kvHeads * pageKeys * headDim }, () => rng.normal()),
    );
  const [keyPool, valuePool] = [pool(), pool()];
  const written = (bytes: Uint8Array) => (type === "f32" ? new Float32Array(bytes.buffer) : bytes);
  const q = Float32Array.from({ length: lastRows * heads * headDim }, () => rng.normal());
  const pages = Int32Array.from({ length: pageCount }, (_, page) => (page * 5 + 3) % pageCount);
  const [k, v] = [dequantise(type, keyPool), dequantise(type, valuePool)];
  const wanted = new Float64Array(q.length);
  const headAt = (key: number, head: number) => (pages[Math.floor(key / pageKeys)]! * kvHeads + head) * pageKeys * headDim;
  const keyAt = (key: number, head: number, c: number) =>
    headAt(key, head) + (type === "q8_0" ? (key % pageKeys) * headDim + c : c * pageKeys + (key % pageKeys));
  for (let row = 0; row < lastRows; row++)
    for (let h = 0; h < heads; h++) {
      const [query, head, last] = [(row * heads + h) * headDim, Math.floor((h * kvHeads) / heads), keys - lastRows + row];
      let total = 0;
      for (let key = window > 0 ? last - window + 1 : 0; key <= last; key++) {
        let score = 0;
        for (let c = 0; c < headDim; c++) score += q[query + c]! * k[keyAt(key, head, c)]!;
        const weight = Math.exp(score / Math.sqrt(headDim));
        total += weight;
        const value = headAt(key, head) + (key % pageKeys) * headDim;
        for (let c = 0; c < headDim; c++) wanted[query + c]! += weight * v[value + c]!;
      }
      for (let c = 0; c < headDim; c++) wanted[query + c]! /= total;
    }
  return { q, keys: written(keyPool), values: written(valuePool), pages, wanted };
}

/** Computes the last rows in runs of so many each. */
async function lastRowsOf(backend: Backend, context: LongContext, inputs: Inputs, cut: readonly number[]): Promise<Float32Array> {
  const { type, keys, heads, kvHeads, window } = context;
  const [R, P, width] = [cut[0]!, inputs.pages.length, heads * headDim];
  const graph = new Graph();
  const rows = pagedRowInputs(graph, { R, S: 1, P });
  graph.limitRows(R, rows.count);
  const pool = poolType(type, { pages: P, kvHeads, headDim });
  const states = { keys: graph.state("keys", pool), values: graph.state("values", pool) };
  const o = graph.keep(pagedAttention(graph.input("q", f32(R, width)), states, rows, { window }));
  const held = new Map<string, DeviceBuffer>();
  for (const name of ["keys", "values"] as const) {
    const buffer = await backend.allocate(pool, name);
    await buffer.write(inputs[name]);
    held.set(name, buffer);
  }
  const program = await BoundProgram.compile(backend, graph, held);
  const found = new Float32Array(lastRows * width);
  await program.write("pages", inputs.pages);
  for (let row = 0, run = 0; row < lastRows; row += cut[run++]!) {
    const count = cut[run]!;
    const positions = Int32Array.from({ length: R }, (_, i) => (i < count ? keys - lastRows + row + i : 0));
    await program.write("slots", new Int32Array(R));
    await program.write("positions", positions);
    await program.write("tiles", pageTiles(new Int32Array(R), positions, count));
    await program.write("count", [count]);
    await program.write("q", inputs.q.subarray(row * width, (row + R) * width).slice());
    await program.run();
    found.set(((await program.read(o)) as Float32Array).subarray(0, count * width), row * width);
  }
  program.dispose();
  for (const buffer of held.values()) buffer.dispose();
  return found;
}

/** The largest difference relative to the largest magnitude. */
function worst(have: Float32Array, want: Float64Array): number {
  const largest = want.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  return want.reduce((most, x, i) => Math.max(most, Math.abs(x - have[i]!) / largest), 0);
}
