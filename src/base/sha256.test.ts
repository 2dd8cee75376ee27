import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { Rng } from "./rng.ts";
import { bytesOfHex, hexOf, Sha256 } from "./sha256.ts";

test("every length up to three blocks, in parts cut anywhere, is what Node's gives", () => {
  const rng = new Rng(3);
  for (let length = 0; length <= 192; length++) {
    const bytes = Uint8Array.from({ length }, () => rng.below(256));
    const hash = new Sha256();
    for (let at = 0; at < length; ) {
      const more = 1 + rng.below(length - at);
      hash.update(bytes.subarray(at, at + more));
      at += more;
    }
    expect(hash.hexDigest(), `${length} bytes`).toBe(createHash("sha256").update(bytes).digest("hex"));
  }
});

test("texts count as UTF-8, and the standard's own examples hold", () => {
  expect(new Sha256().update("abc").hexDigest()).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const text = "llama 🦙 ü \ud800 ".repeat(5000);
  expect(new Sha256().update(text).hexDigest()).toBe(createHash("sha256").update(text, "utf8").digest("hex"));
});

test("hexadecimal digits are bytes, there and back", () => {
  const bytes = Uint8Array.of(0, 1, 0x7f, 0x80, 0xff);
  expect(hexOf(bytes)).toBe("00017f80ff");
  expect(bytesOfHex("00017f80ff")).toEqual(bytes);
});
