// How a text becomes ids, step by step and in the plainest way: what a person is shown, and a slow judge of the encoder.
import { check } from "../base/index.ts";
import type { StretchStart } from "./codec.ts";
import { mergeExplainer } from "./explain-merges.ts";
import { pathExplainer } from "./explain-paths.ts";
import { wordFinder } from "./explain-words.ts";
import { pieceIds, type TokenizerModel } from "./model.ts";
import type { ParseSpecial, PieceMatching } from "./piece-matcher.ts";
import { codecOf, type EncodeOptions, matchersOf, spaced, type Tokenizer } from "./tokenizer.ts";

/** How a text became ids. */
export interface Explanation {
  /** Ids in front of the text, as the options ask for. */
  readonly before: readonly number[];
  readonly parts: readonly (ExplainedText | ExplainedPiece)[];
  readonly after: readonly number[];
  /** Special pieces that the text spells and that were not asked for. */
  readonly overlooked: readonly number[];
  /** All ids, those in front and behind among them. */
  readonly ids: readonly number[];
}

/** A special or added piece that was found in the text before all else. */
export interface ExplainedPiece {
  readonly kind: "piece";
  readonly id: number;
  readonly isSpecial: boolean;
  /** How it is found, where that is not verbatim. */
  readonly matching?: PieceMatching;
}

/** Text between such pieces. */
export interface ExplainedText {
  readonly kind: "text";
  readonly source: string;
  /** What the normaliser leaves of it. */
  readonly normalised: string;
  /** What is merged, or put together from pieces, by itself. */
  readonly words: readonly ExplainedWord[];
}

/** How a word became ids: its merges, or its best ways. */
export interface ExplainedWord {
  /** The word as pieces write it. */
  readonly text: string;
  /** What merging begins with. */
  readonly symbols: readonly string[];
  /** The word is a piece and was taken as that, whatever the merges say. */
  readonly isWhole: boolean;
  readonly merges: readonly ExplainedMerge[];
  /** The best ways of a unigram model, the first of which is taken. */
  readonly paths?: readonly ExplainedPath[];
  readonly ids: readonly number[];
}

/** A merge of two symbols. */
export interface ExplainedMerge {
  readonly left: string;
  readonly right: string;
  /** Lower goes first; with scores it is the score, and higher goes first. */
  readonly rank: number;
  /** The word's symbols behind the merge. */
  readonly symbols: readonly string[];
}

/** A way through a word by pieces, and its scores, natural logarithms of probabilities. */
export interface ExplainedPath {
  /** Ids of the pieces; an unknown stands for one character. */
  readonly ids: readonly number[];
  readonly pieces: readonly string[];
  readonly scores: readonly number[];
  readonly sum: number;
}

/** Explains texts one after another. What it gives throws a CriaError as {@link Tokenizer.encode} does. */
export function explainer(tokenizer: Tokenizer): (text: string, options?: EncodeOptions) => Explanation {
  const { model } = tokenizer;
  const find = partsFinder(model);
  return (text, options = {}) => {
    const parts = find.parts(text, options.parseSpecial ?? false);
    const own = parts.flatMap((part) => (part.kind === "piece" ? [part.id] : part.words.flatMap(({ ids }) => ids)));
    const ids = [...tokenizer.encode(text, options)];
    const after = countBehind(model, options);
    const start = ids.length - after - own.length;
    const isSame = start >= 0 && own.every((id, i) => id === ids[start + i]);
    check(
      isSame,
      "tokenizer",
      () => `the explanation gives the ids ${own.join(" ")}, but the encoder ${ids.join(" ")}: one of them is wrong`,
    );
    const overlooked = (options.parseSpecial ?? false) === false ? find.specials(text) : [];
    return { before: ids.slice(0, start), parts, after: ids.slice(ids.length - after), overlooked, ids };
  };
}

function countBehind({ template, eosId }: TokenizerModel, options: EncodeOptions): number {
  const after = options.template ? (template?.after ?? []) : [];
  return after.length + (options.eos && !after.includes(eosId ?? -1) ? 1 : 0);
}

function partsFinder(model: TokenizerModel) {
  const ids = pieceIds(model);
  const codec = codecOf(model, ids);
  const { plain, normalized } = matchersOf(model, codec);
  const specials = new Set(model.specials);
  const findWords = wordFinder(model);
  const explainWord = model.kind === "unigram" ? pathExplainer(model, ids) : mergeExplainer(model, ids);
  return {
    parts(text: string, parseSpecial: ParseSpecial): (ExplainedText | ExplainedPiece)[] {
      const parts: (ExplainedText | ExplainedPiece)[] = [];
      const piece = (id: number) => void parts.push(pieceOf(model, id));
      const stretch = (source: string, start: StretchStart) => {
        const all = codec.normalise?.(source, start) ?? source;
        const words = (from: number, to: number) => {
          const normalised = all.slice(from, to);
          const isAll = from === 0 && to === all.length;
          const found = findWords(normalised, from === 0 ? start : "special").map(explainWord);
          parts.push({ kind: "text", source: isAll ? source : normalised, normalised, words: found });
        };
        normalized.each(codec.normalise !== undefined && codec.escapesSpaces ? spaced(all) : all, parseSpecial, words, piece);
      };
      plain.each(text, parseSpecial, (from, to) => stretch(text.slice(from, to), from === 0 ? "text" : "special"), piece);
      return parts;
    },
    /** The special pieces that a text spells. */
    specials(text: string): number[] {
      const found: number[] = [];
      const take = (id: number) => void (specials.has(id) && found.push(id));
      plain.each(text, true, () => undefined, take);
      return found;
    },
  };
}

function pieceOf({ specials, matching = [] }: TokenizerModel, id: number): ExplainedPiece {
  const rule = matching.find((one) => one.id === id);
  return { kind: "piece", id, isSpecial: specials.includes(id), ...(rule === undefined ? {} : { matching: rule }) };
}
