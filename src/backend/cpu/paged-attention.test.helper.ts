// Runs sequences over pages in random cuts, for tests that a row's bits do not depend on them, nor on what lies beside what the row may see.
import { expect, test } from "vitest";
import { Rng, type StateDType } from "../../base/index.ts";
import { f32, Graph, pagedAttention, pagedRowInputs, pageKeys, pageTiles, pageWrite, poolType, type Tensor } from "../../graph/index.ts";
import { type Backend, BoundProgram, type DeviceBuffer } from "../index.ts";
import { referenceBackend } from "../reference/index.ts";

interface Case {
  readonly type: StateDType;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly window: number;
}

const cases: readonly Case[] = [
  { type: "f32", heads: 4, kvHeads: 2, headDim: 6, window: 0 },
  { type: "f16", heads: 1, kvHeads: 1, headDim: 80, window: 37 },
  { type: "q8_0", heads: 9, kvHeads: 1, headDim: 32, window: 3 },
];

/** Tokens of each sequence, and how many of them are written without looking at what they attend. */
const sequences = [
  { length: 522, silent: 509 },
  { length: 67, silent: 58 },
  { length: 3, silent: 0 },
];
const slots = sequences.length;
const pagesOfSlot = 9;
const poolPages = 14;
/** Numbers of rows, which every backend is given. */
const drawn = new Map<string, Float32Array>();

const expected = await Promise.all(cases.map(async (config) => outputs(await openPrograms(referenceBackend(), config), 1)));

/** Rows of sequences that are cut into runs, and lie in pages, as each seed says: the bits of all are those of the first, and near the reference. */
export function testCuts(name: string, open: () => Promise<Backend>, [first, ...others]: readonly [number, ...number[]]): void {
  test.each(cases.map((config, i) => [config, i] as const))(`${name}: %o`, async (config, i) => {
    await using backend = await open();
    const programs = await openPrograms(backend, config);
    const all = await outputs(programs, first);
    expect(worst(all, expected[i]!)).toBeLessThan(2e-5);
    for (const seed of others) expect(await outputs(programs, seed), `seed ${seed}`).toEqual(all);
  });
}

interface Programs {
  readonly config: Case;
  readonly pool: ReadonlyMap<string, DeviceBuffer>;
  readonly write: Opened;
  readonly attend: readonly Opened[];
}

async function openPrograms(backend: Backend, config: Case): Promise<Programs> {
  const { type, kvHeads, headDim } = config;
  const pool = new Map<string, DeviceBuffer>();
  for (const name of ["keys", "values"])
    pool.set(name, await backend.allocate(poolType(type, { pages: poolPages, kvHeads, headDim }), name));
  const attend: Opened[] = [];
  for (const rows of [8, 24]) attend.push(await openProgram(backend, config, rows, pool, true));
  return { config, pool, write: await openProgram(backend, config, 256, pool, false), attend };
}

