// Finding special and added pieces in a text, as Hugging Face does (huggingface/tokenizers, added_vocabulary.rs): at every place the longest
// piece that begins there, from left to right, each with its own conditions.

/** How one piece is found. All that is absent is false. */
export interface PieceMatching {
  readonly id: number;
  /** Sought in the text as the normaliser leaves it, so with the spaces and prefixes that it makes, and not before. */
  readonly normalized?: boolean;
  /** Sought in that text too, but as it is spelt, and kept from the normaliser before: a piece that SentencePiece calls user-defined. */
  readonly verbatim?: boolean;
  /** Takes the white space in front along. */
  readonly lstrip?: boolean;
  /** Takes the white space behind along. */
  readonly rstrip?: boolean;
  /** Only where no letter, mark, digit or connector touches it. */
  readonly singleWord?: boolean;
  /** It is one character, and also a piece of the vocabulary, which text becomes where the piece is not found by these rules. */
  readonly inVocabulary?: boolean;
}

/** A piece to find, spelt as it stands in the text that is searched. */
export interface SoughtPiece extends PieceMatching {
  readonly spelling: string;
  /** Found only where special pieces are asked for. */
  readonly isSpecial: boolean;
}

/** Says of a piece whether it may stand there, by where it begins and ends, in UTF-16 units, and whether it is a special or an added one. */
export type AllowsPiece = (start: number, end: number, isSpecial: boolean) => boolean;

/** Which special pieces are found in a text: all, none, or those that are allowed, where added pieces are asked for too. */
export type ParseSpecial = boolean | AllowsPiece;

interface Node {
  readonly next: Map<number, Node>;
  piece?: SoughtPiece;
}

/** Rust's `\w` and `\s`, which decide there. */
const wordBefore = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u;
const wordBehind = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;
const white = /^\p{White_Space}$/u;

/** Finds special and added pieces in a text. */
export class PieceMatcher {
  readonly #root: Node = { next: new Map() };
  readonly #keepsSpace: boolean;
  /** Whether a piece begins with the UTF-16 unit: most places of a text are passed over by this alone. */
  readonly #begins = new Uint8Array(0x10000);
  readonly #hasPlain: boolean;
  /** How many UTF-16 units the longest spelling has. */
  readonly longest: number;

  /**
   * @param pieces of two with one spelling the first counts
   * @param keepsSpace U+0020 stands for another character, ▁, and is no white space
   */
  constructor(pieces: readonly SoughtPiece[], keepsSpace = false) {
    this.#keepsSpace = keepsSpace;
    this.longest = pieces.reduce((longest, { spelling }) => Math.max(longest, spelling.length), 0);
    this.#hasPlain = pieces.some(({ spelling, isSpecial }) => spelling !== "" && !isSpecial);
    for (const piece of pieces) if (piece.spelling !== "") this.#add(piece);
  }

  get isEmpty(): boolean {
    return this.#root.next.size === 0;
  }

  /** Whether no piece is found in any text. */
  findsNone(specials: ParseSpecial): boolean {
    return this.isEmpty || (specials === false && !this.#hasPlain);
  }

  /** Calls back with what lies between pieces and with the pieces' ids, in order. A special piece is passed over unless `specials`. */
  each(text: string, specials: ParseSpecial, between: (start: number, end: number) => void, found: (id: number) => void): void {
    const allows = typeof specials === "function" ? specials : undefined;
    let done = 0;
    let whiteEnd = 0; // where the last run of white space ended, so that no run is walked over twice
    for (let at = this.findsNone(specials) ? text.length : 0; at < text.length; ) {
      const piece = this.#begins[text.charCodeAt(at)] === 1 ? this.#longestAt(text, at, allows) : undefined;
      if (piece === undefined) {
        at++;
        continue;
      }
      const end = at + piece.spelling.length;
      if ((specials !== false || !piece.isSpecial) && !(piece.singleWord && touchesWord(text, at, end))) {
        // White space that the piece before has swallowed is sought once more, but a piece takes along what is left of it only.
        const start = piece.lstrip ? this.#startOfWhite(text, done, at) : at;
        if (start > done) between(done, start);
        if (piece.rstrip) whiteEnd = this.#endOfWhite(text, Math.max(whiteEnd, end));
        done = piece.rstrip ? whiteEnd : end;
        if (done > start) found(piece.id);
      }
      at = end;
    }
    if (done < text.length) between(done, text.length);
  }

  /** Whether a piece is spelt in the text such that it begins at `place` or before, and ends there or behind, whether it would be found or not. */
  touches(text: string, place: number): boolean {
    for (let start = 0; start <= place; start++) {
      let node = this.#root.next.get(text.charCodeAt(start));
      for (let at = start + 1; node !== undefined; at++) {
        if (node.piece !== undefined && at >= place) return true;
        node = node.next.get(text.charCodeAt(at));
      }
    }
    return false;
  }

  #add(piece: SoughtPiece): void {
    this.#begins[piece.spelling.charCodeAt(0)] = 1;
    let node = this.#root;
    for (let i = 0; i < piece.spelling.length; i++) {
      const unit = piece.spelling.charCodeAt(i);
      const next: Node = node.next.get(unit) ?? { next: new Map() };
      node.next.set(unit, next);
      node = next;
    }
    node.piece ??= piece;
  }

  /** A piece that `allows` refuses hides no shorter one. */
  #longestAt(text: string, start: number, allows?: AllowsPiece): SoughtPiece | undefined {
    let longest: SoughtPiece | undefined;
    let node = this.#root.next.get(text.charCodeAt(start));
    for (let at = start + 1; node !== undefined; at++) {
      if (node.piece !== undefined && (allows === undefined || allows(start, at, node.piece.isSpecial))) longest = node.piece;
      node = at < text.length ? node.next.get(text.charCodeAt(at)) : undefined;
    }
    return longest;
  }

  /** The first of the white space in front of `end`, at `least` or after; `least` where that lies behind `end`. */
  #startOfWhite(text: string, least: number, end: number): number {
    let at = Math.max(least, end);
    while (at > least && this.#isWhite(text[at - 1]!)) at--;
    return at;
  }

  #endOfWhite(text: string, start: number): number {
    let at = start;
    while (at < text.length && this.#isWhite(text[at]!)) at++;
    return at;
  }

  /** White space is all below U+10000. */
  #isWhite(char: string): boolean {
    return white.test(char) && !(this.#keepsSpace && char === " ");
  }
}

function touchesWord(text: string, start: number, end: number): boolean {
  return wordBefore.test(text.slice(Math.max(0, start - 2), start)) || wordBehind.test(text.slice(end, end + 2));
}
