// Byte-level BPE (Radford et al. 2019): words cut by a pattern, their UTF-8 bytes merged. Lossless on any bytes.
import { fail } from "../base/index.ts";
import { byteLevelPiece, byteToChar, decodedBytes } from "./byte-pieces.ts";
import { type Codec, utf8Bytes } from "./codec.ts";
import type { IdBuffer } from "./id-buffer.ts";
import { MergeTable } from "./merge-table.ts";
import { type BytesModel, ownDecoding } from "./model.ts";
import { eachWord } from "./split-bytes.ts";
import { splitsOf } from "./split-pattern.ts";
import { WordCache } from "./word-cache.ts";

/** @param ids piece → id of the whole vocabulary. @throws CriaError when a byte has no piece. */
export function bytesCodec(model: BytesModel, ids: ReadonlyMap<string, number>): Codec {
  const byteIds = byteToChar.map((char, byte) => ids.get(char) ?? fail("tokenizer", `byte ${byte} has no piece: all 256 are needed`));
  const table = new MergeTable(
    model.merges.map(([left, right], rank) => ({ left, right, rank, result: ids.get(model.pieces[left]! + model.pieces[right]!)! })),
  );
  let symbols = new Int32Array(256);
  const encodeBytes = (bytes: Uint8Array, out: IdBuffer) => {
    const whole = model.ignoreMerges ? ids.get(byteLevelPiece(bytes)) : undefined;
    if (whole !== undefined) {
      out.push(whole);
      return;
    }
    if (bytes.length > symbols.length) symbols = new Int32Array(bytes.length * 2);
    for (let i = 0; i < bytes.length; i++) symbols[i] = byteIds[bytes[i]!]!;
    const length = table.merge(symbols, bytes.length);
    for (let i = 0; i < length; i++) out.push(symbols[i]!);
  };
  const cache = new WordCache((word, out) => encodeBytes(utf8Bytes(word), out));
  const splits = splitsOf(model.pattern, model.splitDigits);
  const decoding = model.decoding ?? ownDecoding(model);
  return {
    encode: (text, _start, out) => eachWord(text, splits, (word) => cache.encode(word, out)),
    encodeInvalid: encodeBytes,
    bytes: model.pieces.map((piece) => decodedBytes(piece, decoding)),
  };
}