/** What every row attends to, by sequence and position, with runs and pages that follow from the seed. */
async function outputs({ config, pool, write, attend }: Programs, seed: number): Promise<Map<string, Float32Array>> {
  const rng = new Rng(seed);
  await spoil(pool);
  const pages = pageTable(rng);
  const next = sequences.map(() => 0);
  while (sequences.some(({ silent }, s) => next[s]! < silent))
    await runRows(
      write,
      config,
      pages,
      takeRows(rng, next, (s) => sequences[s]!.silent, write.rows),
    );
  const found = new Map<string, Float32Array>();
  while (sequences.some(({ length }, s) => next[s]! < length)) {
    const program = attend[rng.below(attend.length)]!;
    const taken = takeRows(rng, next, (s) => sequences[s]!.length, program.rows);
    const o = await runRows(program, config, pages, taken);
    const width = config.heads * config.headDim;
    taken.forEach(({ slot, position }, row) => {
      found.set(`sequence ${slot}, position ${position}`, o.slice(row * width, (row + 1) * width));
    });
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Makes all pages NaN, which any that were used before may hold. */
async function spoil(pool: ReadonlyMap<string, DeviceBuffer>): Promise<void> {
  for (const buffer of pool.values()) {
    const old = await buffer.read();
    await buffer.write(old instanceof Uint8Array ? old.fill(0x7f) : old.fill(Number.NaN));
  }
}

interface Opened {
  readonly program: BoundProgram;
  readonly rows: number;
  readonly o?: Tensor;
}

async function openProgram(backend: Backend, config: Case, R: number, pool: Map<string, DeviceBuffer>, attends: boolean): Promise<Opened> {
  const { type, heads, kvHeads, headDim, window } = config;
  const graph = new Graph();
  const rows = pagedRowInputs(graph, { R, S: slots, P: pagesOfSlot });
  graph.limitRows(R, rows.count);
  const state = (name: string) => graph.state(name, poolType(type, { pages: poolPages, kvHeads, headDim }));
  const states = { keys: state("keys"), values: state("values") };
  const of = (name: string, width: number) => graph.input(name, f32(R, width));
  pageWrite(states, of("k", kvHeads * headDim), of("v", kvHeads * headDim), rows);
  const q = of("q", heads * headDim);
  const o = attends ? { o: graph.keep(pagedAttention(q, states, rows, { window })) } : {};
  return { program: await BoundProgram.compile(backend, graph, pool), rows: R, ...o };
}

interface Row {
  readonly slot: number;
  readonly position: number;
}

/** Some next rows of some sequences, at least one. */
function takeRows(rng: Rng, next: number[], end: (slot: number) => number, most: number): Row[] {
  const rows: Row[] = [];
  while (rows.length === 0)
    for (let turn = 0; turn < slots; turn++) {
      const slot = rng.below(slots);
      const count = Math.min(end(slot) - next[slot]!, most - rows.length, rng.below(most + 1));
      for (let i = 0; i < count; i++) rows.push({ slot, position: next[slot]!++ });
    }
  return rows;
}

async function runRows({ program, rows: R, o }: Opened, config: Case, pages: Int32Array, rows: readonly Row[]): Promise<Float32Array> {
  const filled = (of: (row: Row) => number) => Array.from({ length: R }, (_, i) => (i < rows.length ? of(rows[i]!) : 0));
  const [slots, positions] = [filled(({ slot }) => slot), filled(({ position }) => position)];
  await program.write("slots", slots);
  await program.write("positions", positions);
  await program.write("pages", pages);
  await program.write("tiles", pageTiles(slots, positions, rows.length));
  await program.write("count", [rows.length]);
  for (const [name, heads] of [
    ["q", config.heads],
    ["k", config.kvHeads],
    ["v", config.kvHeads],
  ] as const)
    await program.write(name, numbersOfRows(name, rows, heads * config.headDim));
  await program.run();
  return o ? ((await program.read(o)) as Float32Array) : new Float32Array();
}

function numbersOfRows(name: string, rows: readonly Row[], width: number): Float32Array {
  const numbers = new Float32Array(rows.length * width);
  rows.forEach((row, i) => void numbers.set(numbersOf(name, row, width), i * width));
  return numbers;
}

/** Standard normals that depend on name, sequence and position. The last token of the second sequence has no numbers, which only its own row may see. */
function numbersOf(name: string, { slot, position }: Row, width: number): Float32Array {
  if (name !== "q" && slot === 1 && position === sequences[1]!.length - 1) return new Float32Array(width).fill(Number.NaN);
  const key = `${name} ${slot} ${position} ${width}`;
  const known = drawn.get(key);
  if (known) return known;
  const rng = new Rng(position * slots + slot).fork(name);
  const numbers = Float32Array.from({ length: width }, () => rng.normal());
  drawn.set(key, numbers);
  return numbers;
}

/** Every sequence with pages of its own, in any order. */
function pageTable(rng: Rng): Int32Array {
  const free = Array.from({ length: poolPages }, (_, page) => page);
  const table = new Int32Array(slots * pagesOfSlot);
  sequences.forEach(({ length }, slot) => {
    for (let page = 0; page * pageKeys < length; page++) table[slot * pagesOfSlot + page] = free.splice(rng.below(free.length), 1)[0]!;
  });
  return table;
}

/** The largest difference relative to the largest magnitude; infinite where only one of two is a number. */
function worst(actual: ReadonlyMap<string, Float32Array>, wanted: ReadonlyMap<string, Float32Array>): number {
  expect([...actual.keys()]).toEqual([...wanted.keys()]);
  let [difference, scale] = [0, 0];
  for (const [key, row] of wanted)
    row.forEach((want, c) => {
      const have = actual.get(key)![c]!;
      if (Number.isNaN(want) !== Number.isNaN(have)) difference = Number.POSITIVE_INFINITY;
      if (Number.isNaN(want)) return;
      difference = Math.max(difference, Math.abs(have - want));
      scale = Math.max(scale, Math.abs(want));
    });
  return difference / scale;
}
