// The perplexity of texts to a language model of n-grams, with the settings that it depends on.
import { hexOf, memorySource, Sha256 } from "../../base/index.ts";
import { BatchScorer, type NgramModel, readNgrams } from "../../ngrams/index.ts";
import type { StepFiles } from "../step.ts";
import { type Pieces, tokenizerPieces, wordPieces } from "./pieces.ts";
import { plainText } from "./plain-text.ts";

/** What a perplexity depends on, beside the text. */
export interface MeterSettings {
  /** The model's file. */
  readonly model: string;
  /** The tokenizer's file; that in the model's file when absent, or words between white space where there is none. */
  readonly tokenizer?: string | undefined;
  readonly normalise: boolean;
  readonly lineEnds: "sentences" | "deleted";
}

/** What tells a meter from others: cutoffs hold only where it is the same. */
export interface MeterMark {
  /** Marks of the files by {@link fileMark}; null where there is no tokenizer of pieces. */
  readonly model: string;
  readonly tokenizer: string | null;
  readonly normalise: boolean;
  readonly lineEnds: "sentences" | "deleted";
}

/** Measures texts. */
export interface PerplexityMeter {
  readonly mark: MeterMark;
  measure(text: string): number;
}

/** Opens a meter. @throws CriaError where a file cannot be read or is of another kind */
export async function openMeter(
  { model: path, tokenizer, normalise, lineEnds }: MeterSettings,
  files: StepFiles,
): Promise<PerplexityMeter> {
  const bytes = await files.read(path);
  const model = await readNgrams(path, bytes);
  const tokenizerBytes = tokenizer === undefined ? model.parts.tokenizer : await files.read(tokenizer);
  const pieces =
    tokenizerBytes === undefined ? wordPieces(model.words) : await piecesOf(model, tokenizer ?? "tokenizer.json", tokenizerBytes);
  const scorer = new BatchScorer(model);
  return {
    mark: { model: fileMark(bytes), tokenizer: tokenizerBytes === undefined ? null : fileMark(tokenizerBytes), normalise, lineEnds },
    measure(text) {
      const sentences = lineEnds === "sentences" ? text.split("\n") : [text.replaceAll("\n", "")];
      return perplexityOf(scorer, pieces, normalise ? sentences.map(plainText) : sentences);
    },
  };
}

/** Bytes at each end of a file that its mark is made of: models may have gigabytes. */
const markedBytes = 1 << 16;

/** A mark of a file: SHA-256 of its length, its beginning and its end. */
function fileMark(bytes: Uint8Array): string {
  const hash = new Sha256().update(`${bytes.length} `).update(bytes.subarray(0, markedBytes));
  return hexOf(hash.update(bytes.subarray(-markedBytes)).digest());
}

async function piecesOf(model: NgramModel, path: string, bytes: Uint8Array): Promise<Pieces> {
  const { openTokenizer, sourceFiles } = await import("../../open/index.ts");
  const place = { files: sourceFiles(".", { [path]: memorySource(path, bytes) }), file: path };
  return tokenizerPieces(model.words, await openTokenizer(place));
}

/** 10^(-log10 of the probability per word), where the end of each sentence is a word, to one decimal, as CCNet has it. */
function perplexityOf(scorer: BatchScorer, pieces: Pieces, sentences: readonly string[]): number {
  let words = 0;
  for (const sentence of sentences) {
    const ids = pieces(sentence);
    scorer.add(ids);
    words += ids.length + 1;
  }
  return Number((10 ** (-scorer.finish() / words)).toFixed(1));
}
