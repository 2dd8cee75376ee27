import { expect, test } from "vitest";
import { Rng } from "../../base/index.ts";
import { utf8Text } from "./utf8.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

test("texts of every width, whole and damaged, are those of TextDecoder", () => {
  const rng = new Rng(8);
  const alphabets = ["plain ASCII\n", "caf\u00e9 \u00ff\u0080", "\u0100\u0141\u201c", "\u4e2d\ufeff\uffff", "\u{1f999}\u{10ffff}a"];
  for (let i = 0; i < 2000; i++) {
    const kinds = alphabets.slice(0, 1 + rng.below(alphabets.length));
    const text = Array.from({ length: rng.below(30) }, () => Array.from(kinds[rng.below(kinds.length)]!)[rng.below(3)] ?? "").join("");
    const bytes = new TextEncoder().encode(text);
    expect(utf8Text(bytes)).toBe(text);
    if (bytes.length === 0) continue;
    bytes[rng.below(bytes.length)] = rng.below(256);
    const cut = bytes.subarray(rng.below(2), bytes.length - rng.below(2));
    expect(utf8Text(cut)).toBe(decoded(cut));
  }
  for (const length of [(1 << 15) - 1, 1 << 15, (1 << 15) + 1])
    expect(utf8Text(new TextEncoder().encode("\u00e9".repeat(length)))).toBe("\u00e9".repeat(length));
});
