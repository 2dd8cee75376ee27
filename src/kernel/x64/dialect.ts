// Where AVX2 and AVX-512 differ: tails, comparisons, moves across lanes. What they share is in patterns.ts.
import type { Mem, Reg, RegKind } from "../ir.ts";
import type { Compare } from "../ops.ts";
import type { VectorLength } from "./assembler.ts";
import type { InstructionName } from "./encoding.ts";
import { type Address, type Instruction, literalOf, type Operand } from "./instruction.ts";
import { avx2Moves, maskedMoves, type NarrowMoves } from "./narrow.ts";
import { avx2Parts, avx512Parts, type PartMoves } from "./parts.ts";

/** What a dialect needs of the code around it. */
export interface Emit {
  emit(name: InstructionName, operands: readonly Operand[], more?: Partial<Instruction>): void;
  register(kind: RegKind): Reg;
  /** A register that holds a constant from the kernel's entry on; not to be written. */
  held(kind: RegKind, name: InstructionName, words: readonly number[]): Reg;
  address(m: Mem): Address;
  /** What an instruction makes of a register, in another one: made once for all ops that follow each other without a jump. Not to be written. */
  shared(name: InstructionName, of: Reg): Reg;
}

/** A register, or memory read where the instruction allows it. */
export type Source = Operand;

/** What AVX2 and AVX-512 do each in their own way. */
export interface Dialect {
  readonly lanes: number;
  readonly length: VectorLength;
  readonly scheme: "VEX" | "EVEX";
  /** What an IR mask becomes. */
  readonly maskKind: RegKind;
  readonly vectors: number;
  /** Whether a broadcast of one element can be an operand. */
  readonly broadcasts: boolean;
  readonly names: {
    readonly vand: InstructionName;
    readonly vor: InstructionName;
    readonly vxor: InstructionName;
    readonly round: InstructionName;
  };
  /** A 32-bit pattern in every lane, as an operand. */
  literal(bits: number): Operand;
  /** The same, into a register. */
  constant(e: Emit, d: Reg, bits: number): void;
  zero(e: Emit, d: Reg): void;
  loadFirst(e: Emit, d: Reg, from: Address, span: number): void;
  storeFirst(e: Emit, a: Reg, to: Address, span: number): void;
  readonly narrow: NarrowMoves;
  readonly parts: PartMoves;
  compare(e: Emit, op: Compare, d: Reg, a: Reg, b: Source): void;
  /** mask ? a : b. */
  select(e: Emit, d: Reg, mask: Reg, a: Source, b: Reg): void;
  /** The first `span` lanes of a, the others of b. */
  keepFirst(e: Emit, d: Reg, a: Source, b: Reg, span: number): void;
  spreadInt(e: Emit, d: Reg, a: Reg): void;
  /** float32 → int32, toward zero, saturating, NaN → 0. */
  toInt(e: Emit, d: Reg, a: Reg): void;
  /** Each half of a span of 2 × `distance` lanes in the other's place, for distances of at least four lanes. */
  swapBlocks(e: Emit, d: Reg, a: Reg, distance: number): void;
  /** Four rows of blocks of four lanes → columns of blocks: the last step of a transpose. `rows` has lanes / 4 registers, so has d. */
  transposeBlocks(e: Emit, d: readonly Reg[], rows: readonly Reg[]): void;
}

/** Predicates of vcmpps that no NaN fulfils and that raise nothing. */
const ordered = { flt: 0x11, fle: 0x12, feq: 0x00, notLess: 0x1d, bothNumbers: 0x07 } as const;

const twoTo31 = 0x4f000000;
const largestInt = 0x7fffffff;
const swapNeighbourBlocks = 0xb1;
const swapHalves = 0x4e;

/** One element or four need no mask: shorter moves leave zeros behind them, and they are quicker. */
function shortMove(e: Emit, value: Reg, place: Address, span: number, load: boolean): boolean {
  const lengths: Readonly<Record<number, VectorLength>> = { 4: 128, 8: 256 };
  const operands = load ? [value, place] : [place, value];
  if (span === 1) e.emit(load ? "vmovss" : "vmovss.store", operands, { length: 128 });
  else if (lengths[span]) e.emit(load ? "vmovups" : "vmovups.store", operands, { length: lengths[span] });
  else return false;
  return true;
}

