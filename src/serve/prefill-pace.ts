// How many rows of prompts a pass reads while others are writing: so many that the pass takes a wanted time, at the rate that was measured last
// (Agrawal et al. 2024, arXiv 2403.02310, who fix the number of tokens by such a measurement beforehand).

/** Seconds that a pass may take while a text is written. */
const wantedSeconds = 0.15;
const leastRows = 16;
const mostRows = 512;
/** The share of a new measurement in the average. */
const share = 1 / 4;

/** What is paced: rows computed so far, and how many a pass may have beside decoding. */
export interface Paced {
  readonly counts: { readonly rows: number; readonly passes: number };
  mixedRows: number;
}

/** Where a text's last token left off. */
export interface PaceMark {
  readonly seconds: number;
  readonly rows: number;
  readonly passes: number;
}

/** Paces prompts by what happens between two tokens of a text. */
export class PrefillPace {
  readonly #paced: Paced;
  #secondsPerRow: number | undefined;

  constructor(paced: Paced) {
    this.#paced = paced;
  }

  /** @param seconds the time now */
  mark(seconds: number): PaceMark {
    const { rows, passes } = this.#paced.counts;
    return { seconds, rows, passes };
  }

  /** A text's next token has come. Where the one pass between the two had prompts beside it, its time says how many rows the next one may have. */
  next(before: PaceMark, now: PaceMark): void {
    const rows = now.rows - before.rows;
    if (now.passes - before.passes !== 1 || rows < leastRows) return;
    const measured = (now.seconds - before.seconds) / rows;
    this.#secondsPerRow = this.#secondsPerRow === undefined ? measured : this.#secondsPerRow + share * (measured - this.#secondsPerRow);
    this.#paced.mixedRows = Math.max(leastRows, Math.min(mostRows, Math.floor(wantedSeconds / this.#secondsPerRow)));
  }
}
