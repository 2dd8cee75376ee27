// metrics.jsonl: one JSON object per line, for a step, an evaluation, texts that the model wrote, or a change with which the run went on. What was written stays; only resuming cuts off what will come again.
import { constants } from "node:fs";
import { truncate } from "node:fs/promises";
import { dirname } from "node:path";
import { fail } from "../base/index.ts";
import { explainIo, type OpenHandle, openRegular, readWhole, syncFolder } from "../files/index.ts";
import type { RecipeChange, StepMetrics } from "../train/index.ts";

/** Written after a step; the same run gives the same bits, but for the last two. */
export type StepRow = Pick<StepMetrics, "step" | "loss" | "learningRate" | "gradientNorm" | "tokens" | "tokensPerSecond" | "seconds">;

/** A row of metrics about an evaluation. */
export interface EvaluationRow {
  /** Steps done before it. */
  readonly step: number;
  readonly heldOutLoss: number;
  readonly bitsPerByte: number;
  readonly seconds: number;
}

/** A text that the model wrote in training, behind a prompt. */
export interface WrittenText {
  readonly prompt: string;
  readonly text: string;
}

/** A row of metrics with what the model wrote. */
export interface SamplesRow {
  /** Steps done before it. */
  readonly step: number;
  readonly samples: readonly WrittenText[];
  readonly seconds: number;
}

/** Written when a run goes on with something other than its checkpoint was made with, and that was accepted. */
export interface ChangeRow {
  /** Steps done before it. */
  readonly step: number;
  readonly changed: readonly RecipeChange[];
}

/** A row of metrics.jsonl. */
export type MetricsRow = StepRow | EvaluationRow | SamplesRow | ChangeRow;

const where = "metrics";
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The open metrics.jsonl of a run, to which rows are added. */
export class MetricsLog implements AsyncDisposable {
  readonly path: string;
  /** What the file held when it was opened, after the cut. */
  readonly rows: readonly MetricsRow[];
  readonly #handle: OpenHandle;

  /**
   * Opens for appending, and makes the file when there is none.
   * @param step rows of later steps go, and evaluations at this one: the run does it first when it goes on
   * @throws CriaError when a row before that is not what this class writes
   */
  static async open(path: string, step: number): Promise<MetricsLog> {
    try {
      const { rows, bytes } = keep(path, await readOrNothing(path), step);
      await truncate(path, bytes).catch(unlessMissing);
      const { handle } = await openRegular(path, where, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT);
      if (bytes === 0) await syncFolder(dirname(path)); // it may be new, and must outlive a power cut as the checkpoints do
      return new MetricsLog(path, rows, handle);
    } catch (error) {
      throw explainIo(where, path, error);
    }
  }

  private constructor(path: string, rows: readonly MetricsRow[], handle: OpenHandle) {
    this.path = path;
    this.rows = rows;
    this.#handle = handle;
  }

  async append(row: MetricsRow): Promise<void> {
    await this.#explained(() => this.#handle.appendFile(`${JSON.stringify(row)}\n`));
  }

  /** What was appended outlives a power cut from here on. */
  async sync(): Promise<void> {
    await this.#explained(() => this.#handle.sync());
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #explained(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      throw explainIo(where, this.path, error);
    }
  }
}

/** The whole rows of a run's metrics, of a finished run or one at work. @throws CriaError when there is no such file or a row is none */
export async function readMetrics(path: string): Promise<readonly MetricsRow[]> {
  return keep(path, await readWhole(path, where, "metrics"), Number.POSITIVE_INFINITY).rows;
}

/** Whether a row is about a step. */
export function isStepRow(row: MetricsRow): row is StepRow {
  return "loss" in row;
}

/** Whether a row is about an evaluation. */
export function isEvaluationRow(row: MetricsRow): row is EvaluationRow {
  return "heldOutLoss" in row;
}

/** Whether a row holds texts that the model wrote. */
export function isSamplesRow(row: MetricsRow): row is SamplesRow {
  return "samples" in row;
}

/** Whether a row is about a change. */
export function isChangeRow(row: MetricsRow): row is ChangeRow {
  return "changed" in row;
}

async function readOrNothing(path: string): Promise<Uint8Array> {
  const content = await readWhole(path, where, "metrics").catch((error) => unlessMissing(error.cause ?? error));
  return content ?? new Uint8Array();
}

function unlessMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}

/** The rows from the start up to the first that must go, and the bytes they take. A line without an end was being written when the run died. */
function keep(path: string, content: Uint8Array, step: number): { rows: MetricsRow[]; bytes: number } {
  const rows: MetricsRow[] = [];
  let bytes = 0;
  for (let end = content.indexOf(10); end >= 0; end = content.indexOf(10, bytes)) {
    const row = parseRow(path, rows.length + 1, decoder.decode(content.subarray(bytes, end)));
    if (row.step > step || (row.step === step && isEvaluationRow(row))) break;
    rows.push(row);
    bytes = end + 1;
  }
  return { rows, bytes };
}

function parseRow(path: string, line: number, text: string): MetricsRow {
  try {
    const row = JSON.parse(text) as MetricsRow;
    if (Number.isSafeInteger(row.step)) return row;
  } catch {
    // It is said below.
  }
  return fail(
    where,
    `${path}:${line}: ${JSON.stringify(text.slice(0, 60))} is not a row of metrics: restore the line, or move the file away`,
  );
}
