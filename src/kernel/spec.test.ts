import { expect, test } from "vitest";
import type { Kernel, Op, Reg } from "./ir.ts";
import { verify } from "./spec.ts";
import { wasm128 } from "./wasm/target.ts";

const int = (id: number): Reg => ({ kind: "int", id });
const vec = (id: number): Reg => ({ kind: "vec", id });
const mask = (id: number): Reg => ({ kind: "mask", id });

/** Parameters x, scratch, begin, end are registers 0 to 3. */
const params = ["x", "scratch", "begin", "end"].map((name, id) => ({ name, reg: int(id) }));
const kernelOf = (...body: Op[]): Kernel => ({ name: "k", target: wasm128, params, body, units: 1, scratchBytes: 0 });

const load: Op = { op: "vload", d: vec(10), m: { base: int(0), offset: 0 }, span: "full" };
const one: Op = { op: "iconst", d: int(11), value: 1 };
const loop = (...body: Op[]): Op => ({ op: "loop", i: int(20), from: 0, to: int(3), step: 1, body });
const four = (from: number) => [0, 1, 2, 3].map((i) => vec(from + i));
const rows = four(30).map((d): Op => ({ op: "vconst", d, value: 1, type: "f32" }));

test("accepts what keeps the rules", () => {
  const both: Op = { op: "if", a: int(2), relation: "<", b: 1, whenTrue: [one], otherwise: [one] };
  const after: Op = { op: "iadd", d: int(12), a: int(11), b: 3 };
  const transpose: Op = { op: "transpose", d: four(40), a: four(30) };
  expect(() =>
    verify(kernelOf(load, both, after, loop(load, after), ...rows, transpose, { op: "vmov", d: vec(41), a: vec(43) })),
  ).not.toThrow();
});

