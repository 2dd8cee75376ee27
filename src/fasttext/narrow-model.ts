// A model with as few columns as labels. A text's scores are the output matrix times the mean of its rows, which is the mean of the output matrix times each
// row: where there are fewer labels than columns, the rows' scores take the rows' place, and a text is the sum of fewer numbers.
import type { FastTextModel, Matrix } from "./read-model.ts";
import { sharedFloats } from "./shared-buffer.ts";

/** The model itself, or one with the same scores for every text whose rows are scores, and whose output matrix is the identity. */
export function narrowModel(model: FastTextModel): FastTextModel {
  const { input, output } = model;
  if (output.rows >= input.columns) return model;
  return { ...model, input: timesTransposed(input, output), output: identity(output.rows) };
}

/** a · bᵀ, [rows of a, rows of b]; each number is a sum in float64, rounded to float32. */
function timesTransposed(a: Matrix, b: Matrix): Matrix {
  const values = sharedFloats(a.rows * b.rows);
  for (let row = 0, at = 0; row < a.rows; row++)
    for (let column = 0; column < b.rows; column++, at++) {
      let sum = 0;
      for (let i = 0, from = row * a.columns, by = column * a.columns; i < a.columns; i++) sum += a.values[from + i]! * b.values[by + i]!;
      values[at] = sum;
    }
  return { rows: a.rows, columns: b.rows, values };
}

function identity(size: number): Matrix {
  const values = new Float32Array(size * size);
  for (let i = 0; i < size; i++) values[i * size + i] = 1;
  return { rows: size, columns: size, values };
}
