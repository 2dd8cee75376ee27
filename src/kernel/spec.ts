// The executable specification of the IR (tinygrad's uop/spec.py): what a kernel must satisfy before anything interprets or compiles it.
import { check } from "../base/index.ts";
import type { Kernel, Op, Reg, Span } from "./ir.ts";
import { isReg, kindOf, operandsOf } from "./operands.ts";

/** @throws CriaError naming the kernel, the op and the rule that it breaks. */
export function verify(kernel: Kernel): void {
  const { name, target } = kernel;
  const where = (op: Op) => `${name}: ${op.op}`;
  const rule = (condition: boolean, op: Op, message: () => string) => check(condition, "kernel", () => `${where(op)}: ${message()}`);

  const checkSpan = (op: Op, span: Span) =>
    rule(
      span === "full" || (Number.isInteger(span) && span > 0 && span < target.lanes),
      op,
      () => `a tail has 1 to ${target.lanes - 1} lanes, not ${span}`,
    );

  const checkOp = (op: Op, defined: Set<number>, loopCounters: ReadonlySet<number>) => {
    const { reads, writes } = operandsOf(op);
    for (const reg of reads) rule(defined.has(reg.id), op, () => `reads register ${reg.id} before it is written`);
    for (const reg of writes) rule(!loopCounters.has(reg.id), op, () => `writes register ${reg.id}, the counter of a loop around it`);
    if (op.op !== "loop" && op.op !== "if" && op.op !== "transpose") checkKinds(op, rule);
    if ("m" in op) {
      rule(op.m.base.kind === "int" && (op.m.index?.kind ?? "int") === "int", op, () => "addresses are int registers");
      rule(Number.isInteger(op.m.offset) && op.m.offset >= 0, op, () => `offset ${op.m.offset} must be a non-negative integer`);
    }
    if ("span" in op) checkSpan(op, op.span);
    if (op.op === "transpose") {
      rule(op.a.length === target.lanes && op.d.length === target.lanes, op, () => `needs ${target.lanes} registers, has ${op.a.length}`);
      rule(
        [...op.a, ...op.d].every((r) => r.kind === "vec"),
        op,
        () => "moves vec registers only",
      );
      const sources = new Set(op.a.map((r) => r.id));
      rule(!op.d.some((r) => sources.has(r.id)), op, () => "sources and destinations must be different registers");
    }
    for (const reg of writes) defined.add(reg.id);
    if (op.op === "loop") {
      rule(Number.isInteger(op.step) && op.step > 0, op, () => `step ${op.step} must be a positive integer`);
      checkBlock(op.body, new Set(defined), new Set([...loopCounters, op.i.id]));
    }
    if (op.op === "if") {
      const branches = [op.whenTrue, op.otherwise].map((block) => {
        const inside = new Set(defined);
        checkBlock(block, inside, loopCounters);
        return inside;
      });
      // What both branches define is defined afterwards.
      for (const id of branches[0]!) if (branches[1]!.has(id)) defined.add(id);
    }
  };
  const checkBlock = (ops: readonly Op[], defined: Set<number>, counters: ReadonlySet<number>) => {
    for (const op of ops) checkOp(op, defined, counters);
  };
  checkBlock(kernel.body, new Set(kernel.params.map((p) => p.reg.id)), new Set());
}

function checkKinds(op: Op, rule: (condition: boolean, op: Op, message: () => string) => void): void {
  const fields = op as unknown as Record<string, unknown>;
  for (const field of ["d", "a", "b", "c"] as const) {
    const reg = fields[field];
    if (!isReg(reg)) continue;
    const want = kindOf(op.op, field);
    rule((reg as Reg).kind === want, op, () => `operand ${field} is a ${(reg as Reg).kind} register, but must be ${want}`);
  }
  if (op.op === "select") rule(op.mask.kind === "mask", op, () => `its mask is a ${op.mask.kind} register`);
}
