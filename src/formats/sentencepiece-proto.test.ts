import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { expect, test } from "vitest";
import { readProto } from "./sentencepiece-proto.ts";

type Field = (writer: BinaryWriter) => BinaryWriter;

const text =
  (piece: string): Field =>
  (writer) =>
    writer.tag(1, WireType.LengthDelimited).string(piece);
const score =
  (value: number): Field =>
  (writer) =>
    writer.tag(2, WireType.Bit32).float(value);
const type =
  (number: number): Field =>
  (writer) =>
    writer.tag(3, WireType.Varint).int32(number);

/** A file of one piece with some fields. */
function fileOf(fields: readonly Field[]): Uint8Array {
  const piece = new BinaryWriter();
  for (const field of fields) field(piece);
  return new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(piece.finish()).finish();
}

test.each([0, 1, 2, 126, 127, 128, 300])("pieces of %i bytes in the usual form read as the same fields in any order", (length) => {
  for (const number of [1, 4, 127, 128, -1]) {
    const piece = "é".repeat(length / 2).padEnd(length - Math.floor(length / 2), "x");
    const fields = [text(piece), score(-12.5), type(number)];
    const usual = readProto(fileOf(fields), "x").pieces;
    expect(usual).toHaveLength(1);
    expect(readProto(fileOf(fields.toReversed()), "x").pieces).toEqual(usual);
    expect(readProto(fileOf([...fields, type(number)]), "x").pieces).toEqual(usual);
    expect(readProto(fileOf(fields.slice(0, 2)), "x").pieces).toEqual([{ piece, score: -12.5, type: 1 }]);
    expect(usual).toEqual([{ piece, score: -12.5, type: number }]);
    expect(new TextEncoder().encode(piece)).toHaveLength(length);
  }
});

test("a piece in the usual form that is cut or of another wire type is refused", () => {
  const file = fileOf([text("abc"), score(1), type(3)]);
  const changed = (at: number, byte: number) => file.with(at, byte);
  expect(() => readProto(file.subarray(0, -1), "x")).toThrow(/no message of SentencePiece's/);
  expect(() => readProto(changed(3, 4), "x")).toThrow(/piece 0 is no message of SentencePiece's/);
  expect(() => readProto(changed(7, 0x10), "x")).toThrow(/piece 0 is no message of SentencePiece's/);
  expect(() => readProto(changed(12, 0x1d), "x")).toThrow(/piece 0 is no message of SentencePiece's/);
});
