// The reader beside Python's csv, json and gzip modules and its zstandard package: what they wrote (test/goldens/make_texts.py) is read back.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { Rng } from "../../base/index.ts";
import { toLineFeeds } from "./line-ends.ts";
import { openTexts } from "./texts.ts";
import { unzstd } from "./zstd.ts";

interface Case {
  readonly name: string;
  readonly how?: string;
  /** Base64. */
  readonly content: string;
  readonly texts: readonly string[];
  /** How often the text stands in the file one after another. */
  readonly times?: number;
}

const path = join(import.meta.dirname, "../../../test/goldens/texts.golden.json");
const golden = JSON.parse(readFileSync(path, "utf8")) as { cases: readonly Case[]; refused: { window: string } };
const folder = mkdtempSync(join(tmpdir(), "cria-judged-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("what Python wrote is read back to the character", async () => {
  expect(golden.cases.length).toBe(55);
  for (const [i, { name, content, texts, times = 1 }] of golden.cases.entries()) {
    const file = join(folder, `${i}-${name}`);
    writeFileSync(file, Buffer.from(content, "base64"));
    for (const newlines of ["keep", "lf"] as const) {
      await using opened = await openTexts([file], { newlines });
      const found: string[] = [];
      for await (const text of opened.documents()) found.push(text);
      const wanted = texts.map((text) => (newlines === "keep" ? text : toLineFeeds(text)).repeat(times));
      expect(found, `${i} ${name}`).toEqual(wanted);
    }
  }
});

const packed = golden.cases.filter(({ name }) => name.endsWith(".zst"));

/** Bytes in chunks of random sizes. */
async function* chunked(bytes: Uint8Array, rng: Rng, most: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 1 + rng.below(most));
    yield bytes.subarray(at, end);
    at = end;
  }
}

async function unpack(bytes: Uint8Array, rng: Rng, most = 5000): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of unzstd(chunked(bytes, rng, most), "f.zst", "data")) parts.push(part);
  return Buffer.concat(parts);
}

test("Zstandard: however chunks fall", async () => {
  const rng = new Rng(2);
  for (const { content, texts, times = 1 } of packed)
    for (const most of [1, 7, 100_000]) {
      if (most === 1 && times > 1) continue;
      const found = await unpack(Buffer.from(content, "base64"), rng, most);
      expect(found.toString() === texts[0]!.repeat(times)).toBe(true);
    }
});

test("Zstandard: what is cut short or changed is refused wherever the frames have checksums, never read as another text", async () => {
  const rng = new Rng(3);
  const { content, texts } = packed.find(({ how }) => how === "frames and a skippable one")!;
  const bytes = Buffer.from(content, "base64");
  let refused = 0;
  for (let round = 0; round < 200; round++) {
    const cut = bytes.subarray(0, 1 + rng.below(bytes.length - 1));
    const found = await unpack(cut, rng).catch((error: Error) => error.message);
    if (typeof found === "string") {
      expect(found).toMatch(/^\[data\] f\.zst: its Zstandard data ends at byte \d+ inside a frame: the file is cut short/);
      refused++;
    } else expect(texts[0]!.startsWith(found.toString())).toBe(true); // cut between two frames
  }
  expect(refused).toBeGreaterThan(150);
  for (let round = 0; round < 300; round++) {
    const changed = Buffer.from(bytes);
    changed[rng.below(bytes.length)]! ^= 1 << rng.below(8);
    const found = await unpack(changed, rng).catch((error: Error) => error.message);
    if (typeof found === "string") expect(found).toMatch(/^\[data\] f\.zst: /);
    else expect(found.toString() === texts[0]!).toBe(true); // a bit that says nothing, such as in the skippable frame
  }
});

test("Zstandard: a window larger than zstd itself takes without --long is refused before it is made", async () => {
  const bytes = Buffer.from(golden.refused.window, "base64");
  await expect(unpack(bytes, new Rng(1))).rejects.toThrow(/takes a window of 268435456 bytes, at most 134217728 are allowed/);
});
