// The sum over rows of a matrix, where most of the time goes.

/** Adds a row of a matrix to a total of as many numbers, four at a time: fewer instructions per number let a processor wait for several rows at once. */
export function addRow(total: Float64Array, values: Float32Array, row: number): void {
  const columns = total.length;
  let [i, at] = [0, row * columns];
  for (; i + 3 < columns; i += 4, at += 4) {
    total[i]! += values[at]!;
    total[i + 1]! += values[at + 1]!;
    total[i + 2]! += values[at + 2]!;
    total[i + 3]! += values[at + 3]!;
  }
  for (; i < columns; i++, at++) total[i]! += values[at]!;
}
