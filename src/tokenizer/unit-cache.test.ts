import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { eachWithoutExtraSpaces } from "./extra-spaces.ts";
import { IdBuffer } from "./id-buffer.ts";
import { normaliserOf } from "./normaliser.ts";
import { type EncodeUnit, UnitCache } from "./unit-cache.ts";

/** Units end with a space; their ids are their bytes, or the first so many. */
function cache(most = Number.POSITIVE_INFINITY, keepsLong = true) {
  let made = 0;
  const nextUnit = (bytes: Uint8Array, at: number, end: number) => {
    const space = bytes.indexOf(0x20, at);
    return space < 0 || space >= end ? end : space + 1;
  };
  const encodeUnit: EncodeUnit = (bytes, from, to, out) => {
    made++;
    for (let i = from; i < Math.min(to, from + most); i++) out.push(bytes[i]!);
  };
  const units = new UnitCache(nextUnit, encodeUnit, keepsLong);
  const encode = (text: string) => {
    const bytes = new TextEncoder().encode(text);
    const out = new IdBuffer(0);
    units.encode(bytes, 0, bytes.length, out);
    return { bytes, ids: Array.from(out.slice()) };
  };
  return { encode, made: () => made };
}

test("units of every length have the ids that they were given first, at the end of the bytes too", () => {
  const { encode, made } = cache();
  for (let length = 1; length <= 80; length++)
    for (const text of [`${"x".repeat(length)} `, "y".repeat(length), `${"x".repeat(length)} ${"y".repeat(length)}`]) {
      const { bytes, ids } = encode(text);
      expect(ids).toEqual([...bytes]);
    }
  const before = made();
  encode("xxx yyyy");
  expect(made()).toBe(before);
});

test("units have their own ids, however many and however large", () => {
  const rng = new Rng(5);
  const idsOf = new Map<string, number[]>();
  const words = Array.from({ length: 3000 }, () => `${"x".repeat(rng.below(66))}${rng.below(60).toString(36)} `);
  for (const word of words)
    idsOf.set(
      word,
      [0, 1, 2, 3, 40].slice(0, 1 + rng.below(5)).map(() => rng.below(1 << rng.below(31))),
    );
  let made = 0;
  const units = new UnitCache(
    (bytes, at) => bytes.indexOf(0x20, at) + 1,
    (bytes, from, to, out) => {
      made++;
      for (const id of idsOf.get(new TextDecoder().decode(bytes.subarray(from, to)))!) out.push(id);
    },
  );
  const bytes = new TextEncoder().encode(words.join(""));
  for (const _ of [1, 2]) {
    made = 0;
    const out = new IdBuffer(0);
    units.encode(bytes, 0, bytes.length, out);
    expect([...out.slice()]).toEqual(words.flatMap((word) => idsOf.get(word)!));
  }
  expect(made).toBeLessThan(500); // those of more than 64 bytes, and of more ids than bytes
});

test("long units are kept where that is asked for", () => {
  for (const keepsLong of [true, false]) {
    const { encode, made } = cache(3, keepsLong);
    for (let i = 0; i < 5; i++)
      expect(encode("abcdefghijklmnopqrstuvwxyzabcdefghij klm").ids).toEqual([..."abcklm"].map((char) => char.charCodeAt(0)));
    expect(made()).toBe(keepsLong ? 2 : 6);
  }
});

test("units that differ in a zero byte behind them alone are told apart", () => {
  const { encode } = cache();
  for (const text of ["a", "a\0", "a\0\0", "a", "a\0", "a\0\0"]) expect(encode(text).ids).toEqual([...encode(text).bytes]);
});

test.each([
  { what: "more units than there are slots", words: 600_000, repeated: 1 },
  { what: "more long units than the arena holds", words: 300_000, repeated: 8 },
])("of $what none has the ids of another one, and what was forgotten is learned again", ({ words, repeated }) => {
  const { encode, made } = cache(2);
  const rng = new Rng(2);
  const list = Array.from({ length: words }, (_, i) =>
    i % 3 === 0
      ? "the "
      : `${rng
          .below(2 ** 31)
          .toString(36)
          .repeat(repeated)} `,
  );
  const ids = encode(list.join("")).ids;
  const expected = (word: string, i: number) => ids[2 * i] === word.charCodeAt(0) && ids[2 * i + 1] === word.charCodeAt(1);
  expect(list.every(expected) && ids.length === 2 * words).toBe(true);
  expect(made()).toBeGreaterThan((2 / 3) * words - 100);
  expect(made()).toBeLessThan((2 / 3) * words + 100);
});

test("texts without extra spaces are what the normaliser makes of them", () => {
  const normalise = normaliserOf([{ type: "sentencepiece", removeExtraSpaces: true, dummySpace: "none" }]);
  const rng = new Rng(6);
  const units = [" ", " ", "  ", "a", "bc", "▁", "\n", "日", "　"];
  for (let round = 0; round < 2000; round++) {
    const text = Array.from({ length: rng.below(12) }, () => units[rng.below(units.length)]!).join("");
    const bytes = new TextEncoder().encode(`x${text}x`);
    const parts: string[] = [];
    eachWithoutExtraSpaces(bytes, 1, bytes.length - 1, (part, from, to, isFirst) => {
      expect(isFirst).toBe(parts.length === 0);
      parts.push(new TextDecoder().decode(part.subarray(from, to)));
    });
    expect(parts.join(""), JSON.stringify(text)).toBe(normalise(text, "text"));
    for (const [i, part] of parts.entries()) if (i > 0) expect(part.startsWith(" ") && !/[ ▁]$/.test(parts[i - 1]!)).toBe(true);
  }
});
