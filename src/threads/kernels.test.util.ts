// Kernels for the engine's tests and its bench, assembled by hand. Not shipped.

/** A kernel as bytes of WebAssembly. */
export interface TinyKernel {
  /** i32 parameters, the engine's three (scratch, begin, end) included. */
  readonly params: number;
  readonly body: readonly number[];
  /** Locals after the parameters, as the code section holds them: how many, of which type. */
  readonly locals?: readonly number[];
}

/** A module that imports the engine's memory and exports its kernels as "0", "1", … */
export const assemble = (...kernels: readonly TinyKernel[]): Uint8Array => moduleOf(kernels, 0x03);

/** The same for a memory that no threads share. */
export const assembleUnshared = (...kernels: readonly TinyKernel[]): Uint8Array => moduleOf(kernels, 0x01);

function moduleOf(kernels: readonly TinyKernel[], limits: number): Uint8Array {
  const types = kernels.map(({ params }) => [0x60, ...vector(Array(params).fill([0x7f])), 0]);
  const memory = [...text("e"), ...text("m"), 0x02, limits, 1, ...unsigned(65536)]; // 1 to 65536 pages
  const exports = kernels.map((_, i) => [...text(`${i}`), 0x00, i]);
  const bodies = kernels.map(({ body, locals }) => sized([...(locals ? [1, ...locals] : [0]), ...body, end]));
  const sections = [
    section(1, types),
    section(2, [memory]),
    section(
      3,
      kernels.map((_, i) => [i]),
    ),
    section(7, exports),
    section(10, bodies),
  ];
  return Uint8Array.from([0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections.flat()]);
}

const unsigned = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)]);
const sized = (bytes: readonly number[]): number[] => [...unsigned(bytes.length), ...bytes];
const text = (value: string): number[] => sized([...new TextEncoder().encode(value)]);
const vector = (items: readonly (readonly number[])[]): number[] => [...unsigned(items.length), ...items.flat()];
const section = (id: number, items: readonly (readonly number[])[]): number[] => [id, ...sized(vector(items))];

const end = 0x0b;
const get = (local: number): number[] => [0x20, local];
const constant = (small: number): number[] => [0x41, small]; // i32.const, 0 to 63
const [eq, ltU, add, mul, remU] = [0x46, 0x49, 0x6a, 0x6c, 0x70];
const load = [0x28, 2, 0];
const store = [0x36, 2, 0];
const atomicLoad = [0xfe, 0x10, 2, 0];
const atomicAdd = [0xfe, 0x1e, 2, 0];
const drop = 0x1a;
const unreachable = 0x00;
/** address of the i32 number `index` at `base` */
const at = (base: number, index: readonly number[]): number[] => [...get(base), ...index, ...constant(4), mul, add];
/** for (; begin < end; begin++) body */
const loop = (begin: number, body: readonly number[]): number[] => {
  const next = [...get(begin), ...constant(1), add, 0x21, begin, 0x0c, 0];
  return [0x03, 0x40, ...get(begin), ...get(begin + 1), ltU, 0x04, 0x40, ...body, ...next.slice(0, -1), 1, end, end];
};

/** () */
export const nothing: TinyKernel = { params: 3, body: [] };

/** (counts): counts[i] += 1, atomically, so that a unit done twice at the same moment shows. */
export const count: TinyKernel = { params: 4, body: loop(2, [...at(0, get(2)), ...constant(1), ...atomicAdd, drop]) };

/** (to, from, n): to[i] = from[(i + 1) % n] + 1: what other threads wrote in the phase before. */
export const shift: TinyKernel = {
  params: 6,
  body: loop(4, [...at(0, get(4)), ...at(1, [...get(4), ...constant(1), add, ...get(2), remU]), ...load, ...constant(1), add, ...store]),
};

/** (to): to[i] = scratch; *scratch = i. */
export const showScratch: TinyKernel = {
  params: 4,
  body: loop(2, [...at(0, get(2)), ...get(1), ...store, ...get(1), ...get(2), ...store]),
};

/** (to, from): to[i] = end - begin of the call that did i. */
export const showChunk: TinyKernel = {
  params: 5,
  body: [0x20, 3, 0x21, 2, ...loop(3, [...at(0, get(3)), ...get(4), ...get(2), 0x6b, ...store])],
};

/** (unit): traps in the call that begins there. */
export const trapAt: TinyKernel = { params: 4, body: [...get(0), ...get(2), eq, 0x04, 0x40, unreachable, end] };

/** (address): reads there. */
export const peek: TinyKernel = { params: 4, body: [...get(0), ...load, drop] };

/** (n): counts to n, so that a call takes a while. */
export const busy: TinyKernel = {
  params: 4,
  body: [0x03, 0x40, ...get(0), ...constant(1), 0x6b, 0x22, 0, 0x0d, 0, end],
};

/** (flag): counts flag[1] up, then waits until flag[0] is no longer 0. */
export const waitForFlag: TinyKernel = {
  params: 4,
  body: [...get(0), ...constant(1), 0xfe, 0x1e, 2, 4, drop, 0x03, 0x40, ...get(0), ...atomicLoad, 0x45, 0x0d, 0, end],
};

/** () never ends. */
export const forever: TinyKernel = { params: 3, body: [0x03, 0x40, 0x0c, 0, end] };

/** n parameters before the engine's three; (base, ...): base[parameter 1 + j] for each j. */
export const manyArguments = (n: number): TinyKernel => ({
  params: n + 3,
  body: Array.from({ length: n + 3 }, (_, j) => [...at(0, constant(j)), ...get(j), ...store]).flat(),
});
