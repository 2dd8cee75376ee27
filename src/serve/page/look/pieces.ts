// How a text becomes the pieces of a model's tokenizer, as the page shows it: boxes, and the merges of each word.
import { validUpTo } from "../../../base/index.ts";
import { type ExplainedWord, type Explanation, explainer, type Tokenizer } from "../../../tokenizer/index.ts";

/** A piece in a text. */
export interface LookPiece {
  readonly id: number;
  /** What it decodes to; absent where its bytes end in the middle of a character. */
  readonly text?: string;
  /** Its bytes as hexadecimal digits. */
  readonly bytes: string;
  readonly isSpecial: boolean;
}

/** A word, and how its pieces came about. */
export interface LookWord {
  readonly pieces: readonly LookPiece[];
  /** What merging begins with, as the vocabulary writes it. */
  readonly symbols: readonly string[];
  /** The word is a piece and was taken as that. */
  readonly isWhole: boolean;
  readonly merges: readonly LookMerge[];
  /** The best ways of a unigram model, the first of which is taken. */
  readonly ways: readonly LookWay[];
}

/** A merge joins the symbol at a place and the one behind it. */
export interface LookMerge {
  readonly at: number;
  /** What stands there behind the merge. */
  readonly result: string;
  /** Lower goes first; with scores it is the score, and higher goes first. */
  readonly rank: number;
}

/** A way through a word by pieces. */
export interface LookWay {
  readonly pieces: readonly string[];
  /** The sum of the pieces' scores, natural logarithms of probabilities. */
  readonly sum: number;
}

/** A text as pieces. A part is a word, or a special or added piece by itself, which has no merges. */
export interface LookText {
  /** Pieces that the tokenizer puts in front of the text. */
  readonly before: readonly LookPiece[];
  readonly parts: readonly LookWord[];
  /** Pieces that it puts behind. */
  readonly after: readonly LookPiece[];
  readonly count: number;
}

/** An explainer takes as long to make as its vocabulary is large, so that each tokenizer's is kept with it. */
const explainers = new WeakMap<Tokenizer, (text: string) => Explanation>();

/** The pieces of a text, with the merges that led to them. */
export function piecesOfText(tokenizer: Tokenizer, text: string): LookText {
  const { before, parts, after, ids } = explainerOf(tokenizer)(text);
  const piece = (id: number) => lookPiece(tokenizer, id);
  return {
    before: before.map(piece),
    parts: parts.flatMap((part) =>
      part.kind === "piece" ? [alone(piece(part.id))] : part.words.map((word) => lookWord(word, word.ids.map(piece))),
    ),
    after: after.map(piece),
    count: ids.length,
  };
}

/** A piece as it is shown. */
export function lookPiece(tokenizer: Tokenizer, id: number): LookPiece {
  const bytes = tokenizer.pieceBytes(id);
  return {
    id,
    ...(validUpTo(bytes) === bytes.length && { text: new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes) }),
    bytes: [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" "),
    isSpecial: tokenizer.isSpecial(id),
  };
}

function explainerOf(tokenizer: Tokenizer): (text: string) => Explanation {
  const known = explainers.get(tokenizer);
  if (known !== undefined) return known;
  const explain = explainer(tokenizer);
  const made = (text: string) => explain(text, { template: true });
  explainers.set(tokenizer, made);
  return made;
}

function alone(piece: LookPiece): LookWord {
  return { pieces: [piece], symbols: [], isWhole: true, merges: [], ways: [] };
}

function lookWord({ symbols, isWhole, merges, paths = [] }: ExplainedWord, pieces: readonly LookPiece[]): LookWord {
  let before = symbols;
  const steps = merges.map(({ rank, symbols: behind }) => {
    const at = firstDifference(before, behind);
    before = behind;
    return { at, result: behind[at] ?? "", rank };
  });
  return { pieces, symbols, isWhole, merges: steps, ways: paths.map(({ pieces: way, sum }) => ({ pieces: way, sum })) };
}

/** The place of a merge: what stands there is longer than before. */
function firstDifference(before: readonly string[], behind: readonly string[]): number {
  const at = behind.findIndex((symbol, i) => symbol !== before[i]);
  return at < 0 ? behind.length - 1 : at;
}
