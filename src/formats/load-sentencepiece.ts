// SentencePiece's reader and writer, loaded by whoever needs them: the package for protocol buffers beneath takes longer to load than most models.

/** Reader and writer of tokenizer.model. */
export function loadSentencePiece(): Promise<typeof import("./sentencepiece.ts")> {
  return import("./sentencepiece.ts");
}
