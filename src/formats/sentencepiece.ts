// SentencePiece's tokenizer.model, in and out.
export { readSentencePieceModel } from "./sentencepiece-read.ts";
export { sentencePieceModelBytes } from "./sentencepiece-write.ts";
