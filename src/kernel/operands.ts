// What every op reads and writes: one table for the spec, the interpreter's checks, printers and register allocators.
import type { Mem, Op, Reg, RegKind } from "./ir.ts";

export interface Operands {
  readonly reads: readonly Reg[];
  readonly writes: readonly Reg[];
}

export function operandsOf(op: Op): Operands {
  switch (op.op) {
    case "transpose":
      return { reads: op.a, writes: op.d };
    case "loop":
      return { reads: [op.from, op.to].filter(isReg), writes: [op.i] };
    case "if":
      return { reads: [op.a, op.b].filter(isReg), writes: [] };
    default: {
      const { a, b, c, mask, d, m } = op as unknown as Record<string, Reg | number | undefined> & { readonly m?: Mem };
      const reads: Reg[] = [];
      if (isReg(a)) reads.push(a);
      if (isReg(b)) reads.push(b);
      if (isReg(c)) reads.push(c);
      if (isReg(mask)) reads.push(mask);
      if (m) reads.push(m.base);
      if (m?.index) reads.push(m.index);
      return { reads, writes: isReg(d) ? [d] : nothing };
    }
  }
}

const nothing: readonly Reg[] = [];

export type OperandField = "d" | "a" | "b" | "c" | "mask" | "i" | "from" | "to";

/** Kinds of the operands of ops that are not all `vec`; see {@link kindOf}. */
const kinds: Readonly<Record<string, Partial<Record<OperandField, RegKind>>>> = {
  ...Object.fromEntries(
    ["iconst", "imov", "iadd", "isub", "imul", "imin", "imax", "ishl", "ishr", "iand", "idiv", "irem", "iload", "istore"].map((name) => [
      name,
      { d: "int", a: "int", b: "int" },
    ]),
  ),
  ...Object.fromEntries(["flt", "fle", "feq", "vlt", "veq"].map((name) => [name, { d: "mask" }])),
  select: { mask: "mask" },
  vsplati: { a: "int" },
  loop: { i: "int", from: "int", to: "int" },
  if: { a: "int", b: "int" },
};

/** The kind that operand `field` of an op must have. */
export function kindOf(op: Op["op"], field: OperandField): RegKind {
  return kinds[op]?.[field] ?? "vec";
}

export function isReg(value: unknown): value is Reg {
  return typeof value === "object" && value !== null && (value as Partial<Reg>).kind !== undefined;
}
