import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { naiveMerge } from "./conformance.ts";
import { type BytesModel, byteLevelBytes, byteLevelPiece, createTokenizer, type Merge, mergeList, mergePairs } from "./index.ts";

/** Merges drawn at random among pieces that have come about, so that many pieces hold parts of characters. */
function randomModel(rng: Rng, ignoreMerges: boolean): BytesModel {
  const pieces = Array.from({ length: 256 }, (_, byte) => byteLevelPiece([byte]));
  const merges: Merge[] = [];
  const used = [...new TextEncoder().encode("日本語éü ab🦙")];
  while (merges.length < 150) {
    const pick = () => (rng.below(2) === 0 || pieces.length === 256 ? used[rng.below(used.length)]! : 256 + rng.below(pieces.length - 256));
    const [left, right] = [pick(), pick()];
    const piece = pieces[left]! + pieces[right]!;
    if (piece.length > 9 || pieces.includes(piece)) continue;
    pieces.push(piece);
    merges.push([left, right]);
  }
  return { kind: "bytes", pieces, merges: mergeList(merges), specials: [], pattern: "gpt2", splitDigits: false, ignoreMerges };
}

test("long words that are cut where no piece reaches across have the ids of the whole", () => {
  const characters = ["日", "本", "語", "é", "ü", "a", "b"];
  for (let seed = 0; seed < 12; seed++) {
    const rng = new Rng(seed);
    const model = randomModel(rng, seed % 2 === 0);
    const tokenizer = createTokenizer(model);
    const ranks = new Map(mergePairs(model.merges!).map(([left, right], rank) => [`${model.pieces[left]} ${model.pieces[right]}`, rank]));
    for (let round = 0; round < 60; round++) {
      const word = Array.from({ length: 17 + rng.below(20) }, () => characters[rng.below(characters.length)]!).join("");
      const symbols = [...byteLevelPiece(new TextEncoder().encode(word))];
      const expected = naiveMerge(symbols, (left, right) => ranks.get(`${left} ${right}`));
      expect(Array.from(tokenizer.encode(word), (id) => tokenizer.idToPiece(id))).toEqual(expected);
    }
    for (const piece of model.pieces.slice(256)) {
      const bytes = byteLevelBytes(piece)!;
      expect([...tokenizer.decodeBytes(tokenizer.encodeBytes(bytes))]).toEqual([...bytes]);
    }
  }
});
