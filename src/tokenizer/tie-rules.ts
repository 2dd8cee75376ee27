// Which of two equally frequent pairs merges first. The field has several rules; each goes by content alone, so that the order of documents
// does not matter.

/** What a rule may ask of a symbol. Symbols are numbered in the order in which they come to be: the alphabet first, then merges. */
export interface SymbolTexts {
  /** How many characters the piece has, or bytes, where pieces are made of bytes. */
  lengthOf(symbol: number): number;
  /** The piece's bytes, one unit of the string for each, so that `<` compares bytes. */
  bytesOf(symbol: number): string;
}

/** Whether the first pair goes before the second. */
type GoesBefore = (texts: SymbolTexts, leftA: number, rightA: number, leftB: number, rightB: number) => boolean;

const rules = {
  /** SentencePiece's rule: the shorter piece, then the one whose bytes come first; of two ways to spell one piece, that with the shorter left part. */
  "shorter-piece": (texts, leftA, rightA, leftB, rightB) => {
    const longer = texts.lengthOf(leftA) + texts.lengthOf(rightA) - texts.lengthOf(leftB) - texts.lengthOf(rightB);
    if (longer !== 0) return longer < 0;
    const pieceA = texts.bytesOf(leftA) + texts.bytesOf(rightA);
    const pieceB = texts.bytesOf(leftB) + texts.bytesOf(rightB);
    return pieceA === pieceB ? texts.lengthOf(leftA) < texts.lengthOf(leftB) : pieceA < pieceB;
  },
  /** The greater pair, left parts compared before right ones, byte by byte, as Stanford's CS336 asks for and Python's `max` over (count, pair) gives. */
  "greater-pair": (texts, leftA, rightA, leftB, rightB) =>
    leftA === leftB ? texts.bytesOf(rightA) > texts.bytesOf(rightB) : texts.bytesOf(leftA) > texts.bytesOf(leftB),
  /** The pair of the smaller left id, then of the smaller right id, the rule of huggingface/tokenizers over its own ids. */
  "smallest-ids": (_texts, leftA, rightA, leftB, rightB) => (leftA === leftB ? rightA < rightB : leftA < leftB),
} as const satisfies Record<string, GoesBefore>;

/** The name of a rule for ties. */
export type TieRule = keyof typeof rules;

/** The names of all rules for ties. */
export const tieRules: readonly TieRule[] = ["shorter-piece", "greater-pair", "smallest-ids"];

/** The rule of a name. */
export function goesBeforeBy(rule: TieRule): GoesBefore {
  return rules[rule];
}
