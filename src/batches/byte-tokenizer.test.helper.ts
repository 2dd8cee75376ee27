import type { TextTokenizer } from "./index.ts";

/** Bytes as tokens, behind <s> and </s>. */
export const byteTokenizer: TextTokenizer = {
  kind: "bytes",
  vocabSize: 258,
  bosId: 0,
  eosId: 1,
  encode: (text, { bos, eos }) => [...(bos ? [0] : []), ...Array.from(Buffer.from(text), (byte) => byte + 2), ...(eos ? [1] : [])],
  idToPiece: (id) => `${id}`,
};
