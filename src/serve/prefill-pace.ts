// How many rows of prompts a pass reads while texts are written: so many that the pass takes a wanted time, by what passes took last
// (Agrawal et al. 2024, arXiv 2403.02310, who fix the number by such a measurement beforehand).

/** Seconds that a pass may take while a text is written. */
const mostSeconds = 0.15;
/** A pass with rows of prompts may also take so many times as long as one without: texts then come at a third of their speed, at worst. */
const mostTimesAlone = 2.5;
const leastRows = 16;
const mostRows = 512;
/** The share of a new measurement in an average. */
const share = 1 / 4;

/** What is paced: passes and rows so far, and how many rows a pass may have beside decoding. */
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
  /** Texts that are being written, each of which has a row in a pass. */
  #texts = 0;
  /** Seconds of a pass that only writes. */
  #alone: number | undefined;
  /** Seconds that a prompt's row adds to a pass. */
  #perRow: number | undefined;

  constructor(paced: Paced) {
    this.#paced = paced;
  }

  /** A text begins to be written; it ends when what is given back is disposed of. */
  begin(): Disposable {
    this.#texts++;
    return { [Symbol.dispose]: () => void this.#texts-- };
  }

  /** @param seconds the time now */
  mark(seconds: number): PaceMark {
    const { rows, passes } = this.#paced.counts;
    return { seconds, rows, passes };
  }

  /** A text's next token has come: the one pass between the two says what passes take, and how many rows of prompts the next may have. */
  next(before: PaceMark, now: PaceMark): void {
    if (now.passes - before.passes !== 1) return;
    const seconds = now.seconds - before.seconds;
    const promptRows = now.rows - before.rows - this.#texts;
    if (promptRows <= 0) this.#alone = averaged(this.#alone, seconds);
    else if (promptRows >= leastRows / 2) this.#learn(seconds, promptRows);
  }

  #learn(seconds: number, promptRows: number): void {
    const alone = this.#alone ?? 0;
    this.#perRow = averaged(this.#perRow, Math.max(0, seconds - alone) / promptRows);
    const wanted = alone === 0 ? mostSeconds : Math.min(mostSeconds, mostTimesAlone * alone);
    const rows = Math.floor((wanted - alone) / this.#perRow);
    this.#paced.mixedRows = Math.min(mostRows, this.#texts + Math.max(leastRows, rows));
  }
}

function averaged(before: number | undefined, measured: number): number {
  return before === undefined ? measured : before + share * (measured - before);
}
