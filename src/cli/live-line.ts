// One line on the terminal that tells how far long work is. A narrow terminal loses the bar first, then what is between the numbers, then the
// notes from the last on.
import type { ProgressEvent } from "../base/index.ts";

/** What one training step reports. */
export interface TrainingMetrics {
  readonly loss: number;
  readonly learningRate: number;
  readonly gradientNorm: number;
  readonly tokensPerSecond: number;
  /** Model FLOPs over the machine's measured matmul rate, 0 to 1. */
  readonly matmulShare?: number;
}

/** The note of a training step's {@link ProgressEvent}: the most wanted number first, because a narrow terminal drops the last. */
export function trainingNote(metrics: TrainingMetrics): string {
  const parts = [
    `loss ${metrics.loss.toFixed(3)}`,
    `lr ${metrics.learningRate.toExponential(1)}`,
    `grad ${metrics.gradientNorm.toPrecision(2)}`,
    `${short(metrics.tokensPerSecond)} tokens/s`,
  ];
  if (metrics.matmulShare !== undefined) parts.push(`${Math.round(metrics.matmulShare * 100)} % of matmul`);
  return parts.join(noteSeparator);
}

const noteSeparator = " · ";
const barCells = 16;

/**
 * `training ━━━━──────────── 120/1500 steps · loss 3.214 · 12.3k tokens/s · ETA 3:12` in at most `width` columns.
 * @param etaSeconds undefined while nothing can be said.
 */
export function formatProgress(event: ProgressEvent, etaSeconds: number | undefined, width: number): string {
  const { done, total, unit } = event;
  const count = `${total === undefined ? count3(done) : `${count3(done)}/${count3(total)}`} ${unit}`;
  const bar = total === undefined ? [] : [drawBar(done / Math.max(1, total))];
  const notes = event.note?.split(noteSeparator) ?? [];
  const eta = etaSeconds === undefined ? [] : [`ETA ${clock(etaSeconds)}`];
  const line = (parts: readonly string[]) => `${event.task} ${parts.join(noteSeparator)}`;
  const candidates = [`${[event.task, ...bar].join(" ")} ${[count, ...notes, ...eta].join(noteSeparator)}`];
  candidates.push(line([count, ...notes, ...eta]));
  if (notes.length > 1) candidates.push([count, ...notes, ...eta].join(" ").replace(` ${unit} `, " "));
  for (let kept = notes.length - 1; kept >= 0; kept--) candidates.push(line([count, ...notes.slice(0, kept), ...eta]));
  candidates.push(line([count]));
  return candidates.find((candidate) => columns(candidate) <= width) ?? cut(line([count]), width);
}

/** Seconds left if the rest goes as fast as what was done since `first`; undefined without a total or before anything was done. */
export function secondsLeft(first: Timed, now: Timed): number | undefined {
  const { done, total } = now.event;
  const did = done - first.event.done;
  const took = now.at - first.at;
  if (total === undefined || did <= 0 || took <= 0) return undefined;
  return ((total - done) / did) * (took / 1000);
}

/** A {@link ProgressEvent} and when it came, in milliseconds. */
export interface Timed {
  readonly event: ProgressEvent;
  readonly at: number;
}

/** How fast a task goes, by the first event of it that came. */
export class Pace {
  #first: Timed | undefined;

  /** Seconds left of the task of an event, as {@link secondsLeft} has them. */
  left(now: Timed): number | undefined {
    const { event } = now;
    if (this.#first?.event.task !== event.task || event.done < this.#first.event.done) this.#first = now;
    return secondsLeft(this.#first, now);
  }
}

/** Where the line is drawn: `process.stderr`, or a stand-in. */
export interface LineStream {
  write(text: string): unknown;
  readonly columns?: number | undefined;
}

const redrawMs = 100;

/** Draws at most ten times per second. Call {@link clear} before anything else is written to the same terminal. */
export class LiveLine {
  readonly #stream: LineStream;
  readonly #now: () => number;
  readonly #pace = new Pace();
  #drawnAt = Number.NEGATIVE_INFINITY;
  #visible = false;

  constructor(stream: LineStream, now: () => number = () => performance.now()) {
    this.#stream = stream;
    this.#now = now;
  }

  update(event: ProgressEvent): void {
    const now: Timed = { event, at: this.#now() };
    const left = this.#pace.left(now);
    if (now.at - this.#drawnAt < redrawMs) return;
    this.#drawnAt = now.at;
    // A column stays free: some terminals wrap when the last one is written.
    const line = formatProgress(event, left, (this.#stream.columns || 80) - 1);
    this.#stream.write(`\r${line}\x1b[K`);
    this.#visible = true;
  }

  /** Takes the line away; the next update draws it again. */
  clear(): void {
    if (!this.#visible) return;
    this.#stream.write("\r\x1b[K");
    this.#visible = false;
    this.#drawnAt = Number.NEGATIVE_INFINITY;
  }
}

function drawBar(share: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * barCells);
  return "━".repeat(full) + "─".repeat(barCells - full);
}

/** 950, 12.3k, 4.56M: three digits. */
function short(value: number): string {
  for (const [size, suffix] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const)
    if (value >= size) return `${(value / size).toPrecision(3)}${suffix}`;
  return value.toFixed(0);
}

/** Steps and files exactly, bytes by three digits. */
function count3(value: number): string {
  return value < 100_000 ? String(Math.round(value)) : short(value);
}

/** 0:07, 3:12, 1:02:03. */
function clock(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const tail = String(whole % 60).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/** Every character of ours is one column wide. */
function columns(text: string): number {
  return [...text].length;
}

function cut(text: string, width: number): string {
  return columns(text) <= width ? text : `${[...text].slice(0, Math.max(0, width - 1)).join("")}…`;
}
