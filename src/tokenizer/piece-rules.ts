// Which pairs of symbols may become a piece.

/** The rules of one training. A symbol is the index of its piece in the order in which the pieces are added. */
export interface PieceRules {
  /** Takes in the next symbol: those of the alphabet first, then every merged one. */
  add(piece: string): void;
  mayMerge(left: number, right: number): boolean;
}

/** Every pair may merge whose piece is none of `reserved`. */
export class UnreservedPieces implements PieceRules {
  readonly #reserved: ReadonlySet<string>;
  readonly #lastUnits: ReadonlySet<string>;
  readonly #pieces: string[] = [];
  readonly #mayEndReserved: boolean[] = [];

  constructor(reserved: readonly string[]) {
    this.#reserved = new Set(reserved);
    this.#lastUnits = new Set(reserved.map((piece) => piece.slice(-1)));
  }

  add(piece: string): void {
    this.#pieces.push(piece);
    this.#mayEndReserved.push(this.#lastUnits.has(piece.slice(-1)));
  }

  mayMerge(left: number, right: number): boolean {
    return !(this.#mayEndReserved[right] && this.#reserved.has(this.#pieces[left]! + this.#pieces[right]!));
  }
}
