// What packed files say of their own length, and what may stand around their data; what other programs pack is in the goldens.
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { xxh32 } from "../../base/index.ts";
import { unpack } from "./open-bytes.ts";

async function read(...parts: readonly (Uint8Array | readonly number[])[]): Promise<string> {
  const chunks = async function* () {
    for (const part of parts) yield Uint8Array.from(part);
  };
  const { bytes } = await unpack(chunks(), "file", { where: "data" });
  let text = "";
  for await (const chunk of bytes) text += Buffer.from(chunk).toString();
  return text;
}

test("zeros behind gzip data are padding, and what stands behind them is not lost silently", async () => {
  const [one, two] = [gzipSync("one"), gzipSync("two")];
  expect(await read(one, two, new Uint8Array(700))).toBe("onetwo");
  await expect(read(one, new Uint8Array(700), two)).rejects.toThrow(
    `[data] file: its gzip data ends at byte ${one.length}, but behind zeros there something stands up to byte 7`,
  );
});

/** A Zstandard frame of three bytes as they are, which says how many it has (RFC 8878, section 3.1.1). */
const zstd = (size: number) => [0x28, 0xb5, 0x2f, 0xfd, 0x20, size, (3 << 3) | 1, 0, 0, ...Buffer.from("abc")];
const skipped = [0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4];

/** The same as an LZ4 frame. */
function lz4(size: number): number[] {
  const head = [0x68, 0x40, size, 0, 0, 0, 0, 0, 0, 0];
  const sum = (xxh32(Uint8Array.from(head)) >>> 8) & 0xff;
  return [0x04, 0x22, 0x4d, 0x18, ...head, sum, 3, 0, 0, 0x80, ...Buffer.from("abc"), 0, 0, 0, 0];
}

test("frames of Zstandard and LZ4 have as many bytes as they say; what pzstd writes begins with one that is skipped", async () => {
  expect(await read(skipped, zstd(3), skipped)).toBe("abc");
  await expect(read(zstd(4))).rejects.toThrow("[data] file: the frame that ends at byte 12 has 3 bytes but says 4: it is damaged");
  expect(await read(lz4(3))).toBe("abc");
  await expect(read(lz4(4))).rejects.toThrow("[data] file: byte 26 ends an LZ4 frame of 3 bytes that says 4: it is damaged");
});