const broken: Record<string, { body: Op[]; message: string }> = {
  "reading before writing": {
    body: [{ op: "fadd", d: vec(10), a: vec(10), b: vec(10) }],
    message: "[kernel] k: fadd: reads register 10 before it is written",
  },
  "reading what only a loop wrote": { body: [loop(one), { op: "imov", d: int(12), a: int(11) }], message: "reads register 11 before" },
  "reading a counter after its loop": { body: [loop(), { op: "imov", d: int(12), a: int(20) }], message: "reads register 20 before" },
  "reading what one branch wrote": {
    body: [
      { op: "if", a: int(2), relation: "==", b: 0, whenTrue: [one], otherwise: [] },
      { op: "imov", d: int(12), a: int(11) },
    ],
    message: "reads register 11 before",
  },
  "an address never written": {
    body: [{ op: "vstore", a: vec(10), m: { base: int(50), offset: 0 }, span: "full" }],
    message: "reads register",
  },
  "writing a counter": {
    body: [loop({ op: "iconst", d: int(20), value: 0 })],
    message: "iconst: writes register 20, the counter or the bound of a loop around it",
  },
  "writing a bound, deeper": {
    body: [loop({ op: "if", a: int(2), relation: ">", b: 0, whenTrue: [{ op: "iconst", d: int(3), value: 0 }], otherwise: [] })],
    message: "writes register 3, the counter or the bound",
  },
  "one counter for two loops": { body: [loop(loop())], message: "loop: writes register 20" },
  "an operand of another kind": {
    body: [load, { op: "iadd", d: int(12), a: vec(10), b: 1 }],
    message: "iadd: operand a is a vec register, but must be int",
  },
  "too many parts": {
    body: [{ op: "vloadParts", d: vec(10), m: { base: int(0), offset: 0 }, offsets: [0, 16] }],
    message: "vloadParts: a vector has 1 parts, not 2",
  },
  "a place before the address": {
    body: [{ op: "vloadParts", d: vec(10), m: { base: int(0), offset: 0 }, offsets: [-16] }],
    message: "vloadParts: -16 is not a natural number",
  },
  "a table that is too short": {
    body: [load, { op: "vlookup", d: vec(11), a: vec(10), table: [1, 2, 3] }],
    message: "vlookup: a table has 16 bytes, not 1,2,3",
  },
  "a table of more than bytes": {
    body: [load, { op: "vlookup", d: vec(11), a: vec(10), table: Array(16).fill(256) }],
    message: "vlookup: a table has 16 bytes, not 256,256",
  },
  "a result of another kind": {
    body: [load, { op: "flt", d: vec(12), a: vec(10), b: vec(10) }],
    message: "flt: operand d is a vec register, but must be mask",
  },
  "a mask that is none": {
    body: [load, { op: "select", d: vec(12), mask: vec(10), a: vec(10), b: vec(10) }],
    message: "operand mask is a vec register, but must be mask",
  },
  "a bound that is no int": {
    body: [load, { op: "loop", i: int(20), from: 0, to: vec(10), step: 1, body: [] }],
    message: "operand to is a vec register, but must be int",
  },
  "a condition that is no int": {
    body: [load, { op: "if", a: vec(10), relation: "<", b: 0, whenTrue: [], otherwise: [] }],
    message: "operand a is a vec register, but must be int",
  },
  "a register of two kinds": {
    body: [load, { op: "iconst", d: int(10), value: 0 }],
    message: "register 10 is int here, but vec elsewhere",
  },
  "an address that is no int": {
    body: [load, { op: "vsplat", d: vec(12), m: { base: vec(10), offset: 0 } }],
    message: "vsplat: addresses are int registers",
  },
  "an index that is no int": {
    body: [load, { op: "istore", a: int(2), m: { base: int(0), index: vec(10), offset: 0 } }],
    message: "addresses are int registers",
  },
  "a negative offset": { body: [{ ...load, m: { base: int(0), offset: -4 } }], message: "offset -4 must be a non-negative integer" },
  "a tail of all lanes": { body: [{ ...load, span: 4 }], message: "a tail has 1 to 3 lanes, not 4" },
  "an empty tail": { body: [load, { op: "vkeep", d: vec(12), a: vec(10), b: vec(10), span: 0 }], message: "not 0" },
  "a loop that stands": {
    body: [{ op: "loop", i: int(20), from: 0, to: 4, step: 0, body: [] }],
    message: "step 0 must be a positive integer",
  },
  "a loop from below zero": {
    body: [{ op: "loop", i: int(20), from: -1, to: 4, step: 1, body: [] }],
    message: "bound -1 must be a non-negative integer",
  },
  "a shift out of the word": {
    body: [load, { op: "vsar", d: vec(12), a: vec(10), b: 32 }],
    message: "vsar: shifts by 0 to 31 bits, not 32",
  },
  "a division by zero": { body: [{ op: "irem", d: int(12), a: int(2), b: 0 }], message: "irem: divides by a positive integer, not 0" },
  "a fraction as an int": { body: [{ op: "iconst", d: int(12), value: 0.5 }], message: "0.5 is not an integer" },
  "a transpose of three rows": {
    body: [...rows, { op: "transpose", d: four(40), a: four(30).slice(1) }],
    message: "transpose: needs 4 registers, has 3 and 4",
  },
  "a transpose in place": { body: [...rows, { op: "transpose", d: four(33), a: four(30) }], message: "must be different registers" },
  "a transpose onto one register": {
    body: [...rows, { op: "transpose", d: [40, 41, 42, 40].map(vec), a: four(30) }],
    message: "writes a register twice",
  },
  "a transpose of masks": {
    body: [...rows, { op: "transpose", d: [40, 41, 42, 43].map(mask), a: four(30) }],
    message: "moves vec registers only",
  },
};

test.each(Object.entries(broken))("rejects %s", (_, { body, message }) => {
  expect(() => verify(kernelOf(...body))).toThrow(message);
});

test("rejects parameters that do not end in scratch, begin, end", () => {
  expect(() => verify({ ...kernelOf(), params: params.slice(0, 3) })).toThrow(
    "[kernel] k: its last parameters are (x, scratch, begin), but must be (scratch, begin, end)",
  );
});
