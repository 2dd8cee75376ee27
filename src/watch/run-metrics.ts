// The metrics of a run that may be at work: what was appended is read when it is asked for, so that a look costs what is new.
import { fail } from "../base/index.ts";
import { explainIo, type OpenHandle, openRegular } from "../files/index.ts";
import { type EvaluationRow, isEvaluationRow, isSamplesRow, isStepRow, type MetricsRow, type SamplesRow } from "../runs/index.ts";
import { Columns } from "./columns.ts";

const where = "watch";
const newline = 10;
/** Bytes that are read at a time. */
const partBytes = 1 << 20;
/** Rows end with times, so that no two runs have the same bytes there. */
const endBytes = 200;
/** Texts are kept of so many steps, spread over the whole run, the first and the last one among them; a run may write thousands. */
const keptSamples = 200;

/** What a run's metrics.jsonl holds so far. */
export class RunMetrics {
  readonly #path: string;
  #bytes = 0;
  /** The last bytes that were read, by which one sees that they are there yet. */
  #end = new Uint8Array();
  #rest = new Uint8Array();
  #steps = new Columns();
  #evaluations: EvaluationRow[] = [];
  #samples: SamplesRow[] = [];
  #reading: Promise<boolean> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  get steps(): Columns {
    return this.#steps;
  }

  get evaluations(): readonly EvaluationRow[] {
    return this.#evaluations;
  }

  /** Texts of steps that are spread over the whole run, the first and the newest ones among them. */
  get samples(): readonly SamplesRow[] {
    return this.#samples;
  }

  /** Reads what is new; looks at the same time share one reading. @returns whether there was anything. @throws CriaError when the file cannot be read */
  refresh(): Promise<boolean> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<boolean> {
    try {
      const { handle, size } = await openRegular(this.#path, where);
      try {
        if (!(await this.#isThereYet(handle, size))) this.#forget();
        const before = this.#bytes;
        const part = new Uint8Array(Math.min(partBytes, size - this.#bytes));
        while (this.#bytes < size) {
          const { bytesRead } = await handle.read(part, 0, Math.min(part.length, size - this.#bytes), this.#bytes);
          if (bytesRead === 0) break;
          this.#take(part.slice(0, bytesRead));
        }
        return this.#bytes !== before;
      } finally {
        await handle.close();
      }
    } catch (error) {
      const explained = explainIo(where, this.#path, error);
      if ((explained.cause as NodeJS.ErrnoException | undefined)?.code === "ENOENT") return false; // no step was done yet
      throw explained;
    }
  }

  /** Whether the file goes on from what was read: resuming may have cut it, and written other rows since. */
  async #isThereYet(handle: OpenHandle, size: number): Promise<boolean> {
    const from = this.#bytes - this.#end.length;
    if (size < this.#bytes) return false;
    const found = new Uint8Array(this.#end.length);
    const { bytesRead } = await handle.read(found, 0, found.length, from);
    return bytesRead === found.length && found.every((byte, i) => byte === this.#end[i]);
  }

  #forget(): void {
    [this.#bytes, this.#end, this.#rest, this.#steps] = [0, new Uint8Array(), new Uint8Array(), new Columns()];
    [this.#evaluations, this.#samples] = [[], []];
  }

  #take(part: Uint8Array): void {
    const bytes = joined(this.#rest, part);
    let from = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, from)) {
      this.#add(parseRow(this.#path, bytes.subarray(from, end)));
      from = end + 1;
    }
    this.#rest = bytes.slice(from);
    this.#end = joined(this.#end, part).slice(-endBytes);
    this.#bytes += part.length;
  }

  #add(row: MetricsRow): void {
    if (isStepRow(row)) {
      this.#steps.push(row);
      this.#evaluations = before(this.#evaluations, row.step);
      this.#samples = before(this.#samples, row.step);
    } else if (isEvaluationRow(row)) this.#evaluations = [...before(this.#evaluations, row.step), row];
    else if (isSamplesRow(row)) {
      this.#samples.push(row);
      if (this.#samples.length > keptSamples) this.#samples.splice(mostCrowded(this.#samples), 1);
    }
  }
}

/** The rows before a step; the same list where all are, as they nearly always are. */
function before<Row extends { readonly step: number }>(rows: Row[], step: number): Row[] {
  return rows.every((row) => row.step < step) ? rows : rows.filter((row) => row.step < step);
}

/** The place of the row whose neighbours are closest to each other, neither the first nor the last one. */
function mostCrowded(rows: readonly { readonly step: number }[]): number {
  const gap = (place: number) => (rows[place + 1]?.step ?? Number.POSITIVE_INFINITY) - (rows[place - 1]?.step ?? 0);
  let found = 1;
  for (let place = 2; place < rows.length - 1; place++) if (gap(place) < gap(found)) found = place;
  return found;
}

function parseRow(path: string, line: Uint8Array): MetricsRow {
  const text = new TextDecoder().decode(line);
  try {
    const row = JSON.parse(text) as MetricsRow | null;
    if (row !== null && Number.isSafeInteger(row.step)) return row;
  } catch {
    // It is said below.
  }
  return fail(where, `${path}: ${JSON.stringify(text.slice(0, 60))} is not a row of metrics: restore the line, or move the file away`);
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
