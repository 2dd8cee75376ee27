// Long work tells how far it is by calling back; only the command line prints.

/** How far one task is. */
export interface ProgressEvent {
  /** What is being done, e.g. "training tokenizer". */
  readonly task: string;
  readonly done: number;
  /** Absent when unknown. */
  readonly total?: number;
  /** What `done` counts: "bytes", "steps", "merges", … */
  readonly unit: string;
  /** Free text behind the bar, e.g. "loss 3.21". */
  readonly note?: string;
}

/** Called from time to time while long work goes on, and at its end. */
export type OnProgress = (event: ProgressEvent) => void;
