// Replaces ops on 16-bit floats that the machine has no instructions for by ops that every machine has: one meaning for all compilers.
import type { Kernel, Op, Reg } from "./ir.ts";
import { Builder, Vec } from "./language.ts";
import { blocksOf, eachOp, operandsOf } from "./operands.ts";

/** What a machine has instructions for. */
export interface HalfInstructions {
  /** Conversions of f16. */
  readonly f16: boolean;
  /** Rounding to bf16, and the dot product of its pairs. */
  readonly bf16: boolean;
}

/** The same kernel without the ops that the machine lacks; loads of bf16 become those of u16 everywhere. */
export function legalise(kernel: Kernel, has: HalfInstructions): Kernel {
  const find = (op: Op) => replacementOf(op, has);
  if (!someOp(kernel.body, find)) return kernel;
  const k = new Builder(kernel.name, kernel.target, firstFree(kernel));
  emitLegal(k, kernel.body, find);
  return { ...kernel, body: k.finish(kernel, kernel.scratchBytes).body };
}

type Replacement = (k: Builder) => void;

function replacementOf(op: Op, has: HalfInstructions): Replacement | undefined {
  if (op.op === "vloadNarrow" && op.type === "bf16") return (k) => loadBfloat16(k, op);
  if ((op.op === "vloadNarrow" || op.op === "vsplatParts") && op.type === "f16" && !has.f16) return (k) => loadFloat16(k, op);
  if (op.op === "vstoreNarrow" && op.type === "f16" && !has.f16) return (k) => storeBits(k, op, float16Bits(k, new Vec(k, op.a)));
  if (op.op === "vstoreNarrow" && op.type === "bf16" && !has.bf16)
    return (k) => storeBits(k, op, roundedHigh(k, new Vec(k, op.a)).shiftRight(16));
  if (op.op === "bf16pair" && !has.bf16) return (k) => pair(k, op);
  if (op.op === "dotbf16" && !has.bf16) return (k) => dotPairs(k, op);
  return undefined;
}

function emitLegal(k: Builder, ops: readonly Op[], find: (op: Op) => Replacement | undefined): void {
  const inside = (block: readonly Op[]) => k.nested(() => emitLegal(k, block, find));
  for (const op of ops) {
    const replacement = find(op);
    if (replacement) replacement(k);
    else if (op.op === "loop") k.emit({ ...op, body: inside(op.body) });
    else if (op.op === "if") k.emit({ ...op, whenTrue: inside(op.whenTrue), otherwise: inside(op.otherwise) });
    else k.emit(op);
  }
}

type Load = Extract<Op, { op: "vloadNarrow" }>;
type Store = Extract<Op, { op: "vstoreNarrow" }>;

function loadBfloat16(k: Builder, op: Load): void {
  const low = k.register("vec");
  k.emit({ ...op, d: low, type: "u16" });
  k.emit({ op: "vshl", d: op.d, a: low, b: 16 });
}

/** Exponent and fraction in float32's places, 112 too low: a product puts that right, of subnormals too. */
function loadFloat16(k: Builder, op: Load | Extract<Op, { op: "vsplatParts" }>): void {
  const low = k.register("vec");
  k.emit({ ...op, d: low, type: "u16" });
  const bits = new Vec(k, low);
  const magnitude = bits.and(k.intConstant(0x7fff)).shiftLeft(13);
  const scaled = magnitude.mul(k.constant(2 ** 112));
  const isNumber = magnitude.intLess(k.intConstant(0x7c00 << 13));
  const value = isNumber.select(scaled, scaled.or(k.intConstant(0x7f800000)));
  new Vec(k, op.d).set(value.or(bits.and(k.intConstant(0x8000)).shiftLeft(16)));
}

/**
 * The addition of a power of two leaves as many bits of fraction as f16 has at that exponent, rounded (Maratyszcza's FP16 library).
 * Products with 2¹¹² and 2⁻¹¹⁰ make infinity of what is too large.
 */
function float16Bits(k: Builder, value: Vec): Vec {
  const magnitude = value.and(k.intConstant(0x7fffffff));
  const scaled = magnitude.mul(k.constant(2 ** 112)).mul(k.constant(2 ** -110));
  const exponent = magnitude.and(k.intConstant(0x7f800000));
  const lowest = k.intConstant(0x38800000);
  const base = exponent.intLess(lowest).select(lowest, exponent).intAdd(k.intConstant(0x07800000));
  const sum = base.add(scaled);
  const rounded = sum
    .shiftRight(13)
    .and(k.intConstant(0x7c00))
    .intAdd(sum.and(k.intConstant(0x0fff)));
  const quiet = magnitude.shiftRight(13).and(k.intConstant(0x1ff)).or(k.intConstant(0x7e00));
  const unsigned = k.intConstant(0x7f800000).intLess(magnitude).select(quiet, rounded);
  return unsigned.or(value.shiftRight(16).and(k.intConstant(0x8000)));
}

function storeBits(k: Builder, op: Store, bits: Vec): void {
  k.emit({ ...op, a: bits.reg, type: "u16" });
}

/** bf16 in the high half; the low half is anything. */
function roundedHigh(k: Builder, value: Vec): Vec {
  const odd = value.shiftRight(16).and(k.intConstant(1));
  const rounded = value.intAdd(k.intConstant(0x7fff)).intAdd(odd);
  return value.equals(value).select(rounded, value.or(k.intConstant(0x400000)));
}

function pair(k: Builder, { d, a, b }: Extract<Op, { op: "bf16pair" }>): void {
  const low = roundedHigh(k, new Vec(k, a)).shiftRight(16);
  new Vec(k, d).set(low.or(roundedHigh(k, new Vec(k, b)).and(k.intConstant(-0x10000))));
}

/** The low halves first, onto d itself where that is c. */
function dotPairs(k: Builder, { d, a, b, c }: Extract<Op, { op: "dotbf16" }>): void {
  const [x, y] = [new Vec(k, a), new Vec(k, b)];
  const high = k.intConstant(-0x10000);
  const [xHigh, yHigh] = [x.and(high), y.and(high)];
  const sum = d.id === c.id ? d : k.register("vec");
  k.emit({ op: "ffma", d: sum, a: x.shiftLeft(16).reg, b: y.shiftLeft(16).reg, c });
  k.emit({ op: "ffma", d, a: xHigh.reg, b: yHigh.reg, c: sum });
}

function someOp(ops: readonly Op[], find: (op: Op) => unknown): boolean {
  return ops.some((op) => {
    if (find(op) !== undefined) return true;
    const blocks = blocksOf(op);
    return blocks.length > 0 && blocks.some((block) => someOp(block, find));
  });
}

function firstFree({ params, body }: Kernel): number {
  let most = -1;
  const see = ({ id }: Reg) => {
    most = Math.max(most, id);
  };
  for (const { reg } of params) see(reg);
  eachOp(body, (op) => {
    const { reads, writes } = operandsOf(op);
    reads.forEach(see);
    writes.forEach(see);
  });
  return most + 1;
}
