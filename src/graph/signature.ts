// What an op takes and makes, as patterns: a letter is a size, and the same letter is the same size wherever it stands (einops' notation).
// From the patterns follow the shape rule, the names by which reference, gradient and lowering reach their tensors, and the sizes they read.
import { check, isStateDType, sameShape, showShape } from "../base/index.ts";
import type { Role, TensorType } from "./tensor.ts";

/**
 * Name → its sizes: `"M K"`, `"i32 N"` where the type is not f32, `"weight N K"` where it may be a weight of any layout,
 * `"pool N K"` where it may be a state of any layout, `"5"` for a fixed size, `"..."` for a shape that is one wherever it stands, `"any"` for a shape of its own. A name ending in `?` may be missing, one ending in `*` stands for one tensor or more; either comes last.
 */
export type Patterns = Readonly<Record<string, string>>;

type Axes<P extends string> = P extends `i32 ${infer Rest}` | `weight ${infer Rest}` | `pool ${infer Rest}` ? Rest : P;
type Letters<P extends string> = P extends `${infer First} ${infer Rest}`
  ? Letters<First> | Letters<Rest>
  : Exclude<P, `${number}` | "..." | "any">;

/** The sizes that the letters stand for. */
export type Sizes<P extends Patterns> = { readonly [Letter in Letters<Axes<P[keyof P]>>]: number };

/** A name without its mark. */
export type NameOf<P extends Patterns> = Unmarked<keyof P & string>;
type Unmarked<Name extends string> = Name extends `${infer Bare}?` | `${infer Bare}*` ? Bare : Name;
type Plain<Name> = Name extends `${string}?` | `${string}*` ? never : Name;

/** A T for each name. */
export type Named<P extends Patterns, T> = { readonly [N in keyof P as Plain<N>]: T } & {
  readonly [N in keyof P as N extends `${infer Bare}?` ? Bare : never]?: T | undefined;
} & { readonly [N in keyof P as N extends `${infer Bare}*` ? Bare : never]: readonly T[] };

/** Elements of what each name stands for: float64 for floats, Int32Array for integers. */
export type NamedValues<P extends Patterns> = { readonly [N in keyof P as Plain<N>]: ValuesOf<P[N]> } & {
  readonly [N in keyof P as N extends `${infer Bare}?` ? Bare : never]?: ValuesOf<P[N]> | undefined;
} & { readonly [N in keyof P as N extends `${infer Bare}*` ? Bare : never]: readonly ValuesOf<P[N]>[] };
type ValuesOf<P> = P extends `i32 ${string}` ? Int32Array : Float64Array;

/** Sizes by letter, and the shape that `...` stands for. */
export interface Matched {
  readonly sizes: Record<string, number>;
  shape?: readonly number[];
}

/** Reads the sizes off the inputs. @throws CriaError with all shapes and the patterns where a number of inputs, type or size does not fit. */
export function match(op: string, inputs: readonly TensorType[], patterns: Patterns): Matched {
  const matched: Matched = { sizes: {} };
  const fits = matchAll(inputs, patterns, matched);
  check(fits, op, () => `the inputs ${inputs.map(showType).join(", ")} must be ${showPatterns(patterns)}${showMatched(matched)}`);
  return matched;
}

function matchAll(inputs: readonly TensorType[], patterns: Patterns, matched: Matched): boolean {
  const names = expand(namesOf(patterns), inputs.length);
  if (names === undefined) return false;
  for (let i = 0; i < names.length; i++) if (!matchOne(inputs[i]!, patterns[names[i]!]!, matched)) return false;
  return true;
}

/** The type that a pattern stands for once its letters are known. */
export function typeOf(op: string, pattern: string, { sizes, shape }: Matched): TensorType {
  const { kind, axes } = parsed(pattern);
  const dtype = kind === "i32" ? "i32" : "f32";
  if (pattern === "...") return { dtype, shape: shape! };
  const known = (axis: string | number) => {
    const size = typeof axis === "number" ? axis : sizes[axis];
    check(size !== undefined, op, () => `no input and no rule of sizes says what ${axis} in "${pattern}" is: give it in sizes()`);
    return size;
  };
  return { dtype, shape: axes.map(known) };
}

/** Things by their names, from a list in the order of the patterns; the inverse of {@link listed}. */
export function named<T>(names: readonly string[], list: readonly T[]): Readonly<Record<string, T | readonly T[] | undefined>> {
  const byName: Record<string, T | readonly T[] | undefined> = {};
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    byName[bare(name)] = name.endsWith("*") ? list.slice(i) : list[i];
  }
  return byName;
}

