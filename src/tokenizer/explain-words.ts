// Which words of a normalised text are merged by themselves, as pieces write them.
import { textIds } from "./alphabet.ts";
import { byteLevelPiece } from "./byte-pieces.ts";
import { type StretchStart, utf8Bytes } from "./codec.ts";
import { type BytesModel, type SentencePieceModel, spaceMark, type TokenizerModel } from "./model.ts";
import { type PreTokeniserStep, preTokeniserOf } from "./pre-tokeniser.ts";
import { needsPrefix } from "./sentencepiece-codec.ts";
import { eachWord } from "./split-bytes.ts";
import { type NextWord, splitsOf } from "./split-pattern.ts";
import { wellFormed } from "./text-steps.ts";
import { words } from "./word-codec.ts";

type FindWords = (text: string, start: StretchStart) => string[];

/** What finds the words of a text, by the model's kind. */
export function wordFinder(model: TokenizerModel): FindWords {
  switch (model.kind) {
    case "word":
      return (text) => words(wellFormed(text));
    case "bytes":
      return byteWords(model);
    case "sentencepiece": {
      const find = characterWords(model);
      return (text, start) => marked(model, find(prefixed(model, text, start), start));
    }
    case "unigram": {
      const find = cutter(model.preTokeniser ?? []);
      return (text, start) => marked(model, find(text, start));
    }
    default:
      return model satisfies never;
  }
}

function cutter(steps: readonly PreTokeniserStep[]): FindWords {
  const cut = preTokeniserOf(steps);
  return (text, start) => {
    const found: string[] = [];
    cut(wellFormed(text), start, (word) => found.push(word));
    return found;
  };
}

function marked({ escapesSpaces = true }: Pick<SentencePieceModel, "escapesSpaces">, found: readonly string[]): string[] {
  return found.map((word) => (escapesSpaces ? word.replaceAll(" ", spaceMark) : word));
}

function byteWords({ preTokeniser, pattern, splitDigits }: BytesModel): FindWords {
  const find = preTokeniser === undefined ? byPatterns(splitsOf(pattern, splitDigits)) : cutter(preTokeniser);
  return (text, start) => find(text, start).map((word) => byteLevelPiece(utf8Bytes(word)));
}

function byPatterns(splits: readonly NextWord[]): FindWords {
  return (text) => {
    const found: string[] = [];
    eachWord(wellFormed(text), splits, (word) => found.push(word));
    return found;
  };
}

function prefixed(model: SentencePieceModel, text: string, start: StretchStart): string {
  const plain = (model.escapesSpaces ?? true) ? text.replaceAll(spaceMark, " ") : text;
  return !model.prefixBeforeSpace && needsPrefix(model, plain.startsWith(" "), start) ? ` ${plain}` : plain;
}

/** A text is one word where there is no pre-tokeniser. It is shown in several where no piece goes over a space that follows something else. */
function characterWords(model: SentencePieceModel): FindWords {
  const { preTokeniser, byteFallback, fusesUnknown = true, unused = [], ignoreMerges = false, escapesSpaces = true } = model;
  if (preTokeniser !== undefined) return cutter(preTokeniser);
  const looksAround = unused.length > 0 || ignoreMerges || !escapesSpaces || (!byteFallback && fusesUnknown);
  const goesOver = (id: number) => /[^\u2581]\u2581/.test(model.pieces[id]!);
  const isWhole = looksAround || model.continuingPrefix !== undefined || model.wordSuffix !== undefined || textIds(model).some(goesOver);
  return (text) => (text === "" ? [] : isWhole ? [wellFormed(text)] : wellFormed(text).split(/(?<=[^ ])(?= )/));
}
