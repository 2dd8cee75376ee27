// Every op of the IR, one after the other: the interpreter and the compiled kernel must agree in every bit.
import { describe, expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { differences } from "./differential.test.helper.ts";
import type { Kernel, Op, Reg, Relation, Span } from "./ir.ts";
import { type Builder, Int, kernel, Vec } from "./language.ts";
import { compiledRuns, crampedRuns, skipped, specialised } from "./testing.test.helper.ts";

const units = 200;
const results = 82;

/** Bytes of a vector, of what a unit has of each (three vectors, two small ints and room behind them in, results out), of all inputs. */
function sizesFor(lanes: number) {
  const vector = lanes * 4;
  const inBytes = 3 * vector + 32;
  return { vector, inBytes, outBytes: results * vector, outputs: units * inBytes };
}

interface Given {
  readonly k: Builder;
  /** The unit's inputs: a, b, c, then the ints. */
  readonly x: Int;
  readonly a: Vec;
  readonly b: Vec;
  readonly c: Vec;
  readonly i: Int;
  readonly j: Int;
}
type Result = Int | Vec | readonly (Int | Vec)[];

const emitVec = (k: Builder, op: (d: Vec["reg"]) => Op): Vec => {
  const d = k.register("vec");
  k.emit(op(d));
  return new Vec(k, d);
};
const emitInt = (k: Builder, op: (d: Int["reg"]) => Op): Int => {
  const d = k.register("int");
  k.emit(op(d));
  return new Int(k, d);
};
const relations: readonly Relation[] = ["<", "<=", ">", ">=", "==", "!="];
const spansOf = (k: Builder): readonly Span[] => ["full", ...Array.from({ length: k.laneCount - 1 }, (_, i) => i + 1)];
const asVec = ({ k, a, b }: Given, mask: ReturnType<Vec["less"]>) => [mask.select(a, b), mask.select(k.constant(1), k.constant(0))];
const at = (offset: number, span: Span = "full") => ({ offset, span, copy: 0 });

/** The type asks for a row for every op. */
const cases: Record<Op["op"], (given: Given) => Result> = {
  iconst: ({ k }) => [0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, 2 ** 31 - 1, -(2 ** 31)].map((value) => k.int(value)),
  imov: ({ k, i }) => k.copy(i),
  iadd: ({ i, j }) => [i.add(j), i.add(-7)],
  isub: ({ i, j }) => [i.sub(j), i.sub(9)],
  imul: ({ i, j }) => [i.mul(j), i.mul(-3)],
  imin: ({ i, j }) => [i.min(j), i.sub(j).min(-2)],
  imax: ({ i, j }) => [i.max(j), i.sub(j).max(0)],
  ishl: ({ k, i }) => [0, 1, 20].map((b) => emitInt(k, (d) => ({ op: "ishl", d, a: i.reg, b }))),
  ishr: ({ k, i }) => [0, 1, 5, 31].map((b) => emitInt(k, (d) => ({ op: "ishr", d, a: i.reg, b }))),
  iand: ({ k, i }) => [0, 6, -1].map((b) => emitInt(k, (d) => ({ op: "iand", d, a: i.reg, b }))),
  idiv: ({ i }) => [i.div(3), i.div(1000)],
  irem: ({ i }) => [i.rem(3), i.rem(1), i.rem(1000)],
  iload: ({ k, x }) =>
    (["i32", "u16", "u8", "i8"] as const).map((type) => emitInt(k, (d) => ({ op: "iload", d, m: { base: x.reg, offset: 4 }, type }))),
  istore: ({ k, x, i }) => {
    k.storeInt(i, x, 8);
    return k.loadInt(x, 8);
  },
  vconst: ({ k }) => [
    ...[0, -0, 1.1, 1e-42, Number.POSITIVE_INFINITY].map((value) => k.variable(value)),
    ...[-1, 7, -(2 ** 31)].map((value) => k.intConstant(value)),
  ],
  vmov: ({ k, a }) => k.copyVec(a),
  vload: ({ k, x }) => spansOf(k).flatMap((span) => [k.load(x, at(4, span)), k.load(x, { ...at(0, span), index: k.int(12) })]),
  vstore: ({ k, x, b }) =>
    spansOf(k).map((span) => {
      k.store(b, x, at(20, span));
      return k.load(x, at(20));
    }),
  vloadNarrow: ({ k, x }) =>
    (["f16", "bf16", "u16", "i8", "u8"] as const).flatMap((type) => [
      ...spansOf(k).map((span) => k.loadNarrow(type, x, at(8, span), 3)),
      ...(type === "i8" ? [k.loadNarrow(type, x, { ...at(0), index: k.int(12) })] : []),
    ]),
  vstoreNarrow: ({ k, x, b }) =>
    (["f16", "bf16", "u16", "u8"] as const).flatMap((type) =>
      spansOf(k).map((span) => {
        k.storeNarrow(type, b, x, at(20, span), 1);
        return k.load(x, at(4));
      }),
    ),
  bf16pair: ({ k, x, a, b }) => [a.pairBf16(b), a.pairBf16(a), k.load(x, at(4)).pairBf16(b), k.splat(x).pairBf16(b)],
  // Factors 2 and 4 and small integers to add: exact in any order.
  dotbf16: ({ k, x, a, b, c }) => {
    const exact = (v: Vec) => v.and(k.intConstant(0xc080c080 | 0)).or(k.intConstant(0x40004000));
    const small = c.and(k.intConstant(255)).toFloat();
    k.store(exact(c), x, at(8));
    return products("dotbf16", k, [exact(a), exact(b), k.load(x, at(8)), k.splat(x, 12)], small);
  },
  dotu8: ({ k, x, a, b, c }) => {
    const small = a.and(k.intConstant(0x7f7f7f7f));
    return [
      ...products("dotu8", k, [a, b, k.load(x, at(8)), k.splat(x, 12)], c),
      emitVec(k, (d) => ({ op: "dotu8", d, a: small.reg, b: b.reg, c: c.reg, most: 127 })),
    ];
  },
  dots8: ({ k, x, a, b, c }) => {
    // The lowest bit is set, so that no byte is −128.
    const odd = (v: Vec) => v.or(k.intConstant(0x01010101));
    k.store(odd(c), x, at(8));
    return products("dots8", k, [odd(a), odd(b), k.load(x, at(8)), k.splat(x, 12)], c);
  },
  pairsu8: ({ k, x, a, b, c }) => {
    const [small, few] = [a.and(k.intConstant(0x7f7f7f7f)), a.and(k.intConstant(0x0f0f0f0f))];
    k.store(c, x, at(8));
    const inPlace = k.copyVec(small);
    k.emit({ op: "pairsu8", d: inPlace.reg, a: inPlace.reg, b: b.reg, most: 127 });
    // Bytes of the second factor are small and not negative beside large ones, so that 16 bits hold the sum.
    const large = emitVec(k, (d) => ({ op: "pairsu8", d, a: a.reg, b: b.and(k.intConstant(0x3f3f3f3f)).reg, most: 255 }));
    return [small.bytePairs(b, 127), few.bytePairs(k.load(x, at(8)), 15), few.bytePairs(k.splat(x, 12), 15), inPlace, large];
  },
  vadd16: ({ k, x, a, b }) => {
    const sum = k.copyVec(a);
    sum.addHalvesTo(b);
    const loaded = k.load(x, at(8));
    loaded.addHalvesTo(a);
    return [sum, loaded, emitVec(k, (d) => ({ op: "vadd16", d, a: a.reg, b: k.splat(x, 12).reg }))];
  },
  dot16: ({ k, x, a, b, c }) => products("dot16", k, [a, b, k.load(x, at(8)), k.splat(x, 12)], c),
  vlookup: ({ k, x, a }) => {
    const table = [...Array(16).keys()].map((i) => (i * 37 + 200) % 256);
    const nibbles = (v: Vec) => v.and(k.intConstant(0x0f0f0f0f));
    k.store(nibbles(a), x, at(8));
    const inPlace = nibbles(a.shiftRight(4));
    k.emit({ op: "vlookup", d: inPlace.reg, a: inPlace.reg, table });
    return [nibbles(a).lookUp(table), k.load(x, at(8)).lookUp(table.toReversed()), inPlace];
  },
  vloadParts: ({ k, x }) => [k.loadParts(x, partsOf(k, [3, 40, 0, 24])), k.loadParts(x, partsOf(k, [0, 16, 32, 48]))],
  vsplatParts: ({ k, x }) =>
    (["f16", "u16", "i8", "u8"] as const).flatMap((type) => [
      k.splatParts(type, x, partsOf(k, [5, 0, 130, 131])),
      k.splatParts(type, x, partsOf(k, [7, 7, 7, 7])),
    ]),
  prefetch: ({ k, x, a }) => {
    k.prefetch(x, 64);
    k.prefetch(k.int(0));
    return a;
  },
  vsplat: ({ k, x }) => [k.splat(x), k.splat(x, 44)],
  vsplati: ({ k, i }) => [k.splatInt(i), k.splatInt(i.mul(-1))],
  viota: ({ k }) => k.iota(),
  fadd: ({ a, b }) => a.add(b),
  fsub: ({ a, b }) => a.sub(b),
  fmul: ({ a, b }) => a.mul(b),
  fdiv: ({ a, b }) => a.div(b),
  fmin: ({ a, b }) => a.min(b),
  fmax: ({ a, b }) => a.max(b),
  fsqrt: ({ a }) => a.sqrt(),
  fabs: ({ a }) => a.abs(),
  fneg: ({ a }) => a.neg(),
  fround: ({ a }) => a.round(),
  ffloor: ({ a }) => a.floor(),
  vadd: ({ a, b }) => a.intAdd(b),
  vsub: ({ a, b }) => a.intSub(b),
  vmul: ({ k, a, b }) => emitVec(k, (d) => ({ op: "vmul", d, a: a.reg, b: b.reg })),
  vand: ({ a, b }) => a.and(b),
  vor: ({ a, b }) => a.or(b),
  vxor: ({ a, b }) => a.xor(b),
  vshl: ({ a }) => [a.shiftLeft(0), a.shiftLeft(23), a.shiftLeft(31)],
  vshr: ({ a }) => [a.shiftRight(0), a.shiftRight(23), a.shiftRight(31)],
  vsar: ({ a }) => [a.shiftRightSigned(0), a.shiftRightSigned(23), a.shiftRightSigned(31)],
  ffma: ({ k, a, b, c }) => {
    const sum = k.copyVec(c);
    sum.accumulate(a, b);
    return [a.fma(b, c), sum, a.fma(a, a)];
  },
  i2f: ({ a }) => a.toFloat(),
  f2i: ({ a }) => a.toInt(),
  flt: (given) => asVec(given, given.a.less(given.b)),
  fle: (given) => asVec(given, given.a.lessOrEqual(given.b)),
  feq: (given) => [...asVec(given, given.a.equals(given.b)), ...asVec(given, given.a.equals(given.a))],
  vlt: (given) => asVec(given, given.a.intLess(given.b)),
  veq: (given) => [...asVec(given, given.a.intEquals(given.b)), ...asVec(given, given.a.intEquals(given.a))],
  select: ({ a, b, c }) => a.less(b).select(c, a),
  vkeep: ({ k, a, b }) => spansOf(k).map((span) => emitVec(k, (d) => ({ op: "vkeep", d, a: a.reg, b: b.reg, span }))),
  rsum: ({ a }) => a.sum(),
  rmax: ({ a }) => a.maximum(),
  vswap: ({ a }) => a.swapNeighbours(),
  transpose: ({ k, a, b, c }) => {
    const rows = [a, b, c, k.iota()];
    return k.transpose(Array.from({ length: k.laneCount }, (_, i) => rows[i % 4]!.xor(k.intConstant(i * 0x01010101))));
  },
  loop: ({ k, i, j, a }) => {
    const [count, sum] = [k.int(0), k.copyVec(a)];
    k.loop(i, j, 3, (at) => {
      count.bump(at);
      k.loop(2, at, 5, () => count.bump(1));
      sum.set(sum.swapNeighbours());
    });
    k.loop(7, 7, 1, () => count.set(-1));
    k.loop(0, 5, 4, (at) => count.bump(at));
    return [count, sum];
  },
  if: ({ k, i, j }) =>
    relations.flatMap((relation) => {
      const [taken, nested] = [k.int(0), k.int(5)];
      k.if(
        i,
        relation,
        j,
        () => taken.set(1),
        () => taken.set(2),
      );
      k.if(i, relation, 6, () => k.if(j, relation, 6, () => nested.set(6)));
      return [taken, nested];
    }),
};

/** The first numbers, one per part of a vector. */
function partsOf(k: Builder, numbers: readonly number[]): readonly number[] {
  return numbers.slice(0, k.laneCount / 4);
}

/** Two registers and two that lie in memory, in either place, the result in each operand's register. */
function products(op: "dotbf16" | "dotu8" | "dots8" | "dot16", k: Builder, [a, b, row, one]: readonly Vec[], c: Vec): Vec[] {
  const product = (d: Reg, x: Vec, y: Vec, sum: Vec): Op => {
    const operands = { d, a: x.reg, b: y.reg, c: sum.reg };
    return op === "dotu8" ? { op, ...operands, most: 255 } : { op, ...operands };
  };
  const make = (x: Vec, y: Vec, d: (x: Vec, y: Vec, sum: Vec) => Vec) => {
    const [left, right, sum] = [x, y, c].map((v) => k.copyVec(v)) as [Vec, Vec, Vec];
    const to = d(left, right, sum);
    k.emit(product(to.reg, left, right, sum));
    return to;
  };
  const direct = (x: Vec, y: Vec) => emitVec(k, (d) => product(d, x, y, c));
  return [
    ...[direct(a!, b!), direct(a!, row!), direct(one!, b!), direct(a!, a!)],
    ...[make(a!, b!, (x) => x), make(a!, b!, (_, y) => y), make(a!, b!, (_x, _y, sum) => sum)],
  ];
}

const testOp = kernel<{ op: Op["op"] }>("testOp", (k, { op }) => {
  const { inputs, results } = k.pointers("inputs", "results");
  const { begin, end } = k.range();
  const { vector, inBytes, outBytes } = sizesFor(k.laneCount);
  k.loop(begin, end, 1, (unit) => {
    const x = inputs.add(unit.mul(inBytes));
    const [a, b, c] = [0, 1, 2].map((n) => k.load(x, at(n * vector))) as [Vec, Vec, Vec];
    const made = [cases[op]({ k, x, a, b, c, i: k.loadInt(x, 3 * vector), j: k.loadInt(x, 3 * vector + 4) })].flat();
    const to = results.add(unit.mul(outBytes));
    made.forEach((value, n) => {
      if (value instanceof Vec) k.store(value, to, at(n * vector));
      else if (value instanceof Int) k.storeInt(value, to, n * vector);
    });
  });
  return { units };
});

describe.each([...compiledRuns, ...crampedRuns])("$name equals the interpreter", (run) => {
  const words = memory(run.target.lanes);
  test.each(Object.keys(cases) as Op["op"][])("%s", (op) => {
    const compiledFor = specialised(testOp, { op }, run.target);
    expect(opsOf(compiledFor.body)).toContain(op);
    expect(differences(run, compiledFor, words, [0, sizesFor(run.target.lanes).outputs])).toEqual([]);
  });
});

test.skip.each(skipped)("%s", () => undefined);

/** Vectors of values that have broken things before, and of random ones; the rest zero. */
function memory(lanes: number): Int32Array {
  const rng = new Rng(5);
  const { inBytes, outBytes, outputs } = sizesFor(lanes);
  const words = new Int32Array((outputs + units * outBytes) / 4);
  const floats = new Float32Array(words.buffer);
  for (let unit = 0; unit < units; unit++) {
    const at = (unit * inBytes) / 4;
    for (let lane = 0; lane < 3 * lanes; lane++) {
      if (unit % 4 === 3) words[at + lane] = rng.uniform() * 2 ** 32;
      else floats[at + lane] = unit % 4 === 2 ? rng.normal() * 10 : specials[rng.below(specials.length)]!;
    }
    words[at + 3 * lanes] = rng.below(20);
    words[at + 3 * lanes + 1] = rng.below(20);
  }
  return words;
}

const specials = [
  ...[0, 0.5, 1, 1.5, 2.5, 1 + 2 ** -12, 1 + 2 ** -23, 8388607.5, 16777217, 2147483520, 2 ** 31, 1e10],
  ...[2 ** -149, 2 ** -126, 1e-40, 3.4028234663852886e38, 1e20, Number.POSITIVE_INFINITY],
].flatMap((value) => [value, -value]);
specials.push(Number.NaN);

function opsOf(ops: Kernel["body"]): Set<Op["op"]> {
  const inner = ops.flatMap((op) => (op.op === "loop" ? op.body : op.op === "if" ? [...op.whenTrue, ...op.otherwise] : []));
  return new Set([...ops.map(({ op }) => op), ...(inner.length > 0 ? opsOf(inner) : [])]);
}
