// Decompression bombs of more than the size that readers take without asking: in archives, where the other files are read, and by themselves.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { tarOf } from "./archives/tar.test.helper.ts";
import { packed, zipOf } from "./archives/zip.test.helper.ts";
import { formCalled, type ReadingNote } from "./forms.ts";
import { readTextDocuments } from "./read-file.ts";
import { GzipMembers } from "./warc/gzip-members.ts";

const folder = mkdtempSync(join(tmpdir(), "cria-bomb-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a member of an archive that unfolds too far is told, and the next one is read", async () => {
  const bomb = gzipSync(Buffer.alloc(2 ** 28 + 2 ** 20, "a"));
  const path = join(folder, "file");
  writeFileSync(path, tarOf({ "a.txt.gz": gzipSync("a text"), "b.txt.gz": bomb, "c.txt": "more" }));
  const notes: ReadingNote[] = [];
  const texts = new Set<string>();
  const reading = { where: "data", onNote: (note: ReadingNote) => notes.push(note) };
  for await (const { text } of readTextDocuments({ path, name: "file", form: formCalled("archive") }, {}, reading))
    texts.add(text.slice(0, 6));
  expect([...texts]).toEqual(["a text", "aaaaaa", "more"]);
  expect(notes).toEqual([
    {
      kind: "damaged",
      what: "file that cannot be read in an archive",
      place: expect.stringMatching(/b\.txt\.gz: \d+ packed bytes unfold to/),
    },
  ]);
});

const bomb = Buffer.alloc(2 ** 28 + 2 ** 20, "a");

async function readAll(content: Uint8Array, form: "archive" | "text" | "jsonl") {
  const path = join(folder, "file");
  writeFileSync(path, content);
  const notes: ReadingNote[] = [];
  const lengths: number[] = [];
  let error = "";
  try {
    const reading = { where: "data", onNote: (note: ReadingNote) => notes.push(note) };
    for await (const { text } of readTextDocuments({ path, name: "file", form: formCalled(form) }, {}, reading)) lengths.push(text.length);
  } catch (thrown) {
    error = String(thrown);
  }
  return { lengths, places: notes.map(({ kind, place }) => `${kind} ${place}`), error };
}

test("a zip archive's files before a bomb are read, and what unfolds too far is told", async () => {
  const { lengths, places } = await readAll(zipOf([packed("a.txt", Buffer.from("a text")), packed("b.txt", bomb)]), "archive");
  expect(lengths[0]).toBe(6);
  expect(lengths.reduce((sum, length) => sum + length, 0)).toBeLessThan(bomb.length);
  expect(places).toEqual([expect.stringMatching(/^damaged .*b\.txt.* packed bytes unfold to/)]);
});

test("files of a zip archive that share their data count each time", async () => {
  const part = packed("a.txt", Buffer.alloc(2 ** 24, "a"));
  const { lengths, places } = await readAll(zipOf([part], { "a.txt": 100 }), "archive");
  expect(lengths.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(2 ** 28);
  expect(places.length).toBeGreaterThan(50);
  for (const place of places) expect(place).toMatch(/^damaged .*packed bytes unfold to/);
});

test("a packed file that unfolds too far is a clear stop", async () => {
  for (const form of ["text", "jsonl"] as const)
    expect((await readAll(gzipSync(bomb), form)).error).toMatch(/CriaError: \[data\] file: \d+ packed bytes unfold to|longer than/);
});

/** What records of gzip members unfold to, and what is told of damage. */
async function unpackedMembers(packed: Uint8Array) {
  const told: string[] = [];
  const members = new GzipMembers(
    (async function* () {
      for (let at = 0; at < packed.length; at += 1 << 16) yield packed.subarray(at, at + (1 << 16));
    })(),
    (what, offset) => told.push(`${what} at ${offset}`),
  );
  const pieces: Uint8Array[] = [];
  while (!members.isDone) for await (const bytes of members.intact()) pieces.push(bytes);
  return { bytes: Buffer.concat(pieces), told };
}

test("time is in proportion to the length of gzip data in which everything looks like a member", async () => {
  // A header and a block that is stored, whose length leads to another such block: each of these unfolds up to the end of the file.
  const member = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0, 0xfb, 0xff, 0x04, 0x00, 0x11);
  const repeated = Buffer.alloc(member.length << 17, member);
  const { bytes, told } = await unpackedMembers(Buffer.concat([member.subarray(0, 10), Uint8Array.of(7), repeated, gzipSync("text")]));
  expect(bytes.toString()).toBe("text");
  expect(told).toEqual(["gzip data that is damaged at 0"]);
});

test("what stands behind zeros after a member that is too long to be passed over is told", async () => {
  const content = randomBytes(17 * 2 ** 20);
  const long = gzipSync(content, { level: 0 });
  const zeros = Buffer.alloc(100);
  const alone = await unpackedMembers(Buffer.concat([long, zeros]));
  expect(alone.bytes.equals(content)).toBe(true);
  expect(alone.told).toEqual([]);
  const { bytes, told } = await unpackedMembers(Buffer.concat([gzipSync("a"), long, gzipSync("b"), zeros, gzipSync("c")]));
  expect(bytes.equals(Buffer.concat([Buffer.from("a"), content, Buffer.from("b")]))).toBe(true);
  expect(told).toEqual([expect.stringMatching(/^gzip data behind zeros, .* at \d+$/)]);
});
