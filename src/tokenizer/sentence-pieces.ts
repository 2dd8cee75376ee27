// Which pieces SentencePiece's trainer makes (sentencepiece, trainer_interface.cc, IsValidSentencePiece), asked of a pair's two parts.
import { spaceMark } from "./model.ts";
import type { PieceRules } from "./piece-rules.ts";
import { anyScript, isDigit, scriptOf } from "./split-sentence.ts";

/** Which pieces SentencePiece's trainer may make. */
export interface SentencePieceLimits {
  /** The most characters of a piece, the ▁ included. */
  readonly maxPieceLength: number;
  readonly splitDigits: boolean;
  readonly splitByUnicodeScript: boolean;
  readonly allowWhitespaceOnlyPieces: boolean;
}

const noSpace = 0;
const leadingSpace = 1;
const onlySpaces = 2;

/** Says which pairs may become a piece, under SentencePiece's limits. */
export class SentencePieces implements PieceRules {
  readonly #limits: SentencePieceLimits;
  // One entry per symbol.
  readonly #lengths: number[] = [];
  readonly #spaces: number[] = [];
  readonly #scripts: number[] = [];
  readonly #isDigit: boolean[] = [];

  constructor(limits: SentencePieceLimits) {
    this.#limits = limits;
  }

  add(piece: string): void {
    const characters = Array.from(piece, (char) => char.codePointAt(0) ?? 0);
    this.#lengths.push(characters.length);
    this.#spaces.push(!piece.startsWith(spaceMark) ? noSpace : piece.endsWith(spaceMark) ? onlySpaces : leadingSpace);
    this.#scripts.push(characters.map(scriptOf).find((script) => script !== anyScript) ?? anyScript);
    this.#isDigit.push(characters.some(isDigit));
  }

  mayMerge(left: number, right: number): boolean {
    const { maxPieceLength, splitDigits } = this.#limits;
    if (this.#lengths[left]! + this.#lengths[right]! > maxPieceLength) return false;
    if (splitDigits && (this.#isDigit[left] || this.#isDigit[right])) return false;
    return this.#spacesFit(left, right) && this.#scriptsFit(left, right);
  }

  /** A ▁ stands in front of a piece, once, or the piece is nothing but ▁. */
  #spacesFit(left: number, right: number): boolean {
    if (this.#spaces[left] !== onlySpaces) return this.#spaces[right] === noSpace;
    if (this.#spaces[right] === noSpace) return this.#lengths[left] === 1;
    return this.#spaces[right] === onlySpaces && this.#limits.allowWhitespaceOnlyPieces;
  }

  /** A piece is of one script; ▁ and combining marks go with any. */
  #scriptsFit(left: number, right: number): boolean {
    const [a, b] = [this.#scripts[left], this.#scripts[right]];
    return !this.#limits.splitByUnicodeScript || a === b || a === anyScript || b === anyScript;
  }
}
