// The wire format against Buf's library.
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { WireReader, WireWriter, wireTypes } from "./protobuf.ts";

const numbers = [0, 1, 127, 128, 300, 2 ** 21, 2 ** 31 - 1, -1, -128, -(2 ** 31)];

test("fields are written and read as the library does", () => {
  const rng = new Rng(1);
  for (let round = 0; round < 200; round++) {
    const [ours, theirs] = [new WireWriter(), new BinaryWriter()];
    const expected: unknown[] = [];
    for (let i = rng.below(8); i >= 0; i--) {
      const field = 1 + rng.below(rng.below(2) === 0 ? 15 : 100_000);
      const number = numbers[rng.below(numbers.length)]!;
      const text = "é".repeat(rng.below(200));
      ours.int32(field, number);
      ours.float(field, number);
      ours.bool(field, number > 5);
      ours.text(field, text);
      theirs.tag(field, WireType.Varint).int32(number).tag(field, WireType.Bit32).float(number);
      theirs
        .tag(field, WireType.Varint)
        .bool(number > 5)
        .tag(field, WireType.LengthDelimited)
        .string(text);
      expected.push(field, number, Math.fround(number), number > 5, text);
    }
    const bytes = theirs.finish();
    expect(ours.finish()).toEqual(bytes);
    const reader = new WireReader(bytes);
    const found: unknown[] = [];
    while (!reader.isAtEnd) {
      found.push(reader.tag()[0], reader.int32());
      for (const value of [() => reader.float(), () => reader.bool(), () => new TextDecoder().decode(reader.bytes())]) {
        reader.tag();
        found.push(value());
      }
    }
    expect(found).toEqual(expected);
  }
});

/** How many bytes are passed over until an error or the end. */
function passed(reader: WireReader | BinaryReader, isAtEnd: () => boolean): string[] {
  const fields: string[] = [];
  try {
    while (!isAtEnd()) {
      const [field, type] = reader.tag();
      if (type === wireTypes.lengthDelimited) fields.push(`${field} ${reader.bytes()}`);
      else if (type === wireTypes.varint) fields.push(`${field} ${reader.int32()}`);
      else {
        reader.skip(type, field);
        fields.push(`${field} ${type}`);
      }
    }
  } catch {
    fields.push("refused");
  }
  return fields;
}

test("bytes that may be no message are read or refused as by the library", () => {
  const rng = new Rng(2);
  let whole = 0;
  for (let round = 0; round < 5000; round++) {
    const small = [0x08, 0x0a, 0x0b, 0x0c, 0x0d, 0x09, 0x01, 0x00, 0x02, 0x80];
    const bytes = Uint8Array.from({ length: rng.below(12) }, () => (rng.below(4) === 0 ? rng.below(256) : small[rng.below(small.length)]!));
    const ours = new WireReader(bytes);
    const theirs = new BinaryReader(bytes);
    const found = passed(ours, () => ours.isAtEnd);
    const expected = passed(theirs, () => theirs.pos >= theirs.len);
    if (found.at(-1) !== "refused") whole++;
    expect(found, String(bytes)).toEqual(expected);
  }
  expect(whole).toBeGreaterThan(100);
});

test("a number of more than ten bytes, and a length of more than 32 bits, are refused", () => {
  expect(() => new WireReader(new Uint8Array(11).fill(0x80)).int32()).toThrow("more than ten bytes");
  expect(() => new WireReader(Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x10, 0)).bytes()).toThrow("more than 32 bits");
  expect(new WireReader(Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x10)).bool()).toBe(true);
});
