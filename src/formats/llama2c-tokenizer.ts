// llama2.c's tokenizer.bin (github.com/karpathy/llama2.c, tokenizer.py, `export`): a SentencePiece BPE vocabulary as run.c reads it.
//
//   | max_token_length i32 | then per token: score f32 | length i32 | length bytes of UTF-8 |
import { type ByteSource, check, decodeUtf8 } from "../base/index.ts";
import { type SentencePieceModel, spaceMark } from "../tokenizer/index.ts";

/**
 * Pieces by token id. 0 is `<unk>`, 1 `\n<s>\n`, 2 `\n</s>\n`, 3 to 258 are the bytes, spelt `<0x00>` to `<0xFF>`, then ordinary pieces.
 * SentencePiece's ▁ is a plain space already. Of two neighbouring pieces whose join is a piece, run.c joins the pair with the highest score first.
 */
export interface Llama2cTokenizer {
  readonly pieces: readonly string[];
  readonly scores: Float32Array;
}

const where = "llama2c";
/** No vocabulary comes near it; 32,000 pieces take 424 KB. */
const maxBytes = 1 << 28;

/**
 * @param vocabSize how many tokens the model has: the file does not say; absent: as many as fill the file
 * @throws CriaError when the file holds fewer or more.
 */
export async function readLlama2cTokenizer(source: ByteSource, vocabSize?: number): Promise<Llama2cTokenizer> {
  const { name, size } = source;
  check(
    size <= maxBytes && size >= 4 + 8 * (vocabSize ?? 259),
    where,
    () =>
      `${name}: it has ${size} bytes, which cannot be ${vocabSize ?? "259 or more"} tokens of at least 8 bytes: it belongs to another model`,
  );
  const bytes = await source.read(0, size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, size);
  const pieces: string[] = [];
  const scores: number[] = [];
  let at = 4;
  for (let id = 0; vocabSize === undefined ? at < size : id < vocabSize; id++) {
    const start = at + 8;
    check(
      start <= size,
      where,
      () =>
        `${name}: token ${id} of ${vocabSize ?? "those in the file"} starts at byte ${at} but the file has ${size}: it belongs to another model`,
    );
    scores.push(view.getFloat32(at, true));
    const length = view.getInt32(at + 4, true);
    at = start + length;
    check(
      length >= 0 && at <= size,
      where,
      () => `${name}: token ${id} takes ${length} bytes from byte ${start} but the file has ${size}: it is damaged`,
    );
    pieces.push(decodeUtf8(bytes.subarray(start, at), `${name}: token ${id}`, where));
  }
  check(
    at === size,
    where,
    () => `${name}: its first ${vocabSize} tokens end at byte ${at} but the file has ${size}: it belongs to a model with more tokens`,
  );
  return { pieces, scores: Float32Array.from(scores) };
}

/**
 * The same vocabulary for `createTokenizer`: ▁ stands for the space again and the control pieces have their usual names. As in run.c, the
 * begin-of-text token and a space go in front of a text, and characters without a piece become bytes.
 */
export function llama2cTokenizerModel({ pieces, scores }: Llama2cTokenizer): SentencePieceModel {
  const controls = ["<unk>", "<s>", "</s>"];
  return {
    kind: "sentencepiece",
    pieces: pieces.map((piece, id) => controls[id] ?? piece.replaceAll(" ", spaceMark)),
    scores: Array.from(scores),
    specials: [0, 1, 2],
    ...{ unkId: 0, bosId: 1, eosId: 2, template: { before: [1], after: [] } },
    ...{ byteFallback: true, dummyPrefix: "each", prefixBeforeSpace: true },
  };
}
