// bzip2 beside what Python's module wrote (test/goldens/make_bzip2.py).
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Rng } from "../../base/index.ts";
import { unbzip2 } from "./bzip2.ts";
import { packingOf } from "./open-bytes.ts";

interface Case {
  readonly name: string;
  /** Base64. */
  readonly packed: string;
  readonly bytes: number;
  readonly sha256: string;
}

const path = join(import.meta.dirname, "../../../test/goldens/bzip2.golden.json");
const cases = (JSON.parse(readFileSync(path, "utf8")) as readonly Case[]).map((one) => ({
  ...one,
  data: Buffer.from(one.packed, "base64"),
}));

async function* chunked(bytes: Uint8Array, rng: Rng, most: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 1 + rng.below(most));
    yield bytes.subarray(at, end);
    at = end;
  }
}

async function unpack(bytes: Uint8Array, rng: Rng, most = 5000): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of unbzip2(chunked(bytes, rng, most), "f.bz2", "data")) parts.push(part);
  return Buffer.concat(parts);
}

test.each(cases)("$name: as Python has it, however chunks fall", async ({ data, bytes, sha256 }) => {
  for (const most of [7, 100_000]) {
    const found = await unpack(data, new Rng(1), most);
    expect(found.length).toBe(bytes);
    expect(createHash("sha256").update(found).digest("hex")).toBe(sha256);
  }
});

test("files are known by their first bytes, and a text that begins alike is none", () => {
  for (const { data } of cases) expect(packingOf(data.subarray(0, 10))).toBe("bzip2");
  expect(packingOf(Buffer.from("BZh91 texts"))).toBeUndefined();
});

test("what is cut short or changed is refused, never read as another text", async () => {
  const rng = new Rng(2);
  const { data, sha256 } = cases.find(({ name }) => name === "text")!;
  let refused = 0;
  for (let round = 0; round < 300; round++) {
    const changed = Buffer.from(data);
    changed[rng.below(data.length)]! ^= 1 << rng.below(8);
    const bytes = round % 3 === 0 ? data.subarray(0, 1 + rng.below(data.length - 1)) : changed;
    const found = await unpack(bytes, rng).catch((error: Error) => error.message);
    if (typeof found === "string") {
      expect(found).toMatch(/^\[data\] f\.bz2: /);
      refused++;
    } else expect(createHash("sha256").update(found).digest("hex")).toBe(sha256); // a bit that says nothing, such as those that fill the last byte
  }
  expect(refused).toBeGreaterThan(290);
});
