import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { jsonString } from "./json-string.ts";

const written = (text: string) => new TextDecoder().decode(jsonString(text));

test("every unit, alone and between others, is written as by JSON.stringify", () => {
  for (let unit = 0; unit < 0x10000; unit += unit < 0x3000 ? 1 : 7) {
    const character = String.fromCharCode(unit);
    for (const text of [character, `a"${character}\n`])
      if (written(text) !== JSON.stringify(text)) expect(written(text)).toBe(JSON.stringify(text));
  }
});

test("random texts, with halves of characters among them, and long ones", () => {
  const rng = new Rng(5);
  const kinds = ['"\\\n\t\0\x1f\x7f', "plain words", "é„“", "，\uffee\ufffd", "\ud83d\ude00", "\ud83d", "\ude00"];
  for (let i = 0; i < 500; i++) {
    const text = Array.from({ length: rng.below(40) }, () => kinds[rng.below(kinds.length)]).join("");
    expect(written(text)).toBe(JSON.stringify(text));
  }
  for (const length of [(1 << 16) - 1, 1 << 16, (1 << 16) + 1])
    expect(written("\x01".repeat(length))).toBe(JSON.stringify("\x01".repeat(length)));
});
