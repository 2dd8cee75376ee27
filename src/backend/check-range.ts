import { check } from "../base/index.ts";

/** @throws CriaError unless `length` elements from `at` lie inside a buffer of `size`. */
export function checkRange({ name }: { readonly name: string }, at: number, length: number, size: number): void {
  check(
    at >= 0 && length >= 0 && at + length <= size,
    "backend",
    () => `elements ${at} to ${at + length} of "${name}" were asked for, but it has ${size}: ask for less`,
  );
}