/** AVX2: 8 lanes, VEX encodings, masks in vector registers. */
export const avx2Dialect: Dialect = {
  lanes: 8,
  length: 256,
  scheme: "VEX",
  maskKind: "vec",
  vectors: 16,
  broadcasts: false,
  names: { vand: "vpand", vor: "vpor", vxor: "vpxor", round: "vroundps" },
  literal: (bits) => literalOf(Array<number>(8).fill(bits)),
  constant: (e, d, bits) => e.emit("vmovups", [d, avx2Dialect.literal(bits)]),
  zero: (e, d) => e.emit("vxorps", [d, d, d]),

  loadFirst(e, d, from, span) {
    if (!shortMove(e, d, from, span, true)) e.emit("vmaskmovps", [d, laneMask(e, span), from]);
  },

  storeFirst(e, a, to, span) {
    if (!shortMove(e, a, to, span, false)) e.emit("vmaskmovps.store", [to, laneMask(e, span), a]);
  },

  narrow: avx2Moves,
  parts: avx2Parts,

  compare(e, op, d, a, b) {
    if (op === "vlt") e.emit("vpcmpgtd", [d, toRegister(e, b), a]);
    else if (op === "veq") e.emit("vpcmpeqd", [d, a, b]);
    else e.emit("vcmpps", [d, a, b, ordered[op]]);
  },

  select: (e, d, mask, a, b) => e.emit("vblendvps", [d, b, a, mask]),
  keepFirst: (e, d, a, b, span) => e.emit("vblendps", [d, b, a, 2 ** span - 1]),

  spreadInt(e, d, a) {
    const low = e.register("vec");
    e.emit("vmovd", [low, a]);
    e.emit("vbroadcastss", [d, low]);
  },

  /** The conversion gives 0x80000000 for what it cannot hold: complemented where a ≥ 2³¹, zeroed where a is no number. */
  toInt(e, d, a) {
    const [tooLarge, number, raw, flipped] = ["vec", "vec", "vec", "vec"].map((kind) => e.register(kind as RegKind)) as [
      Reg,
      Reg,
      Reg,
      Reg,
    ];
    e.emit("vcmpps", [tooLarge, a, avx2Dialect.literal(twoTo31), ordered.notLess]);
    e.emit("vcmpps", [number, a, a, ordered.bothNumbers]);
    e.emit("vcvttps2dq", [raw, a]);
    e.emit("vpxor", [flipped, raw, tooLarge]);
    e.emit("vpand", [d, flipped, number]);
  },

  swapBlocks: (e, d, a) => e.emit("vperm2f128", [d, a, a, 0x01]),

  transposeBlocks(e, d, rows) {
    e.emit("vperm2f128", [d[0]!, rows[0]!, rows[1]!, 0x20]);
    e.emit("vperm2f128", [d[1]!, rows[0]!, rows[1]!, 0x31]);
  },
};

/** All ones in the first `span` of 8 lanes. */
function laneMask(e: Emit, span: number): Reg {
  return e.held(
    "vec",
    "vmovups",
    Array.from({ length: 8 }, (_, i) => (i < span ? -1 : 0)),
  );
}

function toRegister(e: Emit, source: Source): Source {
  if (typeof source === "object" && "kind" in source) return source;
  const loaded = e.register("vec");
  e.emit("vmovups", [loaded, source]);
  return loaded;
}

/** AVX-512: 16 lanes, EVEX encodings, mask registers, one element of memory for all lanes as an operand. */
export const avx512Dialect: Dialect = {
  lanes: 16,
  length: 512,
  scheme: "EVEX",
  maskKind: "mask",
  vectors: 32,
  broadcasts: true,
  names: { vand: "vpandd", vor: "vpord", vxor: "vpxord", round: "vrndscaleps" },
  literal: (bits) => literalOf([bits], true),
  constant: (e, d, bits) => e.emit("vbroadcastss", [d, literalOf([bits])]),
  zero: (e, d) => e.emit("vpxord", [d, d, d]),

  loadFirst(e, d, from, span) {
    if (!shortMove(e, d, from, span, true)) e.emit("vmovups", [d, from], { mask: maskOf(e, span), zeroing: true });
  },

  storeFirst(e, a, to, span) {
    if (!shortMove(e, a, to, span, false)) e.emit("vmovups.store", [to, a], { mask: maskOf(e, span) });
  },

  narrow: maskedMoves(16, maskOf),
  parts: avx512Parts,

  compare(e, op, d, a, b) {
    if (op === "vlt") e.emit("vpcmpgtd.k", [d, toRegister(e, b), a]);
    else if (op === "veq") e.emit("vpcmpeqd.k", [d, a, b]);
    else e.emit("vcmpps.k", [d, a, b, ordered[op]]);
  },

  select: (e, d, mask, a, b) => e.emit("vblendmps", [d, b, a], { mask }),
  keepFirst: (e, d, a, b, span) => e.emit("vblendmps", [d, b, a], { mask: maskOf(e, span) }),
  spreadInt: (e, d, a) => e.emit("vpbroadcastd", [d, a]),

  /** Numbers are converted and other lanes zeroed in the same instruction. */
  toInt(e, d, a) {
    const [number, tooLarge, raw] = [e.register("mask"), e.register("mask"), e.register("vec")];
    e.emit("vcmpps.k", [number, a, a, ordered.bothNumbers]);
    e.emit("vcmpps.k", [tooLarge, a, avx512Dialect.literal(twoTo31), ordered.notLess]);
    e.emit("vcvttps2dq", [raw, a], { mask: number, zeroing: true });
    e.emit("vblendmps", [d, raw, avx512Dialect.literal(largestInt)], { mask: tooLarge });
  },

  swapBlocks: (e, d, a, distance) => e.emit("vshuff32x4", [d, a, a, distance === 8 ? swapHalves : swapNeighbourBlocks]),

  /** Even and odd blocks of pairs, then of pairs of pairs. */
  transposeBlocks(e, d, rows) {
    const [low01, high01, low23, high23] = [0, 1, 2, 3].map(() => e.register("vec")) as [Reg, Reg, Reg, Reg];
    e.emit("vshuff32x4", [low01, rows[0]!, rows[1]!, 0x44]);
    e.emit("vshuff32x4", [high01, rows[0]!, rows[1]!, 0xee]);
    e.emit("vshuff32x4", [low23, rows[2]!, rows[3]!, 0x44]);
    e.emit("vshuff32x4", [high23, rows[2]!, rows[3]!, 0xee]);
    e.emit("vshuff32x4", [d[0]!, low01, low23, 0x88]);
    e.emit("vshuff32x4", [d[1]!, low01, low23, 0xdd]);
    e.emit("vshuff32x4", [d[2]!, high01, high23, 0x88]);
    e.emit("vshuff32x4", [d[3]!, high01, high23, 0xdd]);
  },
};

function maskOf(e: Emit, span: number): Reg {
  return e.held("mask", "kmovw", [2 ** span - 1]);
}
