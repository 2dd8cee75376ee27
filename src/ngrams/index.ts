export { readArpa } from "./arpa-read.ts";
export { isKenLm, readKenLm } from "./kenlm-read.ts";
export { ModelBuilder } from "./model-builder.ts";
export { mostOrder, NgramModel, NgramScorer, type ScoreOptions, type WordScore } from "./ngram-model.ts";
export type { NgramSink } from "./ngram-sink.ts";
export { NgramWords, unknownId } from "./ngram-words.ts";
export { readNgrams } from "./read-ngrams.ts";
