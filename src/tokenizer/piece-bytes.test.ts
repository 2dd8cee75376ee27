import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { byteLevelBytes, byteLevelPiece } from "./byte-pieces.ts";
import { levelBytes, levelPieces, type PieceBytes, textBytes } from "./piece-bytes.ts";

/** Pieces of characters of every width, of ▁ and spaces, of halves of surrogate pairs at their ends, and of none. */
function randomPieces(rng: Rng, characters: readonly string[]): string[] {
  return Array.from({ length: 400 }, () => Array.from({ length: rng.below(5) }, () => characters[rng.below(characters.length)]!).join(""));
}

function spelled({ bytes, spans }: PieceBytes): number[][] {
  return Array.from({ length: spans.length / 2 }, (_, id) => [...bytes.subarray(spans[2 * id], spans[2 * id + 1])]);
}

const characters = ["a", "Z", "\n", "\0", " ", "▁", "é", "日", "\ufffd", "🦙", "\ud83e", "\udd99"];

test("pieces as text has them, those left out that no text becomes", () => {
  for (let seed = 0; seed < 20; seed++) {
    const pieces = randomPieces(new Rng(seed), characters);
    const utf8 = (piece: string) => [...new TextEncoder().encode(piece)];
    expect(spelled(textBytes(pieces, false))).toEqual(pieces.map((piece) => (/[\ud800-\udfff]/u.test(piece) ? [] : utf8(piece))));
    expect(spelled(textBytes(pieces, true))).toEqual(
      pieces.map((piece) => (/[ \ud800-\udfff]/u.test(piece) ? [] : utf8(piece.replaceAll("▁", " ")))),
    );
  }
});

test("pieces of GPT-2's alphabet as bytes", () => {
  for (let seed = 0; seed < 20; seed++) {
    const pieces = randomPieces(new Rng(seed), ["a", "Ġ", "Ċ", "é", "Ń", "ń", "!", ...(seed % 2 === 0 ? [] : characters)]);
    expect(spelled(levelBytes(pieces))).toEqual(pieces.map((piece) => [...(byteLevelBytes(piece) ?? [])]));
  }
});

test("stretches of bytes as pieces of that alphabet", () => {
  const rng = new Rng(1);
  const bytes = Uint8Array.from({ length: 1000 }, () => rng.below(256));
  const spans = Int32Array.from({ length: 200 }, () => rng.below(500)).map((place, i) => (i % 2 === 0 ? place : 500 + place));
  const expected = Array.from({ length: 100 }, (_, i) => byteLevelPiece(bytes.subarray(spans[2 * i], spans[2 * i + 1])));
  expect(levelPieces(bytes, spans)).toEqual(expected);
  expect(levelPieces(bytes, new Int32Array(0))).toEqual([]);
});
