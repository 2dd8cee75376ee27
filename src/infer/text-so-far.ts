// What steps between logits and a token may know of the text.

/** A prompt and the tokens behind it. */
export interface TextSoFar {
  /** Prompt and text. */
  readonly ids: readonly number[];
  readonly promptLength: number;
  /** How often each token stands in `ids`; tokens that do not are absent. */
  readonly counts: ReadonlyMap<number, number>;
  /** How often each token was written behind the prompt. */
  readonly written: ReadonlyMap<number, number>;
}

/** A text that takes a token at a time. */
export class GrowingText implements TextSoFar {
  readonly ids: number[] = [];
  readonly promptLength: number;
  readonly counts = new Map<number, number>();
  readonly written = new Map<number, number>();

  constructor(prompt: ArrayLike<number>) {
    this.promptLength = prompt.length;
    for (let i = 0; i < prompt.length; i++) this.push(prompt[i]!);
  }

  push(id: number): void {
    this.ids.push(id);
    count(this.counts, id);
    if (this.ids.length > this.promptLength) count(this.written, id);
  }
}

function count(counts: Map<number, number>, id: number): void {
  counts.set(id, (counts.get(id) ?? 0) + 1);
}

/** How often each of some tokens stands among them. */
export function countsOf(ids: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const id of ids) count(counts, id);
  return counts;
}
