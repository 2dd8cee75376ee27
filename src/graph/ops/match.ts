// Shape rules as patterns: a letter is a size, and the same letter is the same size wherever it stands (einops' notation).
import { check, type DType, showShape } from "../../base/index.ts";
import type { TensorType } from "../tensor.ts";

/** Input name → its sizes: `"M K"`, `"i32 N"` where the type is not f32, `"5"` for a fixed size; a name ending in `?` may be missing. */
export type Patterns = Readonly<Record<string, string>>;

type Letters<P extends string> = P extends `${infer First} ${infer Rest}`
  ? Letters<First> | Letters<Rest>
  : Exclude<P, DType | `${number}`>;

/** The sizes that the letters stand for. */
export type Sizes<P extends Patterns> = { readonly [Letter in Letters<P[keyof P]>]: number };

/** Reads the sizes off the inputs. @throws CriaError with all shapes and the pattern where a number of inputs, type or size does not fit. */
export function match<const P extends Patterns>(op: string, inputs: readonly TensorType[], patterns: P): Sizes<P> {
  const names = Object.keys(patterns);
  const fewest = names.filter((name) => !name.endsWith("?")).length;
  const sizes: Record<string, number> = {};
  const fits =
    inputs.length >= fewest &&
    inputs.length <= names.length &&
    inputs.every((input, i) => matchOne(input, (patterns[names[i]!] as string).split(" "), sizes));
  check(fits, op, () => `the inputs ${inputs.map(showType).join(", ")} must be ${showPatterns(patterns)}${showSizes(sizes)}`);
  return sizes as Sizes<P>;
}

/** The number of inputs of an op that takes any shapes. @throws CriaError */
export function matchCount(op: string, inputs: readonly TensorType[], names: string): void {
  const expected = names.split(" ").length;
  check(inputs.length === expected, op, () => `has ${inputs.length} inputs, but takes ${expected}: ${names}`);
}

/** `f32 [2, 3]`, for messages. */
export function showType(type: TensorType): string {
  return `${type.dtype} ${showShape(type.shape)}`;
}

function matchOne(input: TensorType, pattern: string[], sizes: Record<string, number>): boolean {
  const dtype = pattern[0] === "i32" ? pattern.shift() : "f32";
  if (input.dtype !== dtype || input.shape.length !== pattern.length) return false;
  return pattern.every((letter, axis) => {
    const size = input.shape[axis]!;
    if (/^\d/.test(letter)) return size === Number(letter);
    sizes[letter] ??= size;
    return sizes[letter] === size;
  });
}

function showPatterns(patterns: Patterns): string {
  return Object.entries(patterns)
    .map(([name, pattern]) => `${name} ${pattern.startsWith("i32") ? "i32 " : ""}[${pattern.replace("i32 ", "").replaceAll(" ", ", ")}]`)
    .join(", ");
}

function showSizes(sizes: Record<string, number>): string {
  const known = Object.entries(sizes).map(([letter, size]) => `${letter} = ${size}`);
  return known.length > 0 ? ` (${known.join(", ")})` : "";
}
