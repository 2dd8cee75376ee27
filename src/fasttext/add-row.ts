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

/** Adds so many rows of a matrix, each column from the first row to the last: the sums of four columns stay in registers. */
export function addRows(total: Float64Array, values: Float32Array, rows: Int32Array, count: number): void {
  const columns = total.length;
  let column = 0;
  for (; column + 3 < columns; column += 4) {
    let [a, b, c, d] = [total[column]!, total[column + 1]!, total[column + 2]!, total[column + 3]!];
    for (let i = 0; i < count; i++) {
      const at = rows[i]! * columns + column;
      a += values[at]!;
      b += values[at + 1]!;
      c += values[at + 2]!;
      d += values[at + 3]!;
    }
    total[column] = a;
    total[column + 1] = b;
    total[column + 2] = c;
    total[column + 3] = d;
  }
  for (; column < columns; column++) for (let i = 0; i < count; i++) total[column]! += values[rows[i]! * columns + column]!;
}
