// Which kind of tokenizer fits a text: LLaMA's, whose vocabulary begins with the text's characters, unless these alone would fill it.
import type { TrainOptions } from "../tokenizer/index.ts";

/** Pieces of every SentencePiece model that are no characters: three special ones and 256 bytes. */
const fixedPieces = 259;
/** Share of the other pieces that characters may take: the rest are merges. */
const mostCharacters = 0.5;
/** The share of a text's characters that must have pieces of their own; rarer ones are spelled in bytes. SentencePiece's own default is 0.99995. */
const [usualCoverage, leastCoverage] = [0.99995, 0.98];
/** UTF-16 units whose characters are counted: more change nothing. */
const sampleLength = 4e6;

/** What there is to know of a text before it has a tokenizer. */
export interface TextSurvey {
  /** UTF-8 bytes of all of it. */
  readonly bytes: number;
  /** How often each character comes, in its first part. */
  readonly characters: ReadonlyMap<string, number>;
}

/** Reads a text once. */
export async function surveyText(texts: AsyncIterable<string>): Promise<TextSurvey> {
  const characters = new Map<string, number>();
  let [bytes, seen] = [0, 0];
  for await (const text of texts) {
    bytes += Buffer.byteLength(text);
    if (seen >= sampleLength) continue;
    for (const character of text) characters.set(character, (characters.get(character) ?? 0) + 1);
    seen += text.length;
  }
  return { bytes, characters };
}

/**
 * Kind, size and coverage for a text. Scripts of thousands of characters, such as Chinese, get as many of these as half of the vocabulary
 * holds; where that leaves more than 2 % of the text to be spelled in bytes, a byte-level vocabulary, which has no characters to run out of.
 */
export function chooseTokenizer({ characters }: TextSurvey, vocabSize: number): TrainOptions {
  const room = Math.floor((vocabSize - fixedPieces) * mostCharacters);
  const frequencies = [...characters.values()].sort((a, b) => b - a);
  const total = frequencies.reduce((sum, count) => sum + count, 0);
  const covered = frequencies.slice(0, room).reduce((sum, count) => sum + count, 0) / Math.max(1, total);
  if (frequencies.length <= room || covered >= usualCoverage) return { kind: "sentencepiece", vocabSize };
  // A hair less, so that rounding does not ask for one character more.
  if (covered >= leastCoverage) return { kind: "sentencepiece", vocabSize, characterCoverage: covered * (1 - 1e-9) };
  return { kind: "bytes", vocabSize, pattern: "llama3", specials: { bos: "<s>", eos: "</s>" } };
}
