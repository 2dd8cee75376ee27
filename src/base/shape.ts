// Static shapes: a list of positive sizes, the last one contiguous.

/** The sizes of a tensor; empty for a scalar. */
export type Shape = readonly number[];

/** Number of elements; 1 for a scalar's empty shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** `[2, 3]`, for messages. */
export function showShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** Whether two shapes have the same sizes in the same order. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}
