// Byte-level BPE (Radford et al. 2019): words cut by a pattern, their UTF-8 bytes merged. Lossless on any bytes.
import { check, fail } from "../base/index.ts";
import { byteLevelBytes, byteLevelPiece, byteToChar } from "./byte-pieces.ts";
import { type Codec, utf8Bytes } from "./codec.ts";
import type { IdBuffer } from "./id-buffer.ts";
import { MergeTable } from "./merge-table.ts";
import type { BytesModel } from "./model.ts";
import { eachWord } from "./split-bytes.ts";
import { nextWordOf } from "./split-pattern.ts";
import { WordCache } from "./word-cache.ts";

/** @param ids piece → id of the whole vocabulary. @throws CriaError when a byte has no piece. */
export function bytesCodec(model: BytesModel, ids: ReadonlyMap<string, number>): Codec {
  check(!(model.splitDigits && typeof model.pattern === "object"), "tokenizer", () => "splitDigits goes with a named pattern only");
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
  const nextWord = nextWordOf(model.pattern);
  return {
    encode: (text, _start, out) => eachWord(text, nextWord, model.splitDigits, (word) => cache.encode(word, out)),
    encodeInvalid: encodeBytes,
    bytes: decodedBytes(model),
    trim: "none",
  };
}

function decodedBytes(model: BytesModel): Uint8Array[] {
  const verbatim = new Set([...model.specials, ...(model.added ?? [])]);
  return model.pieces.map((piece, id) => {
    if (verbatim.has(id)) return utf8Bytes(piece);
    return byteLevelBytes(piece) ?? fail("tokenizer", `piece ${id}, ${JSON.stringify(piece)}, has characters that stand for no byte`);
  });
}
