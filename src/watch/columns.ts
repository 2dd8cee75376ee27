// The rows of a run's metrics as columns of numbers, in as much memory as they need and no more.

/** Numbers that a row about a step has. */
export const stepColumns = ["step", "loss", "learningRate", "gradientNorm", "tokens", "tokensPerSecond", "seconds"] as const;
/** See {@link stepColumns}. */
export type StepColumn = (typeof stepColumns)[number];

/** Columns of equal length that grow, and are cut where rows come again. */
export class Columns {
  readonly #columns = new Map(stepColumns.map((name) => [name, new Float64Array(1024)]));
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The column's numbers, a view that is good until the next row. */
  column(name: StepColumn): Float64Array {
    return (this.#columns.get(name) ?? new Float64Array()).subarray(0, this.#length);
  }

  /** Appends a row, whose loss JSON has as null where it was no number. A run that went on from a checkpoint does steps again: those that stood there go. */
  push(row: Readonly<Record<StepColumn, number | null>>): void {
    const steps = this.column("step");
    while (this.#length > 0 && (steps[this.#length - 1] ?? 0) >= (row.step ?? 0)) this.#length--;
    for (const [name, values] of this.#columns) {
      const roomy = this.#length < values.length ? values : doubled(values);
      roomy[this.#length] = row[name] ?? Number.NaN;
      this.#columns.set(name, roomy);
    }
    this.#length++;
  }
}

function doubled(values: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(2 * values.length);
  larger.set(values);
  return larger;
}
