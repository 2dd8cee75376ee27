// llama2.c's vocabulary as a tokenizer of ours: what run.c's `encode` and `decode` do is the sentencepiece kind with scores.
import { type SentencePieceModel, spaceMark } from "../tokenizer/index.ts";
import type { Llama2cTokenizer } from "./llama2c-tokenizer.ts";

const controlPieces = ["<unk>", "<s>", "</s>"];

/** Give it to createTokenizer, which checks it. */
export function llama2cTokenizerModel({ pieces, scores }: Llama2cTokenizer): SentencePieceModel {
  return {
    kind: "sentencepiece",
    pieces: pieces.map((piece, id) => controlPieces[id] ?? piece.replaceAll(" ", spaceMark)),
    scores: Array.from(scores),
    specials: [0, 1, 2],
    unkId: 0,
    bosId: 1,
    eosId: 2,
    byteFallback: true,
    dummyPrefix: "first",
    prefixBeforeSpace: true,
  };
}