/** Things in the order of the patterns; what is missing is left out. */
export function listed<T>(names: readonly string[], byName: Readonly<Record<string, T | readonly T[] | undefined>>): T[] {
  return names.flatMap((name) => {
    const found = byName[bare(name)];
    return found === undefined ? [] : (found as T | T[]);
  });
}

/** Where a name stands in the order of the patterns. */
export function placeOf(names: readonly string[], name: string): number {
  return names.findIndex((other) => bare(other) === name);
}

/** `f32 [2, 3]`, for messages. */
export function showType(type: TensorType): string {
  return `${type.dtype} ${showShape(type.shape)}`;
}

/** A name without its mark. */
export function bare(name: string): string {
  return name.endsWith("?") || name.endsWith("*") ? name.slice(0, -1) : name;
}

/** The names of each signature, so that they need not be listed again for every node. */
const listedNames = new WeakMap<Patterns, readonly string[]>();

/** The names of a signature, in its order. */
export function namesOf(patterns: Patterns): readonly string[] {
  const known = listedNames.get(patterns);
  if (known) return known;
  const names = Object.keys(patterns);
  listedNames.set(patterns, names);
  return names;
}

/** A name for each of `count` tensors; undefined where so many do not fit the names. */
function expand(names: readonly string[], count: number): readonly string[] | undefined {
  const last = names.at(-1);
  if (count === names.length) return names;
  const all = last?.endsWith("*")
    ? [...names.slice(0, -1), ...Array.from({ length: Math.max(1, count - names.length + 1) }, () => last)]
    : names;
  const fewest = all.filter((name) => !name.endsWith("?")).length;
  return count >= fewest && count <= all.length ? all.slice(0, count) : undefined;
}

interface Pattern {
  readonly kind: "f32" | "i32" | "weight" | "pool";
  /** Letters, and sizes that are fixed. */
  readonly axes: readonly (string | number)[];
}

/** A large graph asks for the same few patterns thousands of times. */
const patterns = new Map<string, Pattern>();

function parsed(pattern: string): Pattern {
  const known = patterns.get(pattern);
  if (known) return known;
  const made = parse(pattern);
  patterns.set(pattern, made);
  return made;
}

function parse(pattern: string): Pattern {
  const [first, ...rest] = pattern.split(" ");
  const axesOf = (parts: readonly string[]) => parts.map((part) => (/^\d/.test(part) ? Number(part) : part));
  if (first === "i32" || first === "weight" || first === "pool") return { kind: first, axes: axesOf(rest) };
  return { kind: "f32", axes: axesOf(pattern.split(" ")) };
}

/** An input as an op meets it: of a tensor, the role is known. */
type Input = TensorType & { readonly role?: Role };

function isOfKind({ dtype, role }: Input, kind: Pattern["kind"]): boolean {
  if (kind === "pool") return isStateDType(dtype);
  // States of other layouts than f32 are for ops that say "pool": a product would take such a state for a weight.
  if (kind === "weight" && dtype !== "f32") return dtype !== "i32" && role !== "state";
  return dtype === (kind === "i32" ? "i32" : "f32");
}

function matchOne(input: Input, pattern: string, matched: Matched): boolean {
  const { kind, axes } = parsed(pattern);
  if (!isOfKind(input, kind)) return false;
  if (pattern === "any") return true;
  if (pattern === "...") {
    matched.shape ??= input.shape;
    return sameShape(matched.shape, input.shape);
  }
  if (input.shape.length !== axes.length) return false;
  for (let i = 0; i < axes.length; i++) if (!matchSize(axes[i]!, input.shape[i]!, matched.sizes)) return false;
  return true;
}

function matchSize(axis: string | number, size: number, sizes: Record<string, number>): boolean {
  if (typeof axis === "number") return size === axis;
  sizes[axis] ??= size;
  return sizes[axis] === size;
}

function showPatterns(patterns: Patterns): string {
  return Object.entries(patterns)
    .map(([name, pattern]) => {
      const { kind, axes } = parsed(pattern);
      return `${name} ${kind === "f32" ? "" : `${kind} `}[${axes.join(", ")}]`;
    })
    .join(", ");
}

function showMatched({ sizes, shape }: Matched): string {
  const known = Object.entries(sizes).map(([letter, size]) => `${letter} = ${size}`);
  if (shape) known.push(`... = ${shape.join(", ")}`);
  return known.length > 0 ? ` (${known.join(", ")})` : "";
}
